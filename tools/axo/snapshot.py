# SPDX-License-Identifier: BSD-2-Clause
"""snapshot.py: the kernel's snapshots in a log (personality/snapshot/print.h) as data, and as JSON for people who study policies.

Every capability, mapping and port range is a node of the derivation tree: `lineage` is its own number, `parent` that of the node
that it was derived from (0: a root). Names come from keeper, whose slots say which object is whose (bootstrap/keeper/slots.h)."""
import json
import struct
from dataclasses import dataclass, field

PAGE = 4096
KINDS = ["nothing", "factory", "task", "thread", "gate", "irq", "reply", "sched", "debug", "log"] + ["?"] * 5 + ["door"]
RIGHTS = "RWXOIMC"
ALL = 127
# keeper's slots: slots.h, enum l4_boot_slot
BOOT_LOG, BOOT_SIGMA0, BOOT_SCHED, BOOT_DEBUG, KEEPER_GATE, KEEPER_SELF, FRAMES, PROCESSES = 4, 5, 6, 7, 16, 17, 18, 19
FACTORY, TASK, THREAD, GATE, WAKE, PULSE, EVENT, EXCEPTION = range(8)
KEEPER_OBJECTS = {FACTORY: "factory", TASK: "task", THREAD: "thread", GATE: "gate", WAKE: "irq", PULSE: "irq", EVENT: "irq"}
PLACES, PLACE_THREADS = 128, 4
PLACE_TASK, PLACE_DOOR, PLACE_THREAD, PLACE_IRQ = 0, 4, 8, 12


def object_slot(service, which):
    return 64 + 16 * service + which


def place_slot(place, which):
    return 4096 + 16 * place + which


def letters(rights):
    return "".join(letter for bit, letter in enumerate(RIGHTS) if rights >> bit & 1) or "no right"


@dataclass(frozen=True)
class Capability:
    kind: str
    object: int
    label: int
    rights: int
    lineage: int
    parent: int
    factory: int = 0        # the id of what pays for the object


@dataclass(frozen=True)
class Mapping:
    """Memory: `frame` is the physical address. Ports: the port. Both of 1 << `order`."""
    frame: int
    order: int
    rights: int
    lineage: int
    parent: int


@dataclass
class Task:
    capabilities: dict = field(default_factory=dict)    # slot -> Capability
    memory: dict = field(default_factory=dict)          # address -> Mapping
    ports: dict = field(default_factory=dict)           # first port -> Mapping

    def at(self, address):
        """The physical address behind one that a page of 4 KB maps; None: nothing."""
        found = self.memory.get(address)
        return None if found is None else found.frame


@dataclass
class Snapshot:
    name: str
    tasks: dict = field(default_factory=dict)           # id -> Task
    events: int = 0         # of a trace, object and lineage that were given until then
    last_object: int = 0
    last_lineage: int = 0
    plant: tuple = ()                                   # what, {service: place}, as a test's keeper says it

    def entry(self, words):
        numbers = [int(word, 16) for word in words[1:]]
        task = self.tasks.setdefault(numbers[0], Task())
        if words[0] == "C":
            _, slot, kind, *rest = numbers
            task.capabilities[slot] = Capability(KINDS[kind], *rest)
        elif words[0] == "M":
            _, at, order, rights, frame, lineage, parent, count, *steps = numbers
            for i in range(count):
                values = [(first + i * step) % (1 << 64) for first, step in zip((frame, lineage, parent), steps)]
                task.memory[at + (i << order)] = Mapping(values[0], order, rights, *values[1:])
        elif words[0] == "P":
            _, port, order, rights, lineage, parent = numbers
            task.ports[port] = Mapping(port, order, rights, lineage, parent)

    def keeper(self):
        """Its task: whose own task capability is all-powerful and who also may schedule. None: there is none."""
        for number, task in self.tasks.items():
            own = task.capabilities.get(1)
            if own and own.object == number and own.rights == ALL and {BOOT_SCHED, KEEPER_GATE} <= task.capabilities.keys():
                return task
        return None


def read(text):
    """Every complete snapshot in a log, in order."""
    found, now, plant = [], None, ()
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "plant" and len(words) == 4:
            plant = (words[2], {**(plant[1] if plant else {}), words[1]: int(words[3], 16)})
        elif words[0] == "snapshot":
            now = Snapshot(line.split(" ", 1)[1], plant=plant)
            plant = ()
        elif words[0] == "end" and now:
            now.events, now.last_object, now.last_lineage = (int(word, 16) for word in words[-3:])
            found.append(now)
            now = None
        elif now and words[0] in ("T", "M", "P", "C"):
            now.entry(words)
    return found


# ---- names ----
def service_names(table):
    """The services of a compiled manifest (boot/manifest.h) in its order, which numbers them from 1."""
    head, service, name = 64, 384, 24
    count, = struct.unpack_from("<I", table, 12)
    return [table[at:at + name].split(b"\0", 1)[0].decode() for at in range(head, head + count * service, service)]


def task_names(snapshot, services):
    """{id of a task: its name}. `services`: their names in the manifest's order."""
    keeper = snapshot.keeper()
    if keeper is None:
        return {}
    held = keeper.capabilities
    slots = {1: "keeper", FRAMES: "frames"}
    slots.update({object_slot(number, TASK): name for number, name in enumerate(services, 1)})
    slots.update({place_slot(place, PLACE_TASK): f"place {place}" for place in range(PLACES)})
    names = {held[slot].object: name for slot, name in slots.items() if slot in held and held[slot].kind == "task"}
    others = [number for number in snapshot.tasks if number not in names]
    return {**names, **{number: "sigma0" for number in others[:1]}}      # the first task of all


def object_names(snapshot, services):
    """{id of another object: its name}."""
    keeper = snapshot.keeper()
    held = keeper.capabilities if keeper else {}
    slots = {KEEPER_GATE: "gate of keeper", BOOT_SIGMA0: "gate of sigma0", KEEPER_SELF: "irq of keeper", PROCESSES: "factory of processes"}
    for number, name in enumerate(services, 1):
        slots.update({object_slot(number, which): f"{kind} of {name}" for which, kind in KEEPER_OBJECTS.items()})
    for place in range(PLACES):
        for thread in range(PLACE_THREADS):
            slots[place_slot(place, PLACE_THREAD + thread)] = f"thread {thread} of place {place}"
            slots[place_slot(place, PLACE_IRQ + thread)] = f"irq {thread} of place {place}"
    return {held[slot].object: name for slot, name in slots.items() if slot in held}


# ---- JSON ----
def as_data(snapshot, services):
    """What json.dump takes."""
    tasks, objects = task_names(snapshot, services), object_names(snapshot, services)

    def range_of(at, m, unit):
        return {unit: at, "count" if unit == "port" else "bytes": 1 << m.order, "rights": letters(m.rights) if m.rights else "",
                **({"physical": m.frame} if unit == "address" else {}), "lineage": m.lineage, "parent": m.parent}

    def slot_of(slot, c):
        name = tasks.get(c.object) if c.kind == "task" else objects.get(c.object)
        return {"slot": slot, "kind": c.kind, "object": c.object, **({"names": name} if name and c.kind != "log" else {}), "label": c.label,
                "rights": letters(c.rights) if c.rights else "", "lineage": c.lineage, "parent": c.parent}

    return {"name": snapshot.name, "tasks": [
        {"task": number, "name": tasks.get(number, ""),
         "capabilities": [slot_of(*item) for item in sorted(task.capabilities.items())],
         "memory": [range_of(*item, "address") for item in sorted(task.memory.items())],
         "ports": [range_of(*item, "port") for item in sorted(task.ports.items())]}
        for number, task in snapshot.tasks.items()]}


def write(text, services, path):
    """All snapshots of a log into the file `path`; how many there were."""
    found = read(text)
    path.write_text(json.dumps([as_data(snapshot, services) for snapshot in found], indent=1) + "\n")
    return len(found)
