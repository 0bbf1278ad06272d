# SPDX-License-Identifier: BSD-2-Clause
"""capabilities.py: boots a system with the service that prints the kernel's snapshot, and compares each snapshot with what the
manifest grants (grants.py). The archives are judged by what they print: snapshots after restarts must be equal to the
grants, and of those with a plant (planter.c) just the plant must differ. Then the real snapshot is changed on the host,
entry by entry, and each change must be found, too."""
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
import snapshot  # noqa: E402
import syntax  # noqa: E402
from axo import qemu, say  # noqa: E402

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


def boot(archive, options):
    """What the guest logs until it says that it is done."""
    log = bytearray()
    with qemu.Guest(qemu.Machine(loader=options.loader, archive=archive)) as guest:
        def hear(data):
            log.extend(data)
            if b"\ndone" in log[-2 * qemu.SOME:] or b"\nnot so: " in log[-2 * qemu.SOME:]:
                guest.stop()
        status = guest.watch(lambda data: None, hear, options.timeout)
        guest.keep_log(Path(f"{options.log}-{archive.stem}.log"))
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
        """All that differs is the plant. A page with two uses may be named at either; keeper's own slots serve the plant."""
        service, what, place = shot.plant
        differences = [d for d in differences if d.service != "keeper"]
        hit = [d for d in differences if (d.service, d.kind, d.at) == (service, kind_of(what), place)]
        beside = [d for d in differences if d not in hit and not (what == "no-port" and d.kind == "port" and d.service == service)]
        if not hit or beside:
            self.fail(f"{shot.name}, {what} at {service} {place:#x}: " + ("not found" if not hit else f"also found: {beside[0]}"))
            return
        if what not in self.found:
            print(f"{what:14} {hit[0]}")
        self.found.setdefault(what, set()).add(service)

    def changed(self, what, service, at, differences):
        self.changes[what] = self.changes.get(what, 0) + 1
        if not any(d.service == service and d.at == at for d in differences):
            self.fail(f"{what} of {service} at {at:#x} is not found")


def changes_of(name, task):
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
    for at, page in task.pages.items():
        yield "page missing", "pages", at, None
        for bit in range(3):
            yield "right of a page", "pages", at, replace(page, rights=page.rights ^ 1 << bit)
        yield "origin of a page", "pages", at, replace(page, parent=page.parent ^ 1 << 40)
        yield "another page", "pages", at, replace(page, frame=page.frame + 4096)
    for port, mapping in task.ports.items():
        yield "port missing", "ports", port, None
        yield "a port more", "ports", 0x80, replace(mapping, frame=0x80)


def change_all(judge, granted, shot, places):
    base = grants.Comparison(granted, shot, dict(places))
    base.run()
    for name in granted.slots:
        task = base.tasks[name]
        for what, kind, at, entry in list(changes_of(name, task)):
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
    options = parser.parse_args(words)
    system, where = system_of(options.manifest, options.more)
    judge = Judge()
    for archive in options.archives:
        granted, places, first = grants.Grants(system, archive.read_bytes(), where), {}, None
        for shot in boot(archive, options):
            first = first or copy.deepcopy(shot)
            differences = grants.compare(granted, shot, places if not shot.plant else dict(places))
            judge.planted(shot, differences) if shot.plant else judge.plain(shot, differences)
        if archive == options.archives[0]:
            change_all(judge, granted, first, places)
    print(f"{judge.equal} snapshots equal to the manifest; plants found: "
          + ", ".join(f"{what} at {len(services)}" for what, services in judge.found.items()))
    print("changes found: " + ", ".join(f"{count} {what}" for what, count in judge.changes.items()))
    return 1 if judge.failures or not judge.equal or not judge.found else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except say.Failure as failure:
        say.error(failure)
        sys.exit(failure.status)
