# SPDX-License-Identifier: BSD-2-Clause
"""grants.py: what a manifest grants, and what of a snapshot differs from it.

Everything that a service holds was given by keeper, out of a slot or a page of its own whose meaning its sources say
(bootstrap/keeper/slots.h, service.c, boot/manifest.h). So each grant here names keeper's slot that it comes from: the
service's capability must be of that very object and be derived from that very slot, and keeper's slot itself must hold
what it is for. Memory is compared by physical address: a page has one use by one service, and windows are shared by the
two that the door joins."""
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from snapshot import PAGE, letters

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import archive  # noqa: E402

R, W, X, O, I, ALL = 1, 2, 4, 8, 16, 127
# keeper's slots: slots.h, enum l4_boot_slot
BOOT_LOG, BOOT_SIGMA0, BOOT_SCHED, BOOT_DEBUG, KEEPER_GATE, KEEPER_SELF = 4, 5, 6, 7, 16, 17
FACTORY, TASK, THREAD, GATE, WAKE, PULSE, EVENT, EXCEPTION = range(8)
KEEPER_OBJECTS = {FACTORY: "factory", TASK: "task", THREAD: "thread", GATE: "gate", WAKE: "irq", PULSE: "irq", EVENT: "irq"}
EXCEPTION_LABEL = 1 << 62
VOLATILE, PARK = 1024, 1024 + 64            # libl4: start.h, server.h
# a service's slots: start.h, manifest.h
CLIENTS, WATCH, HEARTBEAT, DEBUG = 256, 512, 768, 769
# addresses: start.h, crash.h, kip.h, window.h
STARTUP, CRASH, INFO = 0x0ff00000, 0x3ffff000, 0x7fffffff0000
WINDOWS, WINDOWS_BYTES = 0x2000000000, 0x100000
ARCHIVE = 0x400000000000
CARD = struct.Struct("<32s4Q4I")


def object_slot(number, which):
    return 64 + 16 * number + which


def door_slot(number):
    return 20480 + number


def event_slot(number):
    return 24576 + number


def line_slot(number):
    return 28672 + number


def round_up(number):
    return (number + PAGE - 1) // PAGE * PAGE


# ---- programs ----
@dataclass
class Card:
    state_address: int = 0
    state_bytes: int = 0
    window_address: int = 0
    window_bytes: int = 0
    clients: int = 0
    slots: int = 0
    parks: int = 0


class Program:
    """A member of the archive: where its file lies, which segments it has, what its card says."""

    def __init__(self, offset, data):
        self.offset = offset
        headers, header_bytes, header_count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
        rows = [struct.unpack_from("<IIQQQQQ", data, headers + i * header_bytes) for i in range(header_count)]
        self.segments = [(at, offset, in_memory, (flags >> 2 & 1) | (flags & 2) | (flags & 1) << 2)
                         for kind, flags, offset, at, _, _, in_memory in rows if kind == 1 and in_memory]
        self.card = self.read_card(data)

    @staticmethod
    def read_card(data):
        table_at, = struct.unpack_from("<Q", data, 40)
        size, count, names = struct.unpack_from("<HHH", data, 58)
        rows = [struct.unpack_from("<IIQQQQ", data, table_at + i * size) for i in range(count)]
        for name, _, _, _, offset, length in rows:
            at = rows[names][4] + name
            if data[at:data.index(b"\0", at)] == b".note.axo" and length >= CARD.size:
                return Card(*CARD.unpack_from(data, offset)[1:8])
        return Card()


# ---- grants ----
@dataclass(frozen=True)
class Slot:
    """A capability that must be: derived from keeper's slot `source`, or, in keeper, a root (None)."""
    kind: str
    rights: int
    source: int
    label: int
    what: str
    line: int


@dataclass(frozen=True)
class Page:
    """A page that must be. `use` names it: two pages are the same one if and only if their uses are equal."""
    use: tuple
    rights: int
    what: str
    line: int


class Grants:
    """What the system that check.py filled in grants. `where` makes file:line of a line's number."""

    def __init__(self, system, archive_bytes, where):
        self.system, self.where = system, where
        self.numbers = {"keeper": 0, **{s.name: n for n, s in enumerate(system.services, 1)}}
        self.doors = [(s, d) for s in system.services for d in s.doors]     # in the table's order
        self.lines = [(s, i) for s in system.services for i in s.lines]
        members = {name: (offset, data) for name, offset, data, _ in archive.read(archive_bytes)}
        self.programs = {s.name: Program(*members[s.program]) for s in system.services}
        self.slots = {s.name: self.slots_of(s) for s in system.services}
        self.pages = {s.name: self.pages_of(s) for s in system.services}
        self.ports = {s.name: {port: p.line for p in s.ports for port in range(p.first, p.first + p.count)}
                      for s in system.services}
        self.keeper = self.slots_of_keeper()

    def slots_of(self, s):
        n, own = self.numbers[s.name], {}

        def give(slot, kind, rights, source, what, line=s.line, label=0):
            own[slot] = Slot(kind, rights, source, label, what, line)

        give(1, "task", R | I, object_slot(n, TASK), "its own task")
        give(2, "thread", R, object_slot(n, THREAD), "its own thread")
        give(3, "log", W, BOOT_LOG, "the kernel's log")
        give(4, "irq", W, object_slot(n, EVENT), "its own event")
        give(8, "door", 0, object_slot(n, EXCEPTION), "keeper for its exceptions", label=EXCEPTION_LABEL | n)
        give(HEARTBEAT, "irq", W, object_slot(n, PULSE), "its heartbeat's answer")
        for index, (holder, door) in enumerate(self.doors):
            if holder is s:
                give(door.slot, "door", door.rights, door_slot(index), f"`{door.name}`, a door to {door.service}", door.line, door.label)
            if door.service == s.name:
                give(CLIENTS + (door.label & 0xffff), "irq", W, event_slot(index), f"what tells {holder.name} of events", door.line)
        for index, (holder, line) in enumerate(self.lines):
            if holder is s:
                give(line.slot, "irq", R, line_slot(index), f"`{line.name}`, interrupt line {line.number}", line.line)
        for other in self.system.services if s.watcher else []:
            number = self.numbers[other.name]
            give(WATCH + number, "irq", W, object_slot(number, WAKE), f"what asks for the heartbeat of {other.name}", s.where("watcher"))
        if s.debug:
            give(DEBUG, "debug", s.debug, BOOT_DEBUG, "`debug`", s.where("debug"))
        return own

    def slots_of_keeper(self):
        own = {1: Slot("task", ALL, None, 0, "its own task", 0), 2: Slot("thread", ALL, None, 0, "its own thread", 0)}
        own[KEEPER_GATE] = Slot("gate", ALL, None, 0, "its own gate", 0)
        own[KEEPER_SELF] = Slot("irq", ALL, None, 0, "what tells itself of defects", 0)
        for s in self.system.services:
            n = self.numbers[s.name]
            for which, kind in KEEPER_OBJECTS.items():
                own[object_slot(n, which)] = Slot(kind, ALL, None, 0, f"of {s.name}", s.line)
            own[object_slot(n, EXCEPTION)] = Slot("door", 0, KEEPER_GATE, EXCEPTION_LABEL | n, f"for exceptions of {s.name}", s.line)
        for index, (holder, d) in enumerate(self.doors):
            gate = object_slot(self.numbers[d.service], GATE) if d.service != "keeper" else KEEPER_GATE
            own[door_slot(index)] = Slot("door", d.rights, gate, d.label, f"door of {holder.name} to {d.service}", d.line)
            own[event_slot(index)] = Slot("irq", ALL, None, 0, f"what tells {holder.name} of events at {d.service}", d.line)
        for index, (holder, line) in enumerate(self.lines):
            own[line_slot(index)] = Slot("irq", ALL, None, 0, f"line {line.number} of {holder.name}", line.line)
        return own

    def windows_of(self, name):
        """Bytes of one client's windows at this server, and of all."""
        if name == "keeper":
            return 0, 0
        card = self.programs[name].card
        each = card.slots * card.window_bytes
        clients = max((d.label & 0xffff for _, d in self.doors if d.service == name), default=-1) + 1
        return each, clients * each

    def pages_of(self, s):
        program, own = self.programs[s.name], {}
        card = program.card

        def give(use, at, size, rights, what, line=s.line, skip=0):
            for offset in range(0, round_up(size), PAGE):
                own[at + offset] = Page((*use, (skip + offset) // PAGE), rights, what, line)

        for number, (at, offset, size, rights) in enumerate(program.segments):
            first = at // PAGE * PAGE
            use = ("segment", s.name, number) if rights & W else ("archive", "", "")
            in_file = program.offset + offset - (at - first)
            give(use, first, at + size - first, rights, "its program", s.where("program"), 0 if rights & W else in_file)
        give(("info", "", ""), INFO, PAGE, R, "the info page")
        give(("startup", s.name, ""), STARTUP, PAGE, R, "its startup page")
        give(("crash", s.name, ""), CRASH, PAGE, R, "its crash page")
        give(("state", s.name, ""), card.state_address, card.state_bytes, R | W, "its state")
        give(("windows", s.name, ""), card.window_address, self.windows_of(s.name)[1], R | W, "its clients' windows")
        for door in s.doors:
            each = self.windows_of(door.service)[0]
            give(("windows", door.service, ""), WINDOWS + door.slot * WINDOWS_BYTES, each, R | W, f"windows at {door.service}",
                 door.line, (door.label & 0xffff) * each)
        return own


# ---- comparing ----
@dataclass(frozen=True)
class Difference:
    service: str
    kind: str           # capability, page, port, task
    at: int
    text: str

    def __str__(self):
        place = {"capability": f"slot {self.at}", "page": f"page {self.at:#x}", "port": f"port {self.at:#x}"}.get(self.kind, self.kind)
        return f"{self.service}, {place}: {self.text}"


class Comparison:
    """One snapshot against the grants. `places` remembers over snapshots which pages a use has: keeper never moves them."""

    def __init__(self, grants, snapshot, places):
        self.grants, self.snapshot, self.places, self.found = grants, snapshot, places, []
        self.tasks = {}                 # name -> Task
        self.names = {}                 # object id -> what it is
        self.uses = {}                  # frame -> use, of this snapshot

    def differ(self, service, kind, at, text):
        self.found.append(Difference(service, kind, at, text))

    def run(self):
        keeper = self.find_keeper()
        if keeper is None:
            self.differ("keeper", "task", 0, "no task holds the gate and the services of keeper")
            return self.found
        self.tasks = {"keeper": keeper}
        for name, number in self.grants.numbers.items():
            for which, kind in KEEPER_OBJECTS.items() if number else []:
                cap = keeper.capabilities.get(object_slot(number, which))
                if cap:
                    self.names[cap.object] = f"{kind} of {name}"
            own = keeper.capabilities.get(object_slot(number, TASK) if number else 1)
            if own and own.object in self.snapshot.tasks:
                self.tasks[name] = self.snapshot.tasks[own.object]
            else:
                self.differ(name, "task", 0, "it has none")
        self.names[keeper.capabilities[KEEPER_GATE].object] = "gate of keeper"
        self.names[keeper.capabilities[BOOT_SIGMA0].object] = "gate of sigma0"
        for name, task in self.tasks.items():
            self.slots(name, task, self.grants.slots.get(name, self.grants.keeper))
        for name in self.grants.slots.keys() & self.tasks.keys():
            self.memory(name, self.tasks[name])
            self.ports(name, self.tasks[name])
        self.strangers()
        return self.found

    def find_keeper(self):
        """Whose own task capability is all-powerful and who also may schedule."""
        for number, task in self.snapshot.tasks.items():
            own = task.capabilities.get(1)
            if own and own.object == number and own.rights == ALL and task.capabilities.get(BOOT_SCHED) \
                    and task.capabilities.get(KEEPER_GATE):
                return task
        return None

    def strangers(self):
        """The only other task is sigma0's, which keeper's door leads to."""
        known = {id(task) for task in self.tasks.values()}
        others = {number: task for number, task in self.snapshot.tasks.items() if id(task) not in known}
        gate = self.tasks["keeper"].capabilities[BOOT_SIGMA0].object
        for number, task in others.items():
            held = task.capabilities
            if held.get(5, None) is None or held[5].object != gate or set(held) - {1, 2, 3, 4, 5}:
                self.differ(f"task {number}", "task", number, "belongs to no service of the manifest")

    def told(self, cap):
        """A capability in words."""
        name = self.names.get(cap.object, "") if cap.kind != "log" else ""
        if cap.kind == "door":
            name = "to the " + (name or f"gate {cap.object}") + f" labelled {cap.label:#x}"
            return f"door {name} with {letters(cap.rights)}"
        return f"{name or cap.kind} with {letters(cap.rights)}"

    def granting(self, service, cap):
        """What would grant an object of this kind."""
        line = next((s.line for s in self.grants.system.services if s.name == service), 0)
        words = {"door": f"`door SERVICE {letters(cap.rights & 31)}`", "debug": f"`debug {letters(cap.rights)}`", "irq": "`line NUMBER`"}
        if cap.kind in words:
            return f"{words[cap.kind]} below {self.grants.where(line)} would grant one"
        return f"no line of a manifest grants a {cap.kind} beyond its own"

    def slots(self, name, task, granted):
        kept = self.grants.programs[name].card.parks if name in self.grants.programs else 64
        boot = range(3, 8) if name == "keeper" else ()
        for slot, cap in task.capabilities.items():
            is_kept = cap.kind == "reply" and PARK <= slot < PARK + kept
            if slot not in granted and slot not in boot and not is_kept:
                self.differ(name, "capability", slot, f"{self.told(cap)}; {self.granting(name, cap)}")
        for slot, grant in granted.items():
            cap = task.capabilities.get(slot)
            says = f"{self.grants.where(grant.line)} grants {grant.what}: a {grant.kind} with {letters(grant.rights)}"
            if cap is None:
                self.differ(name, "capability", slot, f"empty; {says}")
                continue
            wrong = self.wrong(cap, grant)
            if wrong:
                self.differ(name, "capability", slot, f"{self.told(cap)}, {wrong}; {says}")

    def wrong(self, cap, grant):
        if cap.kind != grant.kind:
            return "another kind"
        if grant.source is None:
            return "which is derived" if cap.parent else "other rights" if cap.rights & ~grant.rights else ""
        source = self.tasks["keeper"].capabilities.get(grant.source)
        if source is None or cap.object != source.object:
            return "another object"
        if cap.label != grant.label:
            return "another label"
        if cap.rights != grant.rights:
            return "more rights" if cap.rights & ~grant.rights else "fewer rights"
        return "derived from elsewhere" if cap.parent != source.lineage else ""

    def memory(self, name, task):
        granted, keeper = self.grants.pages[name], self.tasks["keeper"]
        number = keeper.capabilities[object_slot(self.grants.numbers[name], TASK)].object
        base = min((m.frame for at, m in keeper.pages.items() if ARCHIVE <= at < INFO), default=0)
        for at, page in task.pages.items():
            if at not in granted:
                self.differ(name, "page", at, f"frame {page.frame:#x} with {letters(page.rights)}; no line grants memory there")
        for at, grant in granted.items():
            page = task.pages.get(at)
            says = f"{self.grants.where(grant.line)} grants {grant.what} with {letters(grant.rights)}"
            if page is None:
                self.differ(name, "page", at, f"nothing is there; {says}")
                continue
            wrong = self.wrong_page(page, grant, base, number)
            if wrong:
                self.differ(name, "page", at, f"frame {page.frame:#x} with {letters(page.rights)}, {wrong}; {says}")

    def wrong_page(self, page, grant, base, task):
        keeper = self.tasks["keeper"]
        if page.rights != grant.rights:
            return "more rights" if page.rights & ~grant.rights else "fewer rights"
        covers = keeper.lineages.get(page.parent)
        if covers is None or not covers[0] <= page.frame < covers[1]:
            return "not mapped from keeper's"
        kind, index = grant.use[0], grant.use[-1]
        if kind == "archive":
            return "" if page.frame == base + index * PAGE else "another page of the archive"
        if kind == "info":
            return "" if page.frame == keeper.pages[INFO].frame else "another page"
        place = (grant.use, task if kind == "segment" else 0)       # only with a new task comes another program
        first = self.places.get(place)
        if first is not None and first != page.frame:
            return f"another page than at the start ({first:#x})"
        if self.uses.setdefault(page.frame, grant.use) != grant.use:
            return f"which is {self.uses[page.frame][0]} of {self.uses[page.frame][1]}"
        self.places[place] = page.frame
        return ""

    def ports(self, name, task):
        granted, keeper = self.grants.ports[name], self.tasks["keeper"]
        for port, mapping in task.ports.items():
            covers = keeper.lineages.get(mapping.parent)
            if port not in granted:
                line = self.grants.system.service(name).line
                self.differ(name, "port", port, f"open; `ports {port:#x} 1` below {self.grants.where(line)} would grant it")
            elif covers is None or not covers[0] <= port < covers[1]:
                self.differ(name, "port", port, "not mapped from keeper's")
        for port in granted.keys() - task.ports.keys():
            self.differ(name, "port", port, f"closed; {self.grants.where(granted[port])} grants it")


def compare(grants, snapshot, places):
    return Comparison(grants, snapshot, places).run()

