# SPDX-License-Identifier: BSD-2-Clause
"""document.py: `axo bench --docs`: the tables of docs/figures.md, each between its marks <!-- GROUP --> and <!-- /GROUP -->, and the charts.

What is outside the marks is written by people. A table is a figure's row: its id, what it is, then what figures.py shows."""
import re

from . import charts, paths, say

PAGE = paths.TOP / "docs" / "figures.md"


def section(group):
    return re.compile(rf"(<!-- {group} -->\n)(.*?)(<!-- /{group} -->)", re.S)


def put(text, group, lines):
    """The page with `lines` as that group's section."""
    if not section(group).search(text):
        raise say.host_failure(f"{PAGE.name} has no marks of {group}")
    return section(group).sub(lambda found: found[1] + "\n".join(lines).strip() + "\n" + found[3], text)


def rows(text, group):
    """{id: {column's title: number}} of a group's table; where a title comes twice, the first."""
    found, titles = {}, []
    for line in section(group).search(text)[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "id":
            titles = cells
        elif titles and cells[0].startswith("`"):
            numbers = {}
            for title, cell in zip(titles, cells):
                if re.fullmatch(r"[\d,]+(\.\d+)?", cell):
                    numbers.setdefault(title, float(cell.replace(",", "")))
            found[cells[0].strip("` \\*")] = numbers
    return found


def write(tables):
    """`tables`: {group: ([figure], lines)}."""
    text = PAGE.read_text()
    for group, (found, lines) in tables.items():
        text = put(text, group, lines)
        if group in charts.DRAWN:
            charts.draw(group, found)
    PAGE.write_text(text)
    say.note(f"written: {PAGE.relative_to(paths.TOP)}: {', '.join(tables)}")
