# SPDX-License-Identifier: BSD-2-Clause
"""loader.py: a file and all that it imports, each once: read, laid out, checked, in that order."""
import os
from pathlib import Path

from idlc import check, layout, parse


def load(path, cache, above=()):
    """The unit of `path`. `cache` maps real paths to units; `above` are the files that are being loaded now."""
    key = os.path.realpath(path)
    if key in cache:
        return cache[key]
    unit = parse.parse(path)
    cache[key] = unit
    for name, line in unit.import_lines.items():
        load_import(unit, name, line, cache, (*above, key))
    if not unit.problems:
        layout.lay_out(unit)
    if not unit.problems:
        check.check(unit)
    return unit


def load_import(unit, name, line, cache, above):
    """Files import their neighbours."""
    path = unit.neighbour(name)
    if not path.exists():
        unit.problem(line, f"there is no interface `{name}`", f"write {path}, or mend the name")
        return
    if os.path.realpath(path) in above:
        chain = [Path(p).stem for p in above[above.index(os.path.realpath(path)):]] + [name]
        unit.problem(line, "imports go in a circle: " + " -> ".join(chain), "move what both need into a third file")
        return
    imported = load(str(path), cache, above)
    if imported.interface is None and not imported.problems:
        unit.problem(line, f"{path.name} holds no interface", "import the file that holds the contract")
    if imported.problems:
        unit.problem(line, f"`{name}` is imported and has mistakes of its own", f"mend {path} first")
    unit.imports[name] = imported
