# SPDX-License-Identifier: BSD-2-Clause
"""docs/tour.md, done as it says: its commands are taken from the page and typed at the console, or run on the host."""
import os
import re
import shlex
import subprocess
from pathlib import Path

import pexpect
import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["AXO_NATIVE"]).parent
PAGE = (TOP / "docs/tour.md").read_text()
FLAGS = ["--no-build", "--no-install", "--build-dir", str(BUILD)]
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.M | re.S)
HOST = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]
TYPED = [line.removeprefix("# ") for kind, block in BLOCKS if kind == "console" for line in block.splitlines()]
PROMPT = "/ # "


def expected(command):
    """What some commands must show; the others show what they like, but no mistake."""
    if command.startswith("seq 1 20000"):
        return "20000\r\n19999\r\n19998\r\n"
    if "md5sum" in command:
        return subprocess.run("seq 1 2000 | sort -rn | md5sum", shell=True, capture_output=True, text=True).stdout.split()[0]
    return {"uname -s -n": "Linux", "service list": "serial ", "ls /proc/axo": "services"}.get(command, "")


def test_the_page_has_commands():
    assert HOST[0] == "./axo run" and TYPED[-1] == "exit" and len(TYPED) > 10


def test_what_is_typed():
    """One session; it is over in less than the ten minutes that the page promises, and nothing dies unseen."""
    child = pexpect.spawn(str(TOP / "axo"), [*shlex.split(HOST[0])[1:], *FLAGS], dimensions=(40, 160), timeout=90, encoding="utf-8")
    child.expect_exact("Ctrl-A x")
    child.expect_exact(PROMPT)
    for command in TYPED[:-1]:
        child.send(command + "\r")
        child.expect_exact("\r\n")          # the line that was typed
        child.expect_exact(PROMPT)
        shown = child.before
        assert not re.search(r"not found|usage:|No such|can't|axo:", shown), f"{command}: {shown}"
        assert expected(command) in shown + "\n", f"{command}: {shown}"
    child.send(TYPED[-1] + "\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("command", HOST[1:])
def test_what_runs_on_the_host(command):
    words = shlex.split(command)
    assert words[:2] == ["./axo", "run"]
    run = subprocess.run([str(TOP / "axo"), "run", *FLAGS, *words[2:]], capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL)
    assert run.returncode == 0 and run.stdout, run.stderr
    assert ("--strace" in words) == ("execve(" in run.stderr or "read(" in run.stderr)


def test_the_pictures_are_there():
    for name in re.findall(r"\]\((pictures/\S+)\)", PAGE):
        assert (TOP / "docs" / name).read_text().startswith("<svg")
