# SPDX-License-Identifier: BSD-2-Clause
"""capabilities.py: boots a system with the service that prints the kernel's snapshot, and compares each snapshot with what the
manifest grants (grants.py). The archives are judged by what they print: snapshots after restarts must be equal to the
grants, and of those with plants (planter.c) just these must differ. Then the real snapshot is changed on the host,
entry by entry, and each change must be found, too. With --exec the system runs that script, which starts the service."""
import argparse
import copy
import sys
from dataclasses import replace
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TOP = FOLDER.parents[1]
sys.path[:0] = [str(TOP / "bootstrap" / "manifest"), str(TOP / "tools"), str(FOLDER)]

import check  # noqa: E402
import grants  # noqa: E402
import syntax  # noqa: E402
from axo import exec as axo_exec  # noqa: E402
from axo import ending, qemu, root, say, scratch, snapshot  # noqa: E402

OF_CAPABILITY = {"more-rights", "fewer-rights", "other-object", "other-label", "no-capability"}
OF_PAGE = {"page", "page-rights", "other-page", "no-page"}
OF_PORT = {"port", "no-port"}


def system_of(manifest, more):
    """The checked system of both files' text, and what makes file:line of its lines."""
    first = manifest.read_text()
    system = check.check(syntax.read(manifest, first + more.read_text()))
    border = first.count("\n")
    if system.problems:
        raise SystemExit("\n".join(map(str, system.problems)))

    def where(line):
        path, at = (manifest, line) if line <= border else (more, line - border)
        return f"{path.name}:{at}" if line else "keeper"
    return system, where


def laid_over(archive, script, folder):
    """The archive, or a copy whose first process runs the script."""
    if not script:
        return archive
    laid = Path(folder) / archive.name
    root.for_run(archive, laid, None, [(axo_exec.START_FILE, axo_exec.start_words(script.read_text()), 0o644)])
    return laid


def boot(machine, log_path, options):
    """What the guest logs until it says that it is done."""
    log = bytearray()
    with qemu.Guest(machine) as guest:
        console = axo_exec.Command(guest, (2, 2)).console if options.exec else lambda data: None

        def hear(data):
            log.extend(data)
            if b"\ndone" in log[-2 * qemu.SOME:] or b"\nnot so: " in log[-2 * qemu.SOME:]:
                guest.stop()
        status = guest.watch(console, hear, options.timeout)
        guest.keep_log(log_path)
        text = log.decode("latin-1")
        if "\ndone" not in text:
            last = [line for line in text.splitlines() if line.startswith("not so: ")]
            raise say.Failure(last[0] if last else guest.complaint(status)[0], say.GUEST)
    return snapshot.read(text)


def kind_of(what):
    return "page" if what in OF_PAGE else "port" if what in OF_PORT else "capability"


class Judge:
    def __init__(self):
        self.failures, self.equal, self.found, self.changes = [], 0, {}, {}

    def fail(self, text):
        self.failures.append(text)
        print("FAILED " + text)

    def plain(self, shot, differences):
        if differences:
            self.fail(f"{shot.name}: {len(differences)} differences")
            for difference in differences[:20]:
                print(f"    {difference}")
        else:
            self.equal += 1

    def planted(self, shot, differences):
        """All that differs is the plants. Keeper's own slots serve them."""
        what, places = shot.plant
        differences = [d for d in differences if d.service != "keeper"]
        for service, place in places.items():
            mine = [d for d in differences if d.service == service]
            hit = [d for d in mine if (d.kind, d.at) == (kind_of(what), place)]
            beside = [d for d in mine if d not in hit and not (what == "no-port" and d.kind == "port")]
            if not hit or beside:
                self.fail(f"{what} at {service} {place:#x}: " + ("not found" if not hit else f"also found: {beside[0]}"))
                continue
            if what not in self.found:
                print(f"{what:14} {hit[0]}")
            self.found.setdefault(what, set()).add(service)
        for difference in differences:
            if difference.service not in places:
                self.fail(f"{what}: also found: {difference}")

    def changed(self, what, service, at, differences):
        self.changes[what] = self.changes.get(what, 0) + 1
        if not any(d.service == service and d.at == at for d in differences):
            self.fail(f"{what} of {service} at {at:#x} is not found")


def changes_of(task):
    """Every single change to the entries of one task: what, kind, place, the changed entry or None."""
    for slot, cap in task.capabilities.items():
        if cap.kind == "reply":
            continue
        yield "capability missing", "capabilities", slot, None
        for bit in range(7):
            yield "right of a capability", "capabilities", slot, replace(cap, rights=cap.rights ^ 1 << bit)
        yield "label of a capability", "capabilities", slot, replace(cap, label=cap.label ^ 1)
        yield "object of a capability", "capabilities", slot, replace(cap, object=cap.object + 1)
        yield "origin of a capability", "capabilities", slot, replace(cap, parent=cap.parent + 1)
        yield "a capability twice", "capabilities", 15, cap
        yield "a reply where none is kept", "capabilities", 15, replace(cap, kind="reply")
    for at, m in task.memory.items():
        yield "mapping missing", "memory", at, None
        for bit in range(3):
            yield "right of a mapping", "memory", at, replace(m, rights=m.rights ^ 1 << bit)
        yield "origin of a mapping", "memory", at, replace(m, parent=m.parent ^ 1 << 40)
        yield "another page", "memory", at, replace(m, frame=m.frame + snapshot.PAGE)
    for port, mapping in task.ports.items():
        yield "port missing", "ports", port, None
        yield "a port more", "ports", 0x80, replace(mapping, frame=0x80)


def change_all(judge, granted, shot, places):
    names = snapshot.task_names(shot, granted.services)
    for number, name in names.items():
        if name not in granted.slots:
            continue
        task = shot.tasks[number]
        for what, kind, at, entry in list(changes_of(task)):
            entries = getattr(task, kind)
            before = entries.get(at)
            entries.update({at: entry}) if entry else entries.pop(at)
            judge.changed(what, name, at, grants.compare(granted, shot, dict(places)))
            entries.update({at: before}) if before else entries.pop(at, None)


def main(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archives", type=Path, nargs="+")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--more", type=Path, required=True, help="behind the manifest: who prints")
    parser.add_argument("--loader", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True, help="how the logs' paths begin")
    parser.add_argument("--timeout", type=float, default=100)
    parser.add_argument("--exec", metavar="FILE", type=Path, help="a script for the first process; without: the system has none")
    parser.add_argument("--no-changes", action="store_true", help="do not change the snapshot on the host")
    options = parser.parse_args(words)
    system, where = system_of(options.manifest, options.more)
    judge = Judge()
    for archive in options.archives:
        with scratch.Folder() as folder:
            machine = qemu.Machine(loader=options.loader, archive=laid_over(archive, options.exec, folder))
            granted = grants.Grants(system, machine.archive.read_bytes(), where, machine.mem << 20)
            shots = boot(machine, Path(f"{options.log}-{archive.stem}.log"), options)
        places, first = {}, copy.deepcopy(shots[0]) if shots else None
        for shot in shots:
            differences = grants.compare(granted, shot, places if not shot.plant else dict(places))
            judge.planted(shot, differences) if shot.plant else judge.plain(shot, differences)
        if archive == options.archives[0] and not options.no_changes:
            change_all(judge, granted, first, places)
    print(f"{judge.equal} snapshots equal to the manifest; plants found: "
          + ", ".join(f"{what} at {len(services)}" for what, services in judge.found.items()))
    if judge.changes:
        print("changes found: " + ", ".join(f"{count} {what}" for what, count in judge.changes.items()))
    return 1 if judge.failures or not judge.equal or not judge.found else 0


if __name__ == "__main__":
    sys.exit(ending.status_of(main, sys.argv[1:]))
