#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""page.py: docs/system-calls.md from calls.def, the one table. `page.py` writes it, `page.py --check` fails if it is not current."""
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs/system-calls.md"
WHO = {"here": "the process itself", "retry": "a server, which changes nothing", "once": "a server, exactly once"}
SIGNAL = {"NEVER": "", "AUTO": "restarts with SA_RESTART", "NO_HANDLER": "EINTR after a handler", "BLOCK": "EINTR after a handler, else the same deadline"}


def page():
    calls = re.findall(r'^CALL\((\d+), (\w+), \w+, "(\w*)", (\w+), (\w+)\)', (HERE / "calls.def").read_text(), re.M)
    rows = [f"| {number} | {name} | {len(arguments.rstrip('R'))} | {WHO[recovery]} | {SIGNAL[restart]} |"
            for number, name, arguments, restart, recovery in calls]
    return "\n".join(["# Linux system calls that Axolotl answers", "",
                      f"{len(calls)} calls. Every other number is ENOSYS. Made from `personality/runtime/calls.def` by `personality/runtime/page.py`.", "",
                      "| number | name | arguments | executed by | a signal while it waits |", "|---|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.exists() and PAGE.read_text() == page() else f"{PAGE.name} is not current: run page.py")
    PAGE.write_text(page())
