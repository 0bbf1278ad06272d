#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mutants.py: are the contracts worth something? Plants each mutant of mutants.txt (the form is that of test/mutants) into a copy of the kernel,
and what is said about the function that it names must no longer be provable. One that is still proved is a failure: its contract is empty.

    mutants.py BUILD/native [NAME...]
"""
import re
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path[:0] = [str(TOP / "tools"), str(TOP / "test" / "mutants")]

from axo import prove, say  # noqa: E402  (found by the line above)
import run  # noqa: E402


def read():
    text = "\n".join(line for line in (HERE / "mutants.txt").read_text().splitlines() if not line.startswith("#"))
    return [run.Mutant(part.strip().splitlines()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def unproved(mutant, native, folder):
    """The sentences about what can no longer be proved."""
    name, function = mutant.guests
    path = prove.find(mutant.file)
    workshop = prove.Workshop(Path(folder), native / "generated", {path: mutant.plant(path.read_text())})
    return prove.problems(workshop.prove(workshop.unit(name), [function]))


def main(native, names):
    mutants = [mutant for mutant in read() if not names or mutant.name in names]
    if not mutants:
        raise run.Wrong(f"there is no mutant {' '.join(names)}")
    survived = 0
    for mutant in mutants:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="axo-prove-") as folder:
            found = unproved(mutant, native, folder)
        survived += not found
        print(f"{mutant.name:24s} {time.monotonic() - began:4.0f} s  {'found: ' + found[0][:120] if found else 'PROVED ALL THE SAME: ' + mutant.breaks}",
              flush=True)
    print(f"{len(mutants) - survived} of {len(mutants)} mutants found")
    return 1 if survived else 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
    except (run.Wrong, say.Failure) as problem:
        sys.exit(f"prove-mutants: {problem}")
