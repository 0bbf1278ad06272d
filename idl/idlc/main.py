#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""main.py: the command `idlc`. Exit status: 0 good, 1 an interface is wrong, 2 the command is wrong."""
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from idlc.command import main       # noqa: E402  (the package is found only now)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
