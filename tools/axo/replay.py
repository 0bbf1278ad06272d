# SPDX-License-Identifier: BSD-2-Clause
"""replay.py: a trace replayed onto a snapshot: what every task holds afterwards.

`after(snapshot, events)` is the snapshot that the kernel would give now. All threads are traced from the snapshot on, no event is lost, and at the
end everybody who got a message has gone on with it (a thread that is less urgent than all others may take care of that). What an
invocation does follows from its record, what was there, and what it answers; each answer that follows, too, is compared (Differs). Of
kernel memory nothing is known: a map of several entries that ends in the middle for want of it, or at a UTCB, is refused (Unknown), and so is
what a snapshot does not tell: sigma0's memory, ports that go by message, doors that were minted before it and are revoked by their minter.
Nor does it tell which gates have a monitor: those are known that get one in the trace, or through which something is passed on before; name others in
`monitored`, through which all messages with items are refused. That the gate of a monitor goes is Unknown, too.

INVARIANT names: a page is named by (task, address), a capability by its lineage, which it keeps when it is granted on."""
import bisect
from dataclasses import dataclass, field

from . import methods, ring, snapshot

MEMORY, PORTS, CAPS = range(3)
UNIT = {MEMORY: 12, PORTS: 0, CAPS: 0}          # log2 of what an order counts
BITS = {MEMORY: 35, PORTS: 16, CAPS: 15}        # log2 of how many units there are
RIGHTS = {MEMORY: 7, PORTS: 3, CAPS: 127}
R, DOOR_RIGHTS, ALL = 1, 31, 127
SMALL, LARGE = 12, 21
PORTS_AT, USER_END = 0xFFFFFF0000000000, 0x7FFFFFFFF000
GRANT, GATE_KIND = 0x100, 4
DONE = (1 << 36) - 1                            # of the progress of a window: units behind its beginning
EVERYTHING = 47 << 6 | 7
OK, MAP_FAILED, SLOT_BUSY, EXISTS, NO_MEMORY, NOT_MAPPED, BAD_ARGUMENT = 0, -8, -37, -38, -39, -40, -41
MAKES = dict(zip(methods.numbers(*(f"factory.make_{what}" for what in ("task", "thread", "gate", "irq", "line", "factory"))),
                 ("task", "thread", "gate", "irq", "irq", "factory")))
MAP, COPY, UNMAP, STOP, MINT, REVOKE, MONITOR, PASS, KEEP, WEAKEN, MAKE_LINE = methods.numbers(
    "task.map", "task.copy", "task.unmap", "thread.stop", "gate.mint", "gate.revoke", "gate.monitor", "gate.pass", "reply.keep", "sched.weaken",
    "factory.make_line")


class Unknown(Exception):
    """The records do not tell what happened."""


class Differs(Exception):
    """The kernel answered something else than what follows from the records."""


@dataclass(eq=False)
class Node:
    """A capability or a page: `parent` is a Node, or the number that a snapshot gives of one that it does not tell (0: none)."""
    task: int
    at: int                     # slot; address, of ports PORTS_AT + 4096 * port
    rights: int
    parent: object = 0
    kind: str = "page"
    object: int = 0             # pages: the frame
    label: int = 0
    lineage: int = 0
    order: int = SMALL
    minter: int = 0             # of a door that was minted here
    keeper: int = 0             # of a kept reply: the thread that must answer
    children: set = field(default_factory=set)

    def name(self):
        return self.lineage if self.kind != "page" else self.task << 36 | (self.at >> 12 & DONE)

    def hang(self, parent):
        if isinstance(self.parent, Node):
            self.parent.children.discard(self)
        self.parent = parent
        if isinstance(parent, Node):
            parent.children.add(self)

    def below(self):
        """Itself last, what was derived from it before."""
        found, rest = [], [self]
        while rest:
            found.append(rest.pop())
            rest += found[-1].children
        return found[::-1]


@dataclass
class Object:
    kind: str
    factory: int
    root: Node = None


class State:
    def __init__(self, shot):
        self.caps = {number: {} for number in shot.tasks}       # task -> slot -> Node
        self.pages = {number: {} for number in shot.tasks}      # task -> address -> Node
        self.objects, self.monitors = {}, {}                    # id -> Object; gate -> its monitor, of those that were put on in the trace
        self.last_object, self.last_lineage = shot.last_object, shot.last_lineage
        for number, task in shot.tasks.items():
            for slot, c in task.capabilities.items():
                self.caps[number][slot] = Node(number, slot, c.rights, c.parent, c.kind, c.object, c.label, c.lineage)
                if c.kind != "reply":
                    self.objects.setdefault(c.object, Object(c.kind if c.kind != "door" else "gate", c.factory))
            for at, m in task.memory.items():
                self.pages[number][at] = Node(number, at, m.rights, m.parent, object=m.frame, order=m.order)
            for port, m in task.ports.items():
                at = PORTS_AT + (port << 12)
                self.pages[number][at] = Node(number, at, m.rights, m.parent, object=port, order=m.order + 12)
        nodes = [node for table in (*self.caps.values(), *self.pages.values()) for node in table.values()]
        names = {node.name(): node for node in nodes if node.kind != "reply"}
        for node in nodes:
            node.hang(names.get(node.parent, node.parent))
            if node.parent == 0 and node.kind in ("task", "thread", "gate", "irq", "factory"):
                self.objects[node.object].root = node

    def snapshot(self, name):
        shot = snapshot.Snapshot(name, last_object=self.last_object, last_lineage=self.last_lineage)
        for number in self.caps:
            task = shot.tasks[number] = snapshot.Task()
            for slot, c in self.caps[number].items():
                factory = self.objects[c.object].factory if c.kind != "reply" else 0
                task.capabilities[slot] = snapshot.Capability(c.kind, c.object, c.label, c.rights, c.lineage, parent_name(c), factory)
            for at, page in self.pages[number].items():
                if at < PORTS_AT:
                    task.memory[at] = snapshot.Mapping(page.object, page.order, page.rights, page.name(), parent_name(page))
                else:
                    port = at - PORTS_AT >> 12
                    task.ports[port] = snapshot.Mapping(port, page.order - 12, page.rights, page.name(), parent_name(page))
        return shot

    # ---- capabilities ----
    def slot(self, task, slot):
        return self.caps[task].get(slot)

    def lineage(self):
        self.last_lineage += 1
        return self.last_lineage

    def add(self, node, parent):
        self.caps[node.task][node.at] = node
        node.hang(parent)
        return node

    def remove(self, top, derived_only=False):
        """What is derived from a capability or page, and itself; objects whose root goes die. How many went."""
        if top.kind == "reply":
            gone = [] if derived_only else [top]
        else:
            gone = [node for node in top.below() if not (derived_only and node is top)]
        for node in gone:
            node.hang(0)
            del (self.pages if node.kind == "page" else self.caps)[node.task][node.at]
        for node in gone:
            if node.kind not in ("page", "reply", "door") and node.object in self.objects and self.objects[node.object].root is node:
                self.die(node.object)
        return len(gone)

    def die(self, number):
        dead = self.objects.pop(number)
        self.monitors.pop(number, None)
        if number in self.monitors.values():
            raise Unknown(f"what becomes of a gate whose monitor {number} is destroyed")
        if dead.kind == "task":
            for tables in self.caps, self.pages:
                for at, node in list(tables[number].items()):
                    if tables[number].get(at) is node:
                        self.remove(node)
                del tables[number]
        if dead.kind == "thread":
            self.forget_thread(number)
        if dead.kind == "factory":
            for child in [child for child, o in self.objects.items() if o.factory == number]:
                if child in self.objects:
                    self.remove(self.objects[child].root)

    def forget_thread(self, number):
        """It is no thread any more, or stopped: whom it must answer nobody answers, and nobody waits for what it has asked."""
        for table in self.caps.values():
            for slot, node in list(table.items()):
                if node.kind == "reply" and node.keeper == number:
                    del table[slot]
        self.answered(number)

    def answered(self, number):
        """A thread waits for nobody any more."""
        for table in self.caps.values():
            for node in table.values():
                if node.kind == "reply" and node.object == number:
                    node.object = 0

    def map_cap(self, to, slot, source, rights, grant, label=None):
        label = source.label if label is None else label
        there = self.slot(to, slot)
        if source.kind == "reply":
            return -36
        if there is source:
            return OK if grant else SLOT_BUSY
        is_same = there and (there.kind, there.object, there.label, there.rights, there.parent) == (
            source.kind, source.object, label, source.rights & rights, source)
        if not is_same:
            if there:
                return SLOT_BUSY
            if not 0 < slot < 1 << BITS[CAPS]:
                return BAD_ARGUMENT
            there = self.add(Node(to, slot, source.rights & rights, 0, source.kind, source.object, label, self.lineage()), source)
        if grant:
            for child in list(source.children):
                if child.kind == there.kind and child.rights & ~there.rights:
                    self.remove(child)
                elif child is not there:
                    child.hang(there)
            there.hang(source.parent)
            there.lineage = source.lineage
            source.children.clear()
            self.caps[source.task].pop(source.at)
            source.hang(0)
            owner = self.objects[there.object]
            owner.root = there if owner.root is source else owner.root
        return OK

    # ---- pages ----
    def page_from(self, task, at):
        """The page that `at` is in, or the next behind it."""
        table = self.pages[task]
        places = sorted(table)
        i = bisect.bisect_right(places, at)
        if i and places[i - 1] + (1 << table[places[i - 1]].order) > at:
            return table[places[i - 1]]
        return table[places[i]] if i < len(places) else None

    def prepare(self, to_at, source, order, rights, how):
        """What mapping a page begins with, whether or not it then finds a place: rights that are not granted go."""
        if not (to_at >= PORTS_AT or to_at + (1 << order) <= USER_END) or (how == "grant" and source.order != order):
            return BAD_ARGUMENT
        if how == "grant" and source.rights & ~rights:
            self.take(source, source.rights & ~rights, False)
        return OK

    def map_page(self, to, to_at, source, at, order, rights, how):
        if self.prepare(to_at, source, order, rights, how) != OK:
            return BAD_ARGUMENT
        frame = source.object + (at - source.at >> (12 if at >= PORTS_AT else 0))
        parent = source.parent if how == "copy" and source.parent != 0 else source
        there = self.page_from(to, to_at)
        if there and there.at < to_at + (1 << order):
            same = (there.at, there.order, there.object, there.rights) == (to_at, order, frame, source.rights & rights)
            return OK if same and (there is source or how != "grant" and there.parent is parent) else SLOT_BUSY
        page = self.pages[to][to_at] = Node(to, to_at, source.rights & rights, 0, object=frame, order=order)
        if how == "grant":
            for child in list(source.children):
                child.hang(page)
            page.hang(source.parent)
            source.hang(0)
            self.pages[source.task].pop(source.at)
        else:
            page.hang(parent)
        return OK

    def take(self, top, taking, derived_only):
        """Rights of a page and of what was derived from it; without R it goes. How many lost any."""
        lose = [page for page in top.below() if not (derived_only and page is top) and page.rights & taking]
        for page in lose:
            page.rights &= ~taking
            if taking & R:
                page.hang(0)
                self.pages[page.task].pop(page.at)
        return len(lose)

    # ---- windows: of what is inside, units `start` to `end` behind the beginning ----
    def map(self, to, source, fpage, to_base, rights, how, start=0, end=None):
        window = window_of(fpage, to_base)
        if window is None or window[0] == MEMORY and not rights & R or window[0] == PORTS and window[1] != window[3]:
            return BAD_ARGUMENT, 0
        kind, base, units, into = window
        rights = RIGHTS[PORTS] if kind == PORTS else rights
        stop, mapped = base + (units if end is None else min(end, units)), 0
        if kind == CAPS:
            for slot in sorted(slot for slot in self.caps[source] if base + start <= slot < stop):
                status = self.map_cap(to, into + slot - base, self.caps[source][slot], rights, how == "grant")
                if status != OK:
                    return status, mapped
                mapped += 1
            return OK, mapped
        first, away, last = address(kind, base + start), address(kind, into) - address(kind, base), address(kind, stop)
        page = self.page_from(source, first)
        while page and page.at < last:
            at = max(page.at, first)
            order = LARGE if page.order == LARGE and units >= 1 << LARGE - SMALL else SMALL
            status = self.map_page(to, at + away, page, at, order, rights, how)
            if status != OK:
                return status, mapped
            mapped, first = mapped + 1, at + (1 << order)
            page = self.page_from(source, first) if first < last else None
        return OK, mapped

    def unmap(self, task, fpage, rights, derived_only, start=0, end=None):
        window = window_of(fpage, 0)
        if window is None or not rights & RIGHTS[window[0]] or window[0] != MEMORY and rights & RIGHTS[window[0]] != RIGHTS[window[0]]:
            return BAD_ARGUMENT, 0
        kind, base, units, _ = window
        stop, changed = base + (units if end is None else min(end, units)), 0
        if kind == CAPS:
            for slot in sorted(slot for slot in self.caps[task] if base + start <= slot < stop):
                if task in self.caps and slot in self.caps[task]:
                    changed += self.remove(self.caps[task][slot], derived_only)
            return OK, changed
        taking = ~0 if rights & R else rights & RIGHTS[MEMORY]
        at, last = address(kind, base + start), address(kind, stop)
        while (page := self.page_from(task, at)) and page.at < last:
            at = page.at + (1 << page.order)
            changed += self.take(page, taking, derived_only) if derived_only or page.rights & taking else 0
        return OK, changed


def parent_name(node):
    return node.parent.name() if isinstance(node.parent, Node) else node.parent


def address(kind, unit):
    return (PORTS_AT if kind == PORTS else 0) + (unit << 12)


def window_of(fpage, to_base):
    """(type, first unit, units, first unit there); None: there is no such window."""
    kind, order = fpage >> 4 & 3, fpage >> 6 & 63
    if kind > CAPS or not 0 <= order - UNIT[kind] <= BITS[kind] or to_base & (1 << UNIT[kind]) - 1:
        return None
    base, units, into = fpage >> 12, 1 << order - UNIT[kind], to_base >> UNIT[kind]
    if base % units or into % units or base >> BITS[kind] or into >> BITS[kind]:
        return None
    return kind, base, units, into


def place_in(window, fpage, hot):
    """Where an item lands in a window of its type (an address, or a slot); None: it does not fit."""
    kind = fpage >> 4 & 3
    room, order = (window >> 6 & 63) - UNIT[kind], (fpage >> 6 & 63) - UNIT[kind]
    if not window or window >> 4 & 3 != kind or not 0 <= order <= room <= 47:
        return None
    inside = (1 << room) - 1
    return (((window >> 12 & ~inside) | (hot >> 12 & inside)) >> order << order) << UNIT[kind]


@dataclass
class Invocation:
    """What one thread did: `end` is the run with its results; None: there is none before the end of the trace."""
    begin: dict
    items: list = field(default_factory=list)
    end: dict = None
    is_over: bool = False       # of a message: its items were mapped
    has_failed: bool = False    # of an answer: one of its items was not
    passed: int = 0             # of a message to a gate with a monitor: when that one passed it on

    def is_method(self):
        e = self.begin
        return e["kind"] != ring.DOOR and (e["kind"] != ring.REPLY or ring.status_of(e) >= ring.FIRST_METHOD)

    def is_step(self):
        return self.end is not None and bool(self.end["restarted"])

    def status(self):
        return OK if self.end is None or self.is_step() else ring.status_of(self.end)


class Monitors:
    """When which gate has a monitor, and what that one passes on."""

    def __init__(self, events, monitored):
        self.changes = {gate: [(0, True)] for gate in monitored}        # gate -> [(sequence, whether it has one from then on)]
        self.passes = {}                                                # sequence of what has passed a message on -> its gate
        begun = {}
        for event in events:
            if event["event"] == ring.INVOKE:
                begun[event["thread"]] = event
            elif event["event"] == ring.RUN and not event["restarted"]:
                self.done(begun.pop(event["thread"], None), event)
        for event in begun.values():
            self.done(event, None)

    def done(self, begin, end):
        method = begin["tag"] & 0xFFFFFFFF if begin and begin["kind"] == GATE_KIND else 0
        if method not in (MONITOR, PASS) or (end and ring.status_of(end) != OK):
            return
        changes = self.changes.setdefault(begin["object"], [(0, True)] if method == PASS else [])
        if method == PASS:
            self.passes[begin["sequence"]] = begin["object"]
        else:
            changes.append((begin["sequence"], begin["word0"] != begin["label"]))

    def has(self, gate, sequence):
        return next((on for at, on in reversed(self.changes.get(gate, [])) if at < sequence), False)


class Replay:
    """Steps that change something, in the order of the trace, and what is needed to know what they did."""

    def __init__(self, state, events, monitored=()):
        self.state, self.steps = state, []          # (sequence, function, arguments)
        self.monitors = Monitors(events, monitored)
        self.owes = {}                              # thread -> whom it must answer, as records are read
        self.callers = {}                           # thread -> whom it must answer implicitly, as the steps go
        self.begun, self.runs = {}, {}              # thread -> its Invocations (and faults); its runs: in the order of the trace
        self.failed = []                            # runs of receivers who got no message, for an item failed, and their Invocations
        for event in events:
            if event["lost"]:
                raise Unknown(f"{event['lost']} events before {event['sequence']} were lost")
            self.read(event)
        for event, own in self.failed:
            self.received_none(event, own)
        self.steps.sort(key=lambda step: step[0])

    def read(self, event):
        thread, kind, begun = event["thread"], event["event"], self.begun.setdefault(event["thread"], [])
        if kind in (ring.INVOKE, ring.FAULT):
            begun.append(Invocation(event))
        if event["sequence"] in self.monitors.passes and self.begun.get(self.owes.get(thread)):
            self.begun[self.owes[thread]][-1].passed = event["sequence"]
        if kind == ring.INVOKE and event["kind"] != ring.DOOR:
            self.steps.append((event["sequence"], self.method if begun[-1].is_method() else self.answer, (begun[-1],)))
        elif kind == ring.ITEM:
            begun[-1].items.append((event["word0"], event["word1"]))
        elif kind == ring.RUN:
            if begun and begun[-1].end is None:
                begun[-1].end = event
            self.runs.setdefault(thread, []).append(event)
            self.steps.append((event["sequence"], self.run, (event,)))
            self.received(event, begun[-1] if begun else None)
            self.owes[thread] = event["object"]

    def received(self, event, own):
        """A thread goes on with a message: if it came with items, they were mapped when the later of both had come to meet the other."""
        sent = self.begun.get(event["object"], [None])[-1]
        if ring.status_of(event) == MAP_FAILED and event["status"] == ring.SYSCALL and (own is None or own.begin["kind"] != ring.DOOR):
            self.failed.append((event, own))
        elif sent and sent.items and sent.begin["kind"] == ring.DOOR and sent.end is None and not sent.is_over and self.sent_at(sent):
            self.meet(sent, event, own, len(sent.items))

    def sent_at(self, sent):
        """When a message was sent to the gate of its server; None: its monitor's has it, which gets no items."""
        at = sent.begin["sequence"]
        return sent.passed or (None if self.monitors.has(sent.begin["object"], at) else at)

    def meet(self, sent, event, own, count):
        met = max(self.sent_at(sent), own.begin["sequence"] if own else 0)
        self.steps.append((met + 0.5, self.items, (sent.begin["task"], event["task"], sent.items, count, event)))
        sent.is_over = True

    def received_none(self, event, own):
        """Its wait has ended because an item failed: of its own answer, or of a message, whose sender was told the same."""
        may_be_own = own is not None and not own.is_method() and event["word0"] < len(own.items)
        since = own.begin["sequence"] if own else 0
        found = [sent for begun in self.begun.values() for sent in begun if sent.begin["kind"] == ring.DOOR and sent.items and not sent.is_over
                 and sent.end and ring.status_of(sent.end) == MAP_FAILED and sent.end["word0"] == event["word0"]
                 and sent.begin["sequence"] < event["sequence"] and sent.end["sequence"] > since and self.sent_at(sent)]
        if not found and not may_be_own and own is not None:
            raise Unknown(f"record {event['sequence']}: whose item failed")
        if found:                               # none: it was before the snapshot; the first: then it has not received any more
            sent = min(found, key=self.sent_at)
            sent.is_over = not may_be_own
            self.steps.append((max(self.sent_at(sent), since) + 0.5, self.items_unless, (own, sent, event)))

    def items_unless(self, own, sent, event):
        if own is None or not own.has_failed:
            self.items(sent.begin["task"], event["task"], sent.items, event["word0"], event)

    def carry_out(self):
        for _, step, arguments in self.steps:
            step(*arguments)

    def run(self, event):
        """Who goes on waits for nobody."""
        if not event["restarted"]:
            self.state.answered(event["thread"])
            self.callers = {thread: caller for thread, caller in self.callers.items() if caller != event["thread"]}
        self.callers[event["thread"]] = event["object"]

    # ---- messages ----
    def items(self, source, to, items, count, windows):
        """The first `count` items, and of the next, which failed, what stands; False: there is such a one. `windows`: the run of the receiver; None: it waits for its
        pager or handler, and an item may fail before them all."""
        for number, (fpage, hot) in enumerate(items[:count + 1]):
            kind = fpage >> 4 & 3
            if windows is not None and kind == PORTS:
                raise Unknown("ports in a message")
            window = (EVERYTHING if kind == MEMORY else 0) if windows is None else windows["lineage"] if kind == CAPS else windows["door"]
            at = place_in(window, fpage, hot)
            one = window_of(fpage, 0)
            if at is None:
                return False
            if number == count and one and one[2] == 1:
                page = self.state.page_from(source, address(kind, one[1])) if kind == MEMORY and hot & GRANT and fpage & R else None
                if page and page.at <= address(kind, one[1]):
                    self.state.prepare(at, page, SMALL, fpage & RIGHTS[MEMORY], "grant")
                return False
            got, mapped = self.state.map(to, source, fpage, at, hot & ALL if kind == CAPS else fpage & 15, "grant" if hot & GRANT else "map")
            if (got != OK or not mapped) and windows is not None and number < count:
                raise Differs(f"item {number} of {count} that were mapped: {got}")
            if got != OK or not mapped:
                return False
            if number == count:
                raise Unknown("how far an item came")
        return True

    def answer(self, now):
        begin = now.begin
        caller = begin["object"] if begin["label"] else self.callers.get(begin["thread"], 0)
        waits = [w for w in self.begun.get(caller, []) if w.begin["sequence"] < begin["sequence"]]
        if now.items and waits:
            runs = [run for run in self.runs.get(caller, []) if run["sequence"] > begin["sequence"]]
            if waits[-1].begin["event"] == ring.FAULT:
                self.items(begin["task"], waits[-1].begin["task"], now.items, len(now.items), None)
            elif runs:
                count = runs[0]["word0"] if ring.status_of(runs[0]) == MAP_FAILED else len(now.items)
                now.has_failed = not self.items(begin["task"], runs[0]["task"], now.items, count, runs[0])
            else:
                raise Unknown(f"record {begin['sequence']}: where the items of an answer went")
        if now.is_step():
            return
        if begin["label"]:
            self.state.caps[begin["task"]].pop(begin["label"], None)
        else:
            self.callers[begin["thread"]] = 0

    # ---- methods ----
    def method(self, now):
        does = self.METHODS.get(now.begin["tag"] & 0xFFFFFFFF)
        if does and now.status() in (OK, SLOT_BUSY, NO_MEMORY, BAD_ARGUMENT, NOT_MAPPED):
            does(self, now, now.begin["task"], now.begin["object"], ring.words_of(now.begin))

    def window_done(self, now):
        """Units of a window that are done before and after this step."""
        start = now.begin["progress"] & DONE if now.begin["restarted"] else 0
        return start, now.end["progress"] & DONE if now.is_step() else None

    def check(self, now, status, word=None):
        if now.end is None or now.is_step() or now.begin["restarted"]:
            return
        if now.status() != status or (word is not None and now.end["word0"] != word):
            raise Differs(f"record {now.begin['sequence']}: the answer was {now.status()} and {now.end['word0']}, not {status} and {word}")

    def make(self, now, task, factory, words):
        state, method = self.state, now.begin["tag"] & 0xFFFFFFFF
        is_line_refused = method == MAKE_LINE and now.status() in (SLOT_BUSY, BAD_ARGUMENT) and words[0] and state.slot(task, words[0]) is None
        if now.status() != OK and not is_line_refused:
            return
        state.last_object += 1              # an irq for a line is made before the line is asked for
        lineage = state.lineage()
        if is_line_refused:
            return
        kind = MAKES[method]
        rights = state.slot(task, now.begin["label"]).rights if kind == "factory" else ALL
        node = state.add(Node(task, words[0], rights, 0, kind, state.last_object, 0, lineage), 0)
        state.objects[node.object] = Object(kind, factory, node)
        if kind == "task":
            state.caps[node.object], state.pages[node.object] = {}, {}

    def map(self, now, task, to, words, how="map"):
        source, window = self.state.slot(task, words[0]), window_of(words[1], words[2])
        if source is None or source.kind != "task" or window is None or (now.status() != OK and window[2] == 1):
            return
        status, mapped = self.state.map(to, source.object, words[1], words[2], words[3], how, *self.window_done(now))
        if status == OK and now.status() in (NO_MEMORY, SLOT_BUSY):
            raise Unknown(f"record {now.begin['sequence']}: how far a map came")
        self.check(now, status if status or mapped else NOT_MAPPED, mapped if status == OK and mapped else None)

    def copy(self, now, task, to, words):
        self.map(now, task, to, words, "copy")

    def unmap(self, now, task, of, words):
        status, changed = self.state.unmap(of, words[0], words[1], bool(words[2]), *self.window_done(now))
        self.check(now, status, changed if status == OK else None)

    def mint(self, now, task, gate, words):
        if now.status() == OK and not now.is_step():
            rights, there = words[2] & DOOR_RIGHTS, self.state.slot(task, words[0])
            if there is None:
                node = Node(task, words[0], rights, 0, "door", gate, words[1], self.state.lineage(), minter=now.begin["thread"])
                self.state.add(node, self.state.objects[gate].root)

    def revoke(self, now, task, gate, words):
        """Of doors that were there before the snapshot nobody knows who minted them: how many went must tell it of all of them at once."""
        if now.is_step() or now.status() != OK or gate not in self.state.objects:
            return
        doors = [node for node in self.state.objects[gate].root.children if node.kind == "door"]
        known = [node for node in doors if node.minter and node.minter & 0xFFFFFFFF == words[0] & 0xFFFFFFFF]
        unknown = [node for node in doors if not node.minter]
        if unknown and now.end is None:
            raise Unknown(f"record {now.begin['sequence']}: who minted doors that were there")
        counts = [sum(len(door.below()) for door in some) for some in (known, known + unknown)]
        if unknown and now.end["word0"] not in counts:
            raise Unknown(f"record {now.begin['sequence']}: who minted doors that were there")
        gone = known + unknown if unknown and now.end["word0"] == counts[1] else known
        self.check(now, OK, counts[gone is not known])
        for door in gone:
            self.state.remove(door)

    def monitor(self, now, task, gate, words):
        if now.status() != OK:
            return
        on = self.state.slot(task, words[0])
        if (on is None or on.object == gate) != (words[0] == now.begin["label"]):
            raise Unknown(f"record {now.begin['sequence']}: a gate by two slots")
        self.state.monitors.pop(gate, None)
        if on.object != gate:
            self.state.monitors[gate] = on.object

    def pass_on(self, now, task, gate, words):
        """Nobody is left for the monitor's server to answer."""
        if now.begin["sequence"] in self.monitors.passes:
            self.callers[now.begin["thread"]] = 0

    def keep(self, now, task, unused, words):
        caller = self.callers.get(now.begin["thread"], 0)
        if now.status() == OK and not now.begin["label"] and caller:
            self.state.add(Node(task, words[0], 0, 0, "reply", caller, keeper=now.begin["thread"]), 0)
            self.callers[now.begin["thread"]] = 0

    def stop(self, now, task, thread, words):
        if now.status() == OK and not now.is_step():
            self.state.forget_thread(thread)

    def weaken(self, now, task, unused, words):
        used = self.state.slot(task, now.begin["label"])
        if now.status() == OK and not now.is_step():
            self.state.map_cap(task, words[0], used, ALL, False, words[1] | words[2] << 8)

    METHODS = {**dict.fromkeys(MAKES, make), MAP: map, COPY: copy, UNMAP: unmap, MINT: mint, REVOKE: revoke, MONITOR: monitor, PASS: pass_on,
               KEEP: keep, STOP: stop, WEAKEN: weaken}


def after(shot, events, name="replayed", monitored=()):
    """The snapshot after these events, which go on where `shot` was taken. `monitored`: ids of gates that have a monitor, where the trace does not tell."""
    if events and events[0]["sequence"] != shot.events + 1:
        raise Unknown(f"the trace begins with {events[0]['sequence']}, the snapshot ends with {shot.events}")
    state = State(shot)
    Replay(state, events, monitored).carry_out()
    return state.snapshot(name)
