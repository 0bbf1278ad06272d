# SPDX-License-Identifier: BSD-2-Clause
"""coverage.py: `axo test --coverage`: lines, branches and functions of the machine-independent kernel that its host tests reach: the
seeds of the fuzzer and test/unit/kernel, built once more with gcov's counters in build/coverage.

Branches of assertions count: that half of them is never taken is as it should be."""
import html
import json
import subprocess
from collections import defaultdict
from pathlib import Path

from . import build, fuzz, paths, say

KERNEL = paths.TOP / "kernel"
UNITS = ("kernel_pages", "kernel_hostile", "kernel_quota", "kernel_memory", "kernel_cap", "kernel_task", "kernel_ports")
COVER = Path("host") / "fuzz-kernel" / "cover"
FLOOR = 0.9             # of all lines: with fewer reached, the seeds or a test have gone stale
STYLE = "body{font:14px monospace} .no{background:#fcc} .half{background:#ffc} td{padding:0 1em;text-align:right} td:first-child{text-align:left}"


class Counts:
    """What was reached of one file."""

    def __init__(self):
        self.lines, self.branches, self.functions = defaultdict(int), defaultdict(int), defaultdict(int)

    def add(self, record):
        for line in record["lines"]:
            number = line["line_number"]
            self.lines[number] += line["count"]
            for place, branch in enumerate(line["branches"]):
                if not branch["throw"]:
                    self.branches[number, place] += branch["count"]
        for function in record["functions"]:
            self.functions[function["name"]] += function["execution_count"]

    def shares(self):
        """[(reached, all)] of lines, branches, functions."""
        return [(sum(count > 0 for count in counts.values()), len(counts)) for counts in (self.lines, self.branches, self.functions)]


def run(words):
    answer = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace")
    if answer.returncode:
        print(answer.stdout[-3000:])
        raise say.Failure(f"{Path(words[0]).name} failed")


def is_ours(path):
    """The machine-independent kernel, with the page tables that it shares with no machine."""
    inside = path.is_relative_to(KERNEL) and path.relative_to(KERNEL).parts
    return inside and inside[0] != "check" and (inside[0] != "arch" or path.stem == "paging")


def collect(folders):
    """{file: Counts} from gcov's data below the folders."""
    found = defaultdict(Counts)
    for folder in folders:
        data = sorted(map(str, folder.rglob("*.gcda")))
        answer = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *data], capture_output=True, text=True)
        if answer.returncode or not data:
            raise say.host_failure(f"gcov cannot read {folder}: {answer.stderr.strip()[:200]}")
        for line in answer.stdout.splitlines():
            for record in json.loads(line)["files"] if line.startswith("{") else []:
                path = (folder / record["file"]).resolve()
                if is_ours(path):
                    found[path].add(record)
    return found


def percent(reached, whole):
    return f"{100 * reached / whole:.1f} %" if whole else ""


def table(found):
    """([(file, lines, branches, functions, lines that nothing reached)], the sum last; the share of lines reached)"""
    rows, sums = [], [[0, 0], [0, 0], [0, 0]]
    for path, counts in sorted(found.items()):
        shares = counts.shares()
        for total, share in zip(sums, shares):
            total[0] += share[0]
            total[1] += share[1]
        missed = sum(not count for count in counts.lines.values())
        rows.append((str(path.relative_to(paths.TOP)), *(percent(*share) for share in shares), str(missed)))
    rows.append(("all", *(percent(*total) for total in sums), str(sums[0][1] - sums[0][0])))
    return rows, sums[0][0] / sums[0][1]


def page(title, body):
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{body}</html>\n'


def source_page(path, counts):
    """The file, with what nothing reached in red and half decided branches in yellow."""
    half = {number for (number, _), count in counts.branches.items() if not count}
    lines = []
    for number, text in enumerate(path.read_text().splitlines(), 1):
        reached = counts.lines.get(number)
        kind = "no" if reached == 0 else "half" if number in half else "yes"
        lines.append(f'<span class="{kind}">{"" if reached is None else reached:>10}  {number:4}  {html.escape(text)}</span>')
    return page(str(path.relative_to(paths.TOP)), "<pre>" + "\n".join(lines) + "</pre>")


def write_pages(found, rows, folder):
    folder.mkdir(exist_ok=True)
    cells = "".join("<tr>" + "".join(f"<td>{link(row[0]) if not number else cell}</td>" for number, cell in enumerate(row)) + "</tr>" for row in rows)
    head = "<tr><td>file</td><td>lines</td><td>branches</td><td>functions</td><td>lines not reached</td></tr>"
    (folder / "index.html").write_text(page("The kernel: what its host tests reach", f"<table>{head}{cells}</table>"))
    for path, counts in found.items():
        (folder / file_name(str(path.relative_to(paths.TOP)))).write_text(source_page(path, counts))


def file_name(name):
    return name.replace("/", "-") + ".html"


def link(name):
    return f'<a href="{file_name(name)}">{name}</a>' if "/" in name else name


def command(options):
    if options.names:
        raise say.usage_failure("--coverage takes no names: it is about the kernel's tests on the host")
    programs = [Path("host") / unit / unit for unit in UNITS] + [COVER / "cover"]
    files = build.build_all(options, "test", targets=[str(program) for program in programs], inside="coverage",
                            variables=["-DAXO_COVERAGE=ON"])
    for data in files.native.rglob("*.gcda"):
        data.unlink()
    for unit in UNITS:
        run([files.native / "host" / unit / unit])
    run([files.native / COVER / "cover", fuzz.SEEDS])
    found = collect([files.native / "host" / unit for unit in UNITS] + [files.native / COVER / "kernel"])
    rows, share = table(found)
    print(f"{'file':32s} {'lines':>8s} {'branches':>9s} {'functions':>10s} {'lines not reached':>18s}")
    for name, lines, branches, functions, missed in rows:
        print(f"{name:32s} {lines:>8s} {branches:>9s} {functions:>10s} {missed:>18s}")
    write_pages(found, rows, files.folder / "html")
    print(f"line by line: {files.folder / 'html' / 'index.html'}")
    if share < FLOOR:
        say.error(f"the tests reach less than {FLOOR:.0%} of the lines")
    return 1 if share < FLOOR else 0
