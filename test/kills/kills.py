# SPDX-License-Identifier: BSD-2-Clause
"""kills.py: a shell script (work.sh) while every server below it is killed in every way at random instants (killer.c), in a seeded order. It
begins one round of work more until all kills are done, so their number does not depend on anybody's speed. Its output, errors and status
must be those of as many rounds without kills, every kill must be counted and be its victim's only defect, and at the end each service must
hold what the manifest grants and nothing else. Then servers are held down for a while: nobody else is hurt."""
import argparse
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TOP = FOLDER.parents[1]
sys.path[:0] = [str(TOP / "bootstrap" / "manifest"), str(TOP / "tools"), str(TOP / "test" / "capabilities")]

import check  # noqa: E402
import grants  # noqa: E402
import syntax  # noqa: E402
from axo import exec as axo_exec  # noqa: E402
from axo import ending, qemu, root, scratch, snapshot  # noqa: E402

SERVICES = "rs ds serial tty procfs vm tmpfs vfs pm".split()
WAYS = "eeennnlppp"                 # of each service: every way, a loop once, since that takes its heartbeat's time
REQUESTS = 1000                     # between two kills at most; a round of work is some 10,000

ROUNDS = "goes_on() { [ $round -le %d ]; }\n"
BESIDES = "besides() { :; }\n"      # in each round; --besides
UNTIL_DONE = "goes_on() { ! service list | grep -q '^killer *down'; }\n"

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

    def rounds(self):
        return len(re.findall(rb"^round \d+$", self.out, re.M))


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


def work(goes_on):
    return goes_on + BESIDES + (FOLDER / "work.sh").read_text()


def kills_word(seed):
    return ",".join([str(seed), str(REQUESTS), *(f"{name}:{WAYS}" for name in SERVICES)])


def differing(got, wanted, what):
    """A sentence, or nothing."""
    if got == wanted:
        return []
    lines, expected = got.splitlines(), wanted.splitlines()
    at = next((i for i, (a, b) in enumerate(zip(lines, expected)) if a != b), min(len(lines), len(expected)))
    show = [(rows[at] if at < len(rows) else b"(its end)").decode(errors="replace") for rows in (lines, expected)]
    return [f"{what} differs from line {at + 1} on: {show[0]!r} instead of {show[1]!r}"]


def list_faults(table, kills):
    """Each kill is one defect of its victim's, and nobody has another."""
    rows = {name: tuple(map(int, counts)) for name, *counts in re.findall(r"^(\w+) +up +(\d+) +(\d+) +(\d+) ", table, re.M)}
    found = []
    for name in SERVICES:
        wanted = (kills[name] + 1, 0, kills[name])
        if rows.get(name) != wanted:
            found.append(f"{name} is not up in incarnation {wanted[0]} with no defect but {wanted[2]} ordered: {rows.get(name)}")
    return found


def faults_of(run, reference, guests):
    """What is wrong with a run under kills."""
    end = run.out.rfind(b"service  ")
    found = differing(run.out[:end], reference.out, "the output") + differing(run.err, reference.err, "the errors")
    if run.status != 0:
        found.append(f"status {run.status}")
    done = Counter(re.findall(r"^kill (\w+) (\w) \w+", run.log, re.M))
    wanted = Counter((name, way) for name in SERVICES for way in WAYS)
    found += [f"{name} was killed by {way} {done[name, way]} times, not {times}" for (name, way), times in wanted.items() if done[name, way] != times]
    kills = Counter(name for name, way in done.elements())
    found += list_faults(run.out[end:].decode(), kills)
    shots = snapshot.read(run.log)
    if len(shots) != 1:
        found.append(f"{len(shots)} snapshots")
    for shot in shots:
        found += [str(difference) for difference in grants.compare(guests.granted, shot, {})]
    if run.rounds() < 2:
        found.append(f"{run.rounds()} rounds of work are too few to tell")
    busy = len(re.findall(r"^kill \w+ \w [1-9a-f]", run.log, re.M))
    print(f"{kills.total()} kills of {len(kills)} services, {busy} with a request noted, in {run.rounds()} rounds of work")
    return found


def main(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--loader", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True, help="how the logs' paths begin")
    parser.add_argument("--services", help="only these are killed, with commas between, and nobody is held down")
    parser.add_argument("--besides", type=Path, help="a function of the shell, `besides`, for each round of work")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=200)
    options = parser.parse_args(words)
    global BESIDES
    guests, failures = Guests(options), []
    if options.services:
        SERVICES[:] = options.services.split(",")
    if options.besides:
        BESIDES = options.besides.read_text()
    script = f"service up killer\n({work(UNTIL_DONE)})\nservice list; service snapshot\n"
    run = guests.run("kills", script, kills_word(options.seed))
    reference = guests.run("reference", work(ROUNDS % run.rounds()))
    failures += faults_of(run, reference, guests)
    if not options.services:
        held = guests.run("held", HELD)
        failures += [f"held down: {text}" for text in differing(held.out, HELD_OUT.encode(), "the output") + differing(held.err, b"", "the errors")]
    for text in failures[:30]:
        print("FAILED " + text)
    return failures != []


if __name__ == "__main__":
    sys.exit(ending.status_of(main, sys.argv[1:]))
