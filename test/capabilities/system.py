# SPDX-License-Identifier: BSD-2-Clause
"""system.py: the system that `axo run` boots, with a shell script and its processes alive, and the snapshots that the script takes:
what each service and each process holds must equal what the manifest and the rules of dynamic.py grant."""
import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TOP = FOLDER.parents[1]
sys.path[:0] = [str(TOP / "bootstrap" / "manifest"), str(TOP / "tools"), str(FOLDER)]

import check  # noqa: E402
import dynamic  # noqa: E402
import grants  # noqa: E402
import syntax  # noqa: E402
from axo import exec as axo_exec  # noqa: E402
from axo import ending, qemu, root, scratch, snapshot  # noqa: E402

# Each `service snapshot` takes one; behind `#`: how many processes there are then, the shell and `service` among them.
SCRIPT = """\
service snapshot                                                    # 2
sleep 100 & sleep 100 | cat &
mkdir /tmp/a; seq 1 3000 > /tmp/a/b; sort -rn /tmp/a/b | tail -n 1; ls /proc/self/fd | wc -l
service snapshot                                                    # 5
(exec sh -c 'service snapshot; true')                               # 6
kill %1; kill %2; wait; rm -r /tmp/a
service snapshot                                                    # 2
"""


def processes_expected(script):
    return [int(line.split("#")[1]) for line in script.splitlines() if "service snapshot" in line]


def judge(shot, granted, places, processes):
    """What is wrong with a snapshot, as lines."""
    found = [str(difference) for difference in grants.compare(granted, shot, places)]
    alive = dynamic.Alive(shot.keeper())
    taken = sum(label != 0 for label in alive.places.values())
    if taken != processes:
        found.append(f"{taken} places of processes are taken, the script has {processes} processes")
    if len(alive.places) - taken > dynamic.SPARES:
        found.append(f"{len(alive.places) - taken} places are spare, keeper keeps {dynamic.SPARES}")
    if sorted(alive.threads) != sorted((place, 0) for place in alive.places):
        found.append(f"threads of processes: {alive.threads}")
    return found


def main(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--loader", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--timeout", type=float, default=100)
    options = parser.parse_args(words)
    system = check.check(syntax.read(options.manifest))
    with scratch.Folder() as folder:
        laid = folder / "archive"
        root.for_run(options.archive, laid, None, [(axo_exec.START_FILE, axo_exec.start_words(SCRIPT), 0o644)])
        machine = qemu.Machine(loader=options.loader, archive=laid)
        granted = grants.Grants(system, laid.read_bytes(), lambda line: f"{options.manifest.name}:{line}" if line else "keeper", machine.mem << 20)
        status = axo_exec.run(machine, options.log, options.timeout, None)
    shots, expected, places, failures = snapshot.read(options.log.read_text(errors="replace")), processes_expected(SCRIPT), {}, 0
    for shot, processes in zip(shots, expected):
        wrong = judge(shot, granted, places, processes)
        failures += bool(wrong)
        counts = f"{sum(len(t.capabilities) for t in shot.tasks.values())} capabilities, {sum(len(t.memory) for t in shot.tasks.values())} mappings"
        print(f"snapshot {shot.name}: {counts}, {processes} processes, {len(wrong)} differences")
        for line in wrong[:20]:
            print(f"    {line}")
    if status or len(shots) != len(expected):
        print(f"FAILED the script ended with {status}, after {len(shots)} of {len(expected)} snapshots")
        failures += 1
    return failures != 0


if __name__ == "__main__":
    sys.exit(ending.status_of(main, sys.argv[1:]))
