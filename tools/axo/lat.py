# SPDX-License-Identifier: BSD-2-Clause
"""lat.py: `axo bench lat`: the program test/bench/lat on both systems, row by row.

lat says `ROW VALUE ns n=… tsc=INSTRUCTIONS …` or `ROW FAIL ERRNO …`. A row after which it says nothing more has hung or died; those behind it
run in another boot. A figure without a value has `failed`: why, in one word; one with `decided` is the kernel's and the runtime's doing."""
import errno
import fnmatch
import re

from . import figures, paths, programs, say, scratch

ROWS = paths.TOP / "test" / "bench" / "lat" / "rows.txt"
PROGRAM, TARGET = "lat", "hello"        # hello is what lat executes
FACTOR, BIG = "0.1", "8"                # a tenth of lat's time; the large file has 8 MB
DONE = re.compile(rb"^(\w+) [0-9.]+ ns n=[0-9]+ tsc=([0-9.]+)(?: .*)?\r?$", re.M)
FAILED = re.compile(rb"^(\w+) FAIL ([0-9]+) .*\r?$", re.M)


def rows():
    """{row: (is decided, CPUs where it is not below Linux yet, what it is)}"""
    found = {}
    for line in ROWS.read_text().splitlines():
        if not line.startswith("#"):
            name, who, what = line.split(None, 2)
            found[name] = who != "-", who.removeprefix("not-yet:").split(",") if who.startswith("not-yet:") else [], what
    return found


def choose(words):
    """Rows in order that `words` pick: names, patterns, and `decided`."""
    known, picked = rows(), set()
    for word in words:
        now = {name for name, (decided, _, _) in known.items() if decided} if word == "decided" else set(fnmatch.filter(known, word))
        if not now:
            raise say.usage_failure(f"lat has no row {word!r}; rows: {', '.join(known)}")
        picked |= now
    return [name for name in known if name in picked]


def program(files):
    return files.native / "bench" / PROGRAM


def order(files, names):
    words = [PROGRAM, "-n", FACTOR, "-s", BIG, "-H", f"/{programs.BIN}{TARGET}", *names]
    return programs.Order([program(files), files.native / "bench" / TARGET], words)


def values(said):
    """{row: instructions, or the word for why there are none}"""
    failed = {name.decode(): errno.errorcode.get(int(number), "wrong") for name, number in FAILED.findall(said)}
    return {name.decode(): float(value) for name, value in DONE.findall(said)} | failed


def results(files, system, cpu, names):
    """{row: instructions or a word}, in as many boots as it takes."""
    found, left = {}, list(names)
    with say.Progress(f"{system} {cpu}") as progress:
        while left:
            with scratch.Folder() as folder:
                run = programs.SYSTEMS[system](files, folder, order(files, left), cpu=cpu,
                                               heard=lambda said: progress.step(len(found) + len(values(said)), len(names)))
            if run.is_hosts or not (values(run.said) or run.wrong):
                run.check(f"lat on {system}")
            now = values(run.said)
            found |= {name: now[name] for name in left if name in now}
            rest = [name for name in left if name not in now]
            if rest:
                found[rest[0]] = "hung" if run.is_late else "died"
            left = rest[1:]
    return found


def gather(found, cpu, system):
    """[figure] of results."""
    known, listed = rows(), []
    for name, value in found.items():
        entry = {"failed": value} if isinstance(value, str) else {"value": value}
        decided, _, what = known[name]
        figure = {"id": ".".join([name, *figures.qualifiers(cpu, system)]), **entry, "unit": "instructions", "what": what, "cpu": cpu, "system": system}
        listed.append(figure | ({"decided": True} if decided else {}))
    return listed


def measure(files, cpu, words=()):
    """[figure] of both systems; `words` pick rows."""
    names, listed = choose(words or ["*"]), []
    for system in programs.SYSTEMS:
        say.note(f"lat: {len(names)} rows on {system}, {cpu}")
        listed += gather(results(files, system, cpu, names), cpu, system)
    return listed


def not_below(listed):
    """{row: [CPU]}: where a decided row does not take fewer instructions than on Linux, or is not known."""
    found = {}
    for name, row in figures.rows(listed).items():
        for cpu in figures.CPUS:
            own, other = (row.get((system, cpu), {}) for system in programs.SYSTEMS)
            if own.get("decided") and not own.get("value", float("inf")) < other.get("value", float("-inf")):
                found.setdefault(name, []).append(cpu)
    return found
