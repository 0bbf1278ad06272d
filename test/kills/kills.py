# SPDX-License-Identifier: BSD-2-Clause
"""kills.py: a shell script (work.sh) while every server below it is killed again and again at random instants (killer.c), by a seeded
schedule. Its output, errors and status must be those of the run without kills, every kill must be counted, and at the end each service
must hold what the manifest grants and nothing else. Then servers are held down for a while: nobody else is hurt."""
import argparse
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TOP = FOLDER.parents[1]
sys.path[:0] = [str(TOP / "bootstrap" / "manifest"), str(TOP / "tools"), str(TOP / "test" / "capabilities")]

import check  # noqa: E402
import grants  # noqa: E402
import syntax  # noqa: E402
from axo import exec as axo_exec  # noqa: E402
from axo import ending, qemu, root, scratch, snapshot  # noqa: E402

HEARTS = "rs ds serial tty procfs".split()      # whose loops are found by a heartbeat
OTHERS = "vm tmpfs vfs pm".split()


@dataclass
class Case:
    """How the kills come: one every `least` to `most` microseconds; letters of ways for those with a heartbeat and for the others."""
    name: str
    rounds: int
    least: int
    most: int
    hearts: str
    others: str
    each: int                       # kills of each service at least
    total: int


CASES = [
    Case("dense", 5, 1000, 60000, "enp", "enp", 3, 60),
    Case("with loops", 5, 100000, 400000, "enpl", "enp", 0, 10),
]

HELD = """\
(service down serial; sleep 3; service up serial) &
seq 1 3000 | while read a; do echo $a; done | md5sum
seq 1 3000
wait
service down ds; service kill rs exit; sleep 1; service kill tty exit; sleep 3; service list > /tmp/list; service up ds; sleep 1
grep -c '^ds *down' /tmp/list
service list | grep -E '^(rs|ds|tty|serial) ' | while read name state incarnation defects ordered; do echo $name $state $defects; done
"""
HELD_OUT = "ee9762749fc5338b6c9b0948d14219c7  -\n" + "".join(f"{n}\n" for n in range(1, 3001)) + "1\nrs up 0\nds up 0\nserial up 0\ntty up 0\n"


@dataclass
class Run:
    out: bytes
    err: bytes
    status: int
    log: str
    shots: list = field(default_factory=list)


class Guests:
    def __init__(self, options):
        self.options = options
        self.system = check.check(syntax.read(options.manifest))
        self.where = lambda line: f"{options.manifest.name}:{line}" if line else "keeper"

    def run(self, name, script, kills=""):
        with scratch.Folder() as folder:
            laid, log = folder / "archive", Path(f"{self.options.log}-{name.replace(' ', '-')}.log")
            root.for_run(self.options.archive, laid, None, [(axo_exec.START_FILE, axo_exec.start_words(script), 0o644)])
            machine = qemu.Machine(loader=self.options.loader, archive=laid, words=[f"kills={kills}"] if kills else [])
            self.granted = grants.Grants(self.system, laid.read_bytes(), self.where, machine.mem << 20)
            with open(folder / "out", "w+b") as out, open(folder / "err", "w+b") as err:
                status = axo_exec.run(machine, log, self.options.timeout, None, (out.fileno(), err.fileno()))
                out.seek(0), err.seek(0)
                return Run(out.read(), err.read(), status, log.read_text(errors="replace"))


def work(case):
    return f"ROUNDS={case.rounds}\n{(FOLDER / 'work.sh').read_text()}"


def kills_word(case, seed):
    victims = [f"{name}:{case.hearts}" for name in HEARTS] + [f"{name}:{case.others}" for name in OTHERS]
    return ",".join([str(seed), str(case.least), str(case.most), *victims])


def differing(got, wanted, what):
    """A sentence, or nothing."""
    if got == wanted:
        return []
    lines, expected = got.splitlines(), wanted.splitlines()
    at = next((i for i, (a, b) in enumerate(zip(lines, expected)) if a != b), min(len(lines), len(expected)))
    show = [(rows[at] if at < len(rows) else b"(its end)").decode(errors="replace") for rows in (lines, expected)]
    return [f"{what} differs from line {at + 1} on: {show[0]!r} instead of {show[1]!r}"]


def faults_of(case, run, reference, guests):
    """What is wrong with a run under kills."""
    end = run.out.rfind(b"service  ")
    found = differing(run.out[:end], reference.out, "the output") + differing(run.err, reference.err, "the errors")
    if run.status != 0:
        found.append(f"status {run.status}")
    kills = Counter(re.findall(r"^kill (\w+) \w \w+", run.log, re.M))
    found += [f"{name} was killed {kills[name]} times only" for name in HEARTS + OTHERS if kills[name] < case.each]
    found += [f"{sum(kills.values())} kills are too few to tell"] if sum(kills.values()) < case.total else []
    for name, ordered in re.findall(r"^(\w+) +up +\d+ +\d+ +(\d+) ", run.out[end:].decode(), re.M):
        if not 0 <= kills[name] - int(ordered) <= 1:    # the last one may be under way
            found.append(f"{name} was killed {kills[name]} times, and {ordered} are counted")
    shots = snapshot.read(run.log)
    if len(shots) != 1:
        found.append(f"{len(shots)} snapshots")
    for shot in shots:
        found += [str(difference) for difference in grants.compare(guests.granted, shot, {})]
    busy = len(re.findall(r"^kill \w+ \w [1-9a-f]", run.log, re.M))
    print(f"{case.name}: {sum(kills.values())} kills ({', '.join(f'{name} {kills[name]}' for name in HEARTS + OTHERS)}), {busy} with a request noted")
    return found


def main(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--loader", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True, help="how the logs' paths begin")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=200)
    options = parser.parse_args(words)
    guests, failures = Guests(options), []
    references = {}
    for case in CASES:
        if case.rounds not in references:
            references[case.rounds] = guests.run("reference", work(case))
        script = f"service up killer\n({work(case)})\nservice down killer; service list; service snapshot\n"
        run = guests.run(case.name, script, kills_word(case, options.seed))
        failures += [f"{case.name}: {text}" for text in faults_of(case, run, references[case.rounds], guests)]
    held = guests.run("held", HELD)
    failures += [f"held down: {text}" for text in differing(held.out, HELD_OUT.encode(), "the output") + differing(held.err, b"", "the errors")]
    for text in failures[:30]:
        print("FAILED " + text)
    return failures != []


if __name__ == "__main__":
    sys.exit(ending.status_of(main, sys.argv[1:]))
