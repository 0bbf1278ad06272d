# SPDX-License-Identifier: BSD-2-Clause
"""A full memory: whoever takes all of it gets Linux's errors or is killed, the shell lives on, and the memory is back afterwards."""
import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ["AXO_NATIVE"]).parent
SLACK_KB = 400          # what the shell's own heap and page tables may have grown by

# Free memory before and after `WHAT`, then a sign of life that takes a fork and a pipe.
AROUND = """free_kb() {{ while read name kb unit; do [ $name = MemFree: ] && echo $kb; done < /proc/meminfo; }}
count() {{ set -- /proc/[0-9]*; echo $#; }}
sleep 0; free_kb; count
{what}
free_kb; count; echo living | cat
"""


@pytest.fixture(scope="session")
def greedy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    subprocess.run(["gcc", "-O1", "-static", "-o", folder / "greedy", HERE / "greedy.c"], check=True)
    (folder / "bomb").write_text("bomb() { bomb | bomb & }; bomb\nwhile :; do :; done\n")
    return folder


def around(folder, what, memory="64"):
    """(lines of output, lines of errors) of `what`, after a look at what is free before and behind it."""
    words = [TOP / "axo", "run", "--no-build", "--no-install", "--build-dir", BUILD, "--root", folder, "--mem", memory, "--timeout", "60",
             "--exec", AROUND.format(what=what)]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=150, text=True)
    lines = run.stdout.splitlines()
    assert run.returncode == 0 and lines[-1] == "living", run
    before, processes = int(lines[0]), int(lines[1])
    after, processes_after = int(lines[-3]), int(lines[-2])
    assert processes_after == processes, run
    assert after >= before - SLACK_KB, run
    return lines[2:-3], run.stderr.splitlines()


@pytest.mark.parametrize("way", ["malloc", "brk", "private", "shared"])
def test_the_greedy_one_is_killed(greedy, way):
    out, err = around(greedy, f"/greedy {way}; echo $?")
    assert out == ["137"] and err == ["Killed"]


def test_nobody_innocent_is_killed_when_vm_was(greedy):
    """A new incarnation raises all of its events: none of them may cost a life."""
    out, err = around(greedy, "for how in exit null exit; do service kill vm $how || echo died; sleep 0.3; done; /greedy private; echo $?")
    assert (out, err) == (["137"], ["Killed"])


def test_a_promise_that_no_machine_can_keep(greedy):
    assert around(greedy, "/greedy promise; echo $?") == (["mmap: Cannot allocate memory", "3"], [])


def test_a_shell_that_doubles_a_string(greedy):
    out, err = around(greedy, "(s=0123456789; while :; do s=$s$s; done); echo $?")
    assert (out, err) in ((["137"], ["Killed"]), (["2"], ["/bin/sh: out of memory"]))


def test_a_file_that_fills_the_disk(greedy):
    out, err = around(greedy, "dd if=/dev/zero of=/tmp/x bs=64k; echo $?; df /tmp | tail -n 1; rm /tmp/x; df /tmp | tail -n 1")
    assert err[0] == "dd: error writing '/tmp/x': No space left on device" and out[0] == "1"
    full, empty = (re.split(" +", line) for line in out[1:])
    assert full[4] == "100%" and empty[2] == "0" and int(full[2]) + int(full[3]) == int(full[1]) == int(empty[3])


BOMB = """mkfifo /tmp/pipe
{{ read group; read -t 3 x <> /tmp/pipe; kill -9 -$group; echo $?; }} < /tmp/pipe &
killer=$!
setsid sh -c 'echo $$ > /tmp/pipe; exec {bomb}' > /dev/null 2>&1 &
wait $killer
wait $!; echo $?
sleep 0.5; rm /tmp/pipe"""


@pytest.mark.parametrize("memory", ["64", "512"])
@pytest.mark.parametrize("bomb", ["/greedy forks", "/greedy children", "sh /bomb"], ids=["c", "memory", "shell"])
def test_a_fork_bomb_ends_with_its_group(greedy, bomb, memory):
    out, _ = around(greedy, BOMB.format(bomb=bomb), memory)
    assert out[:2] == ["0", "137"]


@pytest.mark.parametrize("limit, way, said", [
    ("-v 8000", "malloc", ["malloc: Cannot allocate memory", "3"]),
    ("-v 8000", "private", ["mmap: Cannot allocate memory", "3"]),
    ("-v 8000", "shared", ["mmap: Cannot allocate memory", "3"]),
    ("-d 4000", "brk", ["brk: Cannot allocate memory", "3"]),
    ("-d 4000", "private", ["mmap: Cannot allocate memory", "3"]),
])
def test_limits_of_memory(greedy, limit, way, said):
    """As Linux: what goes beyond is refused, and a child has its parent's limits."""
    assert around(greedy, f"(ulimit {limit}; (/greedy {way}; echo $?))", "128") == (said, [])
    run = subprocess.run(["sh", "-c", f"ulimit {limit}; {greedy}/greedy {way}; echo $?"], capture_output=True, timeout=60, text=True)
    assert run.stdout.splitlines() == said


def test_other_limits(greedy):
    out, err = around(greedy, "(ulimit -f 8; dd if=/dev/zero of=/tmp/x bs=1k count=100; echo $?); wc -c < /tmp/x; rm /tmp/x; "
                      "(ulimit -n 3; cat < /dev/null; echo $?)")
    assert out == ["153", "4096", "1"] and err == ["File size limit exceeded", "/bin/sh: can't open /dev/null: Too many open files"]
