# SPDX-License-Identifier: BSD-2-Clause
"""figures.py: what benches print, as figures, and how figures are shown.

A figure is a dict: `id`, `value` (the median) and `unit`; where known also `min`, `of` (one line of so many operations at once), `goal`, `what`,
`cpu`, `system`, and `counted`, `counted_min`: the same from outside the guest. Instead of a value there may be `failed`, a word. Rows that the
kernel and the runtime decide have `decided`. Qualifiers follow an id after points: `.linux` or `.kpti`, `.qemu64`."""
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
        goal, what = goals.get(name, (None, None))
        figure = {"id": ".".join([name, *qualifiers(cpu, system)]), "value": float(value) if b"." in value else int(value), "unit": unit.decode(),
                  "min": int(least) if least else None, "of": int(of) if of else None, "goal": goal, "what": what,
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


def ratio(row, cpu):
    """Our instructions by Linux's, or None."""
    own, other = (row.get((system, cpu), {}).get("value") for system in ("axolotl", "linux"))
    return f"{own / other:.2f}" if own is not None and other else None


def columns(found):
    """[(title, function from a row to a cell)], those that hold something; the goal last."""
    titles = []
    for cpu in CPUS:
        for title, system, key in ((cpu, "axolotl", "value"), ("min", "axolotl", "min"), (f"KPTI {cpu}", "kpti", "value"),
                                   (f"Linux {cpu}", "linux", "value")):
            titles.append((title, lambda row, where=(system, cpu), key=key: cell(row.get(where, {}), key)))
        titles.append(("ratio", lambda row, cpu=cpu: ratio(row, cpu)))
    titles.append(("goal", lambda row: cell(next(iter(row.values())), "goal")))
    table = rows(found)
    return [(title, show) for title, show in titles if any(show(row) is not None for row in table.values())]


def cell(figure, key):
    """Text, or None."""
    value = figure.get(key, figure.get("failed") if key == "value" else None)
    if value is None or isinstance(value, str):
        return value
    return f"{value:,.1f}" if isinstance(value, float) and value < 1000 else f"{value:,.0f}"


def starred(name, row):
    return name + (" *" if any(figure.get("decided") for figure in row.values()) else "")


def legend(found):
    """A line about what is starred, if anything is."""
    return ["* the kernel and the runtime decide it"] if any(figure.get("decided") for figure in found) else []


def table(found):
    """Lines for a terminal: an id a line."""
    shown = columns(found)
    lines = [f"{'instructions':20s}" + "".join(f" {title:>13s}" for title, _ in shown)]
    for name, row in rows(found).items():
        units = {figure["unit"] for figure in row.values()} - {"instructions"}
        cells = "".join(f" {show(row) or '':>13s}" for _, show in shown)
        lines.append(f"{starred(name, row):20s}{cells} {' '.join(units)}".rstrip())
    return lines + legend(found)


def markdown(found):
    """Lines of a table for docs/figures.md."""
    shown = columns(found)
    lines = ["| id | what | " + " | ".join(title for title, _ in shown) + " |", "|---|---|" + "---:|" * len(shown)]
    for name, row in rows(found).items():
        what = next((figure["what"] for figure in row.values() if "what" in figure), "")
        id = f"`{name}`" + (" \\*" if starred(name, row) != name else "")
        lines.append(f"| {id} | {what} | " + " | ".join(show(row) or "" for _, show in shown) + " |")
    return lines + [line for text in legend(found) for line in ("", "\\" + text)]


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
