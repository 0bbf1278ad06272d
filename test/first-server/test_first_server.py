# SPDX-License-Identifier: BSD-2-Clause
"""docs/first-server.md, followed word for word: its blocks become files in a copy of this tree, its commands must pass,
and before section 6 there are fewer than 60 lines that a reader writes. A block for a file that is there goes to its end."""
import os
import re
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "docs/first-server.md"
BLOCK = re.compile(r"^```\n(.*?)^```$", re.M | re.S)
LINES_MAX = 59


def blocks(page):
    """{file: text} of the blocks whose first line names a file, and the command of the others."""
    files, commands = {}, []
    for text in BLOCK.findall(page):
        first, rest = text.split("\n", 1)
        if first.startswith("// "):
            files[first[3:]] = rest
        else:
            commands.append(text.strip())
    return files, commands


def code_lines(text):
    """Lines that are neither empty nor a comment alone, as cloc counts."""
    return [line for line in text.splitlines() if line.strip() and not line.strip().startswith("//")]


def test_a_page_of_code_is_enough():
    files, _ = blocks(PAGE.read_text().split("\n## 6. ")[0])
    lines = sum(len(code_lines(text)) for text in files.values())
    print(f"{lines} lines in {len(files)} files")
    assert lines <= LINES_MAX


def copy_tree(to):
    names = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, names):
        source, target = TOP / name, to / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def test_word_for_word(tmp_path):
    copy_tree(tmp_path)
    files, commands = blocks(PAGE.read_text())
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        with open(tmp_path / name, "a") as file:
            file.write(text)
    environment = {k: v for k, v in os.environ.items() if k not in ("AXO_NATIVE", "MAKEFLAGS")}
    for command in commands:
        run = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "100% tests passed" in run.stdout
