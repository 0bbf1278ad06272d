#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""regenerate.py: writes golden/ anew. Run it after a meant change of idlc and read the difference."""
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "idl"))

from idlc import output, together           # noqa: E402
from idlc.model import load                 # noqa: E402


def good():
    """name -> text: what comes out of samples/ (what is made for tests of servers is tried there)."""
    units = [load(path) for path in sorted((HERE / "samples").glob("*.idl"))]
    files = output.everything(units)
    files["interfaces.lock"] = output.frozen(units, None)
    return {name: text for name,
            text in files.items() if not name.endswith(("_kill.h", "_fuzz.c"))}


def bad():
    """name -> text: the complaints about each file of bad/, each folder in it taken together."""
    out = {}
    for path in sorted((HERE / "bad").iterdir()):
        cache = {}
        for file in sorted(path.glob("*.idl")) if path.is_dir() else [path]:
            load(file, cache)
        problems = together.problems(list(cache.values()), None)
        out[f"bad/{path.stem}.txt"] = "".join(f"{p}\n" for p in problems).replace(f"{HERE}/", "")
    cache = {}
    for name in ("twice_a", "twice_b"):
        load(HERE / "bad" / f"{name}.idl", cache)
    out["bad/twice.txt"] = "".join(f"{p}\n" for p in together.problems(list(cache.values()),
                                                                       None)).replace(f"{HERE}/", "")
    return out


def main():
    shutil.rmtree(HERE / "golden", ignore_errors=True)
    output.write(HERE / "golden", {**good(), **bad()})


if __name__ == "__main__":
    main()
