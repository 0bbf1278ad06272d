#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""session.py: an interactive session as it was seen, as an SVG on standard output. It types what follows into `./axo run`."""
import re
import sys
from html import escape
from pathlib import Path

import pexpect

TOP = Path(__file__).resolve().parents[2]
COMMANDS = ["uname -s -n", "service list", "service kill serial null; service kill tty exit", "seq 1 20000 | sort -rn | head -3",
            "service list | grep -E 'serial|tty'"]
ROWS, COLUMNS = 60, 88
LINE, CELL, MARGIN, SIZE = 18, 8.4, 14, 14
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r(?!\n)")
PROMPT = "/ # "


def seen():
    """The lines that a person saw."""
    child = pexpect.spawn(str(TOP / "axo"), ["run", "--no-build", "--no-install"], dimensions=(ROWS, COLUMNS), timeout=120, encoding="utf-8")
    text = "$ ./axo run\r\n"
    for command in [*COMMANDS, None]:
        child.expect_exact(PROMPT)
        text += child.before + child.after
        if command is not None:
            child.send(command + "\r")
    child.send("exit\r")
    child.expect(pexpect.EOF)
    child.close()
    text += child.before + "$ "
    return [CONTROL.sub("", line)[:COLUMNS].rstrip() for line in text.split("\r\n")]


def main():
    lines = seen()
    width, height = int(COLUMNS * CELL + 2 * MARGIN), len(lines) * LINE + 2 * MARGIN
    print(f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' viewBox='0 0 {width} {height}'>")
    print(f"<rect width='{width}' height='{height}' rx='8' fill='#1d1f28'/>")
    print(f"<g font-family='DejaVu Sans Mono, monospace' font-size='{SIZE}' fill='#d8dbe2' xml:space='preserve'>")
    for number, line in enumerate(lines):
        typed = line.startswith((PROMPT, "$ "))
        colour = " fill='#8fd18f'" if typed else ""
        print(f"<text x='{MARGIN}' y='{MARGIN + LINE * (number + 1) - 4}'{colour}>{escape(line)}</text>")
    print("</g>\n</svg>")


if __name__ == "__main__":
    sys.exit(main())
