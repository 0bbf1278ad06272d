# SPDX-License-Identifier: BSD-2-Clause
"""figures.py: what benches print, as figures, and how figures are shown.

A figure is a dict: `id`, `value` (the median) and `unit`; where known also `min`, `of` (one line of so many operations at once), `goal`,
`cpu`, `system`, and `counted`, `counted_min`: the same from outside the guest. Qualifiers follow an id after points: `.linux`, `.qemu64`."""
import json
import re
import sys

from . import paths, say

CPUS = ("max", "qemu64")
LINE = re.compile(rb"^bench: (\S+) (-?[0-9]+(?:\.[0-9]+)?) (\S+)(?: min ([0-9]+))?(?: of ([0-9]+))?\r?$", re.M)
OPERATIONS = paths.TOP / "test" / "bench" / "operations.txt"


def operations():
    """{id: (goal or None, what it is)}"""
    lines = [line.split(None, 2) for line in OPERATIONS.read_text().splitlines() if not line.startswith("#")]
    return {name: (None if goal == "-" else int(goal), what) for name, goal, what in lines}


def qualifiers(cpu, system):
    return [*([] if system == "axolotl" else [system]), *([] if cpu == CPUS[0] else [cpu])]


def gather(log, cpu, system="axolotl"):
    """[figure] of what was printed, in order."""
    goals, found = operations(), []
    for name, value, unit, least, of in LINE.findall(log):
        name = name.decode()
        figure = {"id": ".".join([name, *qualifiers(cpu, system)]), "value": float(value) if b"." in value else int(value), "unit": unit.decode(),
                  "min": int(least) if least else None, "of": int(of) if of else None, "goal": goals.get(name, (None, ""))[0],
                  "cpu": cpu, "system": system}
        found.append({key: entry for key, entry in figure.items() if entry is not None})
    return found


def name_of(figure):
    """The id without qualifiers."""
    return ".".join(figure["id"].split(".")[:-len(qualifiers(figure["cpu"], figure["system"])) or None])


def rows(found):
    """{id: {(system, cpu): figure}} in order."""
    table = {}
    for figure in found:
        table.setdefault(name_of(figure), {})[figure["system"], figure["cpu"]] = figure
    return table


def columns(found):
    """[(title, function from a row to a cell)], those that hold something; the goal last."""
    titles = []
    for system, prefix in (("axolotl", ""), ("linux", "Linux ")):
        for cpu in CPUS:
            titles.append((prefix + cpu, lambda row, key=(system, cpu): row.get(key, {}).get("value")))
            if not prefix:
                titles.append(("min", lambda row, key=(system, cpu): row.get(key, {}).get("min")))
    titles.append(("goal", lambda row: next(iter(row.values())).get("goal")))
    table = rows(found)
    return [(title, cell) for title, cell in titles if any(cell(row) is not None for row in table.values())]


def number(value):
    return "" if value is None else f"{value:,}"


def table(found):
    """Lines for a terminal: an id a line."""
    shown = columns(found)
    lines = [f"{'instructions':16s}" + "".join(f" {title:>13s}" for title, _ in shown)]
    for name, row in rows(found).items():
        units = {figure["unit"] for figure in row.values()} - {"instructions"}
        cells = "".join(f" {number(cell(row)):>13s}" for _, cell in shown)
        lines.append(f"{name:16s}{cells} {' '.join(units)}".rstrip())
    return lines


def markdown(found):
    """Lines of a table for docs/figures.md."""
    shown, known = columns(found), operations()
    lines = ["| id | what | " + " | ".join(title for title, _ in shown) + " |", "|---|---|" + "---:|" * len(shown)]
    for name, row in rows(found).items():
        lines.append(f"| `{name}` | {known.get(name, (None, ''))[1]} | " + " | ".join(number(cell(row)) for _, cell in shown) + " |")
    return lines


def write(found, file):
    text = json.dumps(found, indent=1) + "\n"
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        with open(file, "w") as out:
            out.write(text)
    except OSError as problem:
        raise say.host_failure(f"cannot write {file}: {problem.strerror}") from None
