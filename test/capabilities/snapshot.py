# SPDX-License-Identifier: BSD-2-Clause
"""snapshot.py: the lines of capabilities.c as data."""
from dataclasses import dataclass, field

PAGE = 4096
KINDS = ["nothing", "factory", "task", "thread", "gate", "irq", "reply", "sched", "debug", "log"] + ["?"] * 5 + ["door"]
RIGHTS = "RWXOIMC"


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


@dataclass(frozen=True)
class Mapping:
    """Memory: `frame` is the physical address. Ports: the port."""
    frame: int
    rights: int
    parent: int


@dataclass
class Task:
    capabilities: dict = field(default_factory=dict)    # slot -> Capability
    pages: dict = field(default_factory=dict)           # page address -> Mapping
    ports: dict = field(default_factory=dict)           # port -> Mapping
    lineages: dict = field(default_factory=dict)        # lineage of a mapping -> (first frame, one behind the last)


@dataclass
class Snapshot:
    name: str
    tasks: dict = field(default_factory=dict)           # id -> Task
    plant: tuple = ()                                   # service, what, place

    def entry(self, words):
        numbers = [int(word, 16) for word in words[1:]]
        task = self.tasks.setdefault(numbers[0], Task())
        if words[0] == "C":
            _, slot, kind, obj, label, rights, lineage, parent = numbers
            task.capabilities[slot] = Capability(KINDS[kind], obj, label, rights, lineage, parent)
        elif words[0] == "M":
            _, at, order, rights, frame, lineage, parent = numbers
            task.lineages[lineage] = (frame, frame + (1 << order))
            for offset in range(0, 1 << order, PAGE):
                task.pages[at + offset] = Mapping(frame + offset, rights, parent)
        elif words[0] == "P":
            _, port, order, rights, lineage, parent = numbers
            task.lineages[lineage] = (port, port + (1 << order))
            for offset in range(1 << order):
                task.ports[port + offset] = Mapping(port + offset, rights, parent)


def read(text):
    """Every complete snapshot in a log, in order."""
    found, now, plant = [], None, ()
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "plant" and len(words) == 5:
            plant = (words[2], words[3], int(words[4], 16))
        elif words[0] == "snapshot":
            now = Snapshot(line.split(" ", 1)[1], plant=plant)
            plant = ()
        elif words[0] == "end" and now:
            found.append(now)
            now = None
        elif now and words[0] in "TMPC":
            now.entry(words)
    return found
