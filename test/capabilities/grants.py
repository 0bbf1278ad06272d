# SPDX-License-Identifier: BSD-2-Clause
"""grants.py: what a manifest grants, and what of a snapshot differs from it.

Everything that a service holds was given by keeper, out of a slot or a page of its own whose meaning its sources say
(bootstrap/keeper/slots.h, service.c, boot/manifest.h). So each grant here names keeper's slot that it comes from: the
service's capability must be of that very object and be derived from that very slot, and keeper's slot itself must hold
what it is for. Memory is compared by physical address: a page has one use by one service, and windows are shared by the
two that the door joins. What is granted while the system runs follows the rules of dynamic.py."""
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

import dynamic  # noqa: E402
from axo import archive  # noqa: E402
from axo.snapshot import (ALL, BOOT_DEBUG, BOOT_LOG, EVENT, EXCEPTION, GATE, KEEPER_GATE, KEEPER_OBJECTS, KEEPER_SELF, PAGE,  # noqa: E402
                          PULSE, TASK, THREAD, WAKE, letters, object_names, object_slot, place_slot, task_names)

R, W, X, O, I = 1, 2, 4, 8, 16
EXCEPTION_LABEL = 1 << 62
PARK = 1024 + 64                            # libl4: server.h
# a service's slots: start.h, manifest.h
CLIENTS, WATCH, HEARTBEAT, DEBUG, MONITORED = 256, 512, 768, 769, 770
# addresses: start.h, crash.h, kip.h, window.h
STARTUP, CRASH, INFO = 0x0ff00000, 0x3ffff000, 0x7fffffff0000
WINDOWS, WINDOWS_BYTES = 0x2000000000, 0x100000
CARD = struct.Struct("<32s4Q4I")


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

    def __init__(self, system, archive_bytes, where, memory_bytes=512 << 20):
        self.system, self.where, self.memory_bytes = system, where, memory_bytes
        self.services = [s.name for s in system.services]
        self.numbers = {"keeper": 0, **{name: n for n, name in enumerate(self.services, 1)}}
        self.doors = [(s, d) for s in system.services for d in s.doors]     # in the table's order
        self.lines = [(s, i) for s in system.services for i in s.lines]
        members = {name: (offset, data) for name, offset, data, _ in archive.read(archive_bytes)}
        self.programs = {s.name: Program(*members[s.program]) for s in system.services}
        self.archive_bytes = len(archive_bytes)
        self.modules = {name: range(offset, offset + round_up(len(data))) for name, (offset, data) in members.items()}
        self.slots = {s.name: self.slots_of(s) for s in system.services}
        self.pages = {s.name: self.pages_of(s) for s in system.services}
        self.ports = {s.name: {port: p.line for p in s.ports for port in range(p.first, p.first + p.count)}
                      for s in system.services}
        self.keeper = self.slots_of_keeper()
        # dynamic.py: who maps objects at vm, and who sees vfs's windows because data of vfs travels to it
        self.clients = [(d.label & 0xffff, self.numbers[s.name]) for s, d in self.doors if d.service == "vm"]
        self.object_holders = {s.name for s, d in self.doors if d.service == "vm" and d.rights & R}
        has_late = "vfs" in self.programs and self.programs["vfs"].card.window_bytes == dynamic.WINDOW
        self.late_viewers = {d.service for s, d in self.doors if s.name == "vfs" and d.rights & W and has_late}

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
        if s.monitors:
            give(MONITORED, "gate", W, object_slot(self.numbers[s.monitors], GATE), f"what passes messages on to {s.monitors}", s.where("monitors"))
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
        """Bytes of one client's windows at this server, and of all that the manifest knows."""
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
            own.update(pages(use, at, size, rights, what, line, skip))

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


def pages(use, at, size, rights, what, line, skip=0):
    """{address: Page} of a range whose first page is number skip / PAGE of its use."""
    return {at + offset: Page((*use, (skip + offset) // PAGE), rights, what, line) for offset in range(0, round_up(size), PAGE)}


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
        keeper = self.snapshot.keeper()
        if keeper is None:
            self.differ("keeper", "task", 0, "no task holds the gate and the services of keeper")
            return self.found
        self.names = object_names(self.snapshot, self.grants.services)
        for number, name in task_names(self.snapshot, self.grants.services).items():
            self.names[number] = f"task of {name}"
            if number in self.snapshot.tasks:
                self.tasks[name] = self.snapshot.tasks[number]
        self.keeper = keeper
        self.covering = {m.lineage: m for m in keeper.memory.values()}
        self.alive = dynamic.Alive(keeper)
        self.slots_all()
        self.memory_all()
        for name in self.grants.ports.keys() & self.tasks.keys():
            self.ports(name, self.tasks[name])
        self.strangers()
        return self.found

    def strangers(self):
        """Besides keeper and its services' tasks there are sigma0, `frames` and those of places."""
        for name in self.grants.slots.keys() - self.tasks.keys():
            self.differ(name, "task", 0, "it has none")
        for number, task in self.snapshot.tasks.items():
            if number not in self.names:
                self.differ(f"task {number}", "task", number, "belongs to no service of the manifest and to no process")
        for slot in self.tasks["sigma0"].capabilities.keys() - {1, 2, 3, 4, 5} if "sigma0" in self.tasks else ():
            self.differ("sigma0", "capability", slot, "the first task holds no such thing")
        for place, label in self.alive.places.items():
            if label and label & 0xffff != place:
                self.differ(f"place {place}", "task", place, f"the label {label:#x} belongs elsewhere")

    # ---- capabilities ----
    def slots_all(self):
        granted = {name: dict(own) for name, own in {**self.grants.slots, "keeper": self.grants.keeper, "frames": {}}.items()}

        def give(holder, slot, kind, rights, source, what, label):
            line = next((s.line for s in self.grants.system.services if s.name == holder), 0)
            granted.setdefault(holder, {})[slot] = Slot(kind, rights, source, label, what, line)

        dynamic.slots_of(self.alive, self.grants.clients, self.grants.numbers, give)
        for name, own in granted.items():
            if name in self.tasks:
                self.slots(name, self.tasks[name], own)

    def origin(self, lineage):
        """Which slot or address a lineage is, in words."""
        for name, task in self.tasks.items():
            for slot, cap in task.capabilities.items():
                if cap.lineage == lineage:
                    return f"{name}'s slot {slot}"
        return "nothing that is there"

    def told(self, cap):
        """A capability in words."""
        name = self.names.get(cap.object, "") if cap.kind != "log" else ""
        if cap.kind == "door":
            name = "to the " + (name or f"gate {cap.object}") + f" labelled {cap.label:#x}"
            name = f"door {name}"
        elif name and not name.startswith(cap.kind):
            name = f"{cap.kind} {name}"
        lineage = f"lineage {cap.lineage:#x} from {self.origin(cap.parent)}" if cap.parent else f"lineage {cap.lineage:#x}, a root"
        return f"{name or cap.kind} with {letters(cap.rights)} ({lineage})"

    def granting(self, service, cap):
        """What would grant an object of this kind."""
        line = next((s.line for s in self.grants.system.services if s.name == service), 0)
        words = {"door": f"`door SERVICE {letters(cap.rights & 31)}`", "debug": f"`debug {letters(cap.rights)}`", "irq": "`line NUMBER`"}
        if cap.kind in words:
            return f"{words[cap.kind]} below {self.grants.where(line)} would grant one"
        return f"no line of a manifest grants a {cap.kind} beyond its own"

    def slots(self, name, task, granted):
        kept = self.grants.programs[name].card.parks if name in self.grants.programs else 64 if name == "keeper" else 0
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
        source = self.keeper.capabilities.get(grant.source)
        if source is None or cap.object != source.object:
            return "another object"
        if cap.label != grant.label:
            return "another label"
        if cap.rights != grant.rights:
            return "more rights" if cap.rights & ~grant.rights else "fewer rights"
        return "derived from elsewhere" if cap.parent != source.lineage else ""

    # ---- memory ----
    def memory_all(self):
        """The frames that vm directs, then each task's pages."""
        self.base = min((m.frame for at, m in self.keeper.memory.items() if dynamic.KEEPER_ARCHIVE <= at < INFO), default=0)
        self.view = {m.frame: m for at, m in self.keeper.memory.items() if dynamic.KEEPER_VIEW <= at < INFO}
        self.frames = {m.lineage: m for m in self.tasks["frames"].memory.values()} if "frames" in self.tasks else {}
        if "frames" in self.tasks:
            self.frames_in("frames", R | W | X)
            self.frames_in("vm", R | W)
        self.late = self.late_windows()
        for name in self.grants.slots.keys() & self.tasks.keys():
            granted = {**self.grants.pages[name], **self.late_pages(name)}
            if name == "vm":
                granted.update(self.vm_pages())
            areas = dynamic.FILE_AREAS if name in self.grants.object_holders else []
            self.memory(name, granted, areas, self.tasks[name].memory if name != "vm" else self.without_frames("vm"))
        for place in self.alive.places:
            name = f"place {place}"
            if name in self.tasks:
                self.memory(name, *self.process_memory(place), self.tasks[name].memory)
        if "frames" in self.tasks:
            self.memory("frames", {}, [], self.without_frames("frames"))

    def without_frames(self, name):
        return {at: m for at, m in self.tasks[name].memory.items() if not dynamic.FRAMES_BASE <= at < WINDOWS}

    def frames_in(self, name, rights):
        """Every frame of vm's and the archive lies at FRAMES_BASE + itself, as keeper sees it."""
        there = {at - dynamic.FRAMES_BASE: m for at, m in self.tasks[name].memory.items() if dynamic.FRAMES_BASE <= at < WINDOWS}
        for frame in there.keys() | self.view.keys():
            at, m, source = dynamic.FRAMES_BASE + frame, there.get(frame), self.view.get(frame)
            if m is None:
                self.differ(name, "page", at, f"nothing is there; boot/frames.h grants the frame {frame:#x} with {letters(rights)}")
            elif source is None or m.frame != frame or m.order != source.order or m.parent != source.lineage:
                self.differ(name, "page", at, f"frame {m.frame:#x} with {letters(m.rights)}, which keeper does not give to vm")
            elif m.rights != rights:
                self.differ(name, "page", at, f"frame {frame:#x} with {letters(m.rights)}; boot/frames.h grants {letters(rights)}")

    def late_windows(self):
        """Indices of windows of processes at vfs: those that are alive have theirs, others may still have one."""
        alive = {p * dynamic.PLACE_THREADS + t for p, t in self.alive.threads}
        if not self.grants.late_viewers or "vfs" not in self.tasks:
            return set()
        card, there = self.grants.programs["vfs"].card, self.tasks["vfs"].memory
        first, end = dynamic.PROCESS_INDEX * card.slots, card.clients * card.slots
        return alive | {i for i in range(first, end) if card.window_address + i * dynamic.WINDOW in there}

    def late_pages(self, name):
        own = {}
        if name == "vfs" or name in self.grants.late_viewers:
            line = self.grants.system.service(name).line
            first = self.grants.programs["vfs"].card.window_address if name == "vfs" else dynamic.FS_WINDOWS
            if name != "vfs":
                size = self.grants.windows_of("vfs")[1]
                own.update(pages(("windows", "vfs", ""), first, size, R | W, "windows of vfs", line))
            for i in self.late if self.late else ():
                own.update(pages(("late", i), first + i * dynamic.WINDOW, dynamic.WINDOW, R | W, f"window {i} of vfs", line))
        return own

    def vm_pages(self):
        """The page about frames, and tables in one piece, no more of them than frames.h computes."""
        line, there, at = self.grants.system.service("vm").line, self.tasks["vm"].memory, dynamic.FRAMES_POOL
        while at in there and at < dynamic.FRAMES_POOL + dynamic.pool_most(self.grants.memory_bytes):
            at += 1 << there[at].order
        return {**pages(("frames", ""), dynamic.FRAMES_PAGE, PAGE, R, "the page about frames", line),
                **pages(("pool", ""), dynamic.FRAMES_POOL, max(at - dynamic.FRAMES_POOL, PAGE), R | W, "tables of frames", line)}

    def process_memory(self, place):
        """(pages from keeper, areas of vm) of a process; a spare place has the former alone."""
        text = self.grants.modules["runtime"]
        granted = {**pages(("info", "", ""), dynamic.INFO, PAGE, R, "the info page", 0),
                   **pages(("archive", "", ""), dynamic.TEXT, len(text), R | X, "the runtime's text", 0, text.start)}
        areas = list(dynamic.PROCESS_AREAS)
        for p, t in self.alive.threads:
            if p == place:
                block, window = dynamic.BLOCKS + t * dynamic.BLOCK, place * dynamic.PLACE_THREADS + t
                granted.update(pages(("late", window), block + dynamic.BLOCK_WINDOW, dynamic.WINDOW, R | W, f"window {window} of vfs", 0))
                areas += [dynamic.Area(block + a.first, block + a.end, a.rights, a.kinds, a.what) for a in dynamic.THREAD_AREAS]
        return granted, areas if self.alive.places[place] else []

    def memory(self, name, granted, areas, memory):
        number = self.grants.numbers.get(name)
        task = self.keeper.capabilities[object_slot(number, TASK)].object if number else 0
        there = set()
        for first, m in memory.items():
            area = next((a for a in areas if a.first <= first and first + (1 << m.order) <= a.end), None)
            if area is not None and first not in granted:
                wrong = self.wrong_in(m, area)
                if wrong:
                    self.differ(name, "page", first, f"frame {m.frame:#x} with {letters(m.rights)}, {wrong}; vm may map {area.what} there")
                continue
            for offset in range(0, 1 << m.order, PAGE):
                there.add(first + offset)
                self.page(name, first + offset, m, offset, granted.get(first + offset), task)
        for at in granted.keys() - there:
            grant = granted[at]
            self.differ(name, "page", at, f"nothing is there; {self.grants.where(grant.line)} grants {grant.what} with {letters(grant.rights)}")

    def page(self, name, at, m, offset, grant, task):
        if grant is None:
            self.differ(name, "page", at, f"frame {m.frame + offset:#x} with {letters(m.rights)} (lineage {m.lineage:#x}); no line grants memory there")
            return
        wrong = self.wrong_page(m, m.frame + offset, grant, task)
        if wrong:
            says = f"{self.grants.where(grant.line)} grants {grant.what} with {letters(grant.rights)}"
            self.differ(name, "page", at, f"frame {m.frame + offset:#x} with {letters(m.rights)} (lineage {m.lineage:#x}), {wrong}; {says}")

    def kind_of(self, frame):
        """What vm may do with a frame: "free" to hand out, or the member of the archive that it is of."""
        offset = frame - self.base
        if 0 <= offset < self.grants.archive_bytes:
            return next((name for name, places in self.grants.modules.items() if offset in places), "archive")
        return "free"

    def wrong_in(self, m, area):
        source = self.frames.get(m.parent)
        if source is None or not source.frame <= m.frame < source.frame + (1 << source.order):
            return "not mapped from `frames`"
        kind = self.kind_of(m.frame)
        if kind not in area.kinds:
            return f"which is {kind}"
        return "more rights" if m.rights & ~area.rights else ""

    def wrong_page(self, m, frame, grant, task):
        if m.rights != grant.rights:
            return "more rights" if m.rights & ~grant.rights else "fewer rights"
        source = self.covering.get(m.parent)
        if source is None or not source.frame <= frame < source.frame + (1 << source.order):
            return "not mapped from keeper's"
        kind, index = grant.use[0], grant.use[-1]
        if kind == "archive":
            return "" if frame == self.base + index * PAGE else "another page of the archive"
        if kind == "info":
            return "" if frame == self.keeper.at(INFO) else "another page"
        place = (grant.use, task if kind == "segment" else 0)       # only with a new task comes another program
        first = self.places.get(place)
        if first is not None and first != frame:
            return f"another page than at the start ({first:#x})"
        if self.uses.setdefault(frame, grant.use) != grant.use:
            return "which is " + " ".join(str(word) for word in self.uses[frame][:2])
        self.places[place] = frame
        return ""

    # ---- ports ----
    def ports(self, name, task):
        granted = self.grants.ports[name]
        there = {port + offset: m for port, m in task.ports.items() for offset in range(1 << m.order)}
        covering = {m.lineage: m for m in self.keeper.ports.values()}
        for port, mapping in there.items():
            source = covering.get(mapping.parent)
            if port not in granted:
                line = self.grants.system.service(name).line
                self.differ(name, "port", port, f"open; `ports {port:#x} 1` below {self.grants.where(line)} would grant it")
            elif source is None or not source.frame <= port < source.frame + (1 << source.order):
                self.differ(name, "port", port, "not mapped from keeper's")
        for port in granted.keys() - there.keys():
            self.differ(name, "port", port, f"closed; {self.grants.where(granted[port])} grants it")


def compare(grants, snapshot, places):
    return Comparison(grants, snapshot, places).run()
