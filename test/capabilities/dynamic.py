# SPDX-License-Identifier: BSD-2-Clause
"""dynamic.py: what is granted while the system runs, by rule. The manifest grants the rest.

Keeper alone gives these capabilities, and vm, by the task `frames`, the pages of processes and of files. The rules are those of
docs/personality.md ("A Linux process as a task", "What pm asks of keeper", "What vm has"), idl/interfaces/process.idl, vm.idl and fs.idl
and boot/frames.h. Who is alive is read from keeper's slots, and judged by the test that knows what it has started.

A place p is a process's task: 2 * index of its label + 0 or 1. A thread t is one of its 4. A client c has index i at vm."""
from dataclasses import dataclass, field
from typing import Callable

from axo.snapshot import (BOOT_LOG, FRAMES, GATE, PAGE, PLACE_DOOR, PLACE_IRQ, PLACE_TASK, PLACE_THREAD, PLACE_THREADS, PLACES, PROCESSES,
                          TASK, object_slot, place_slot)

R, W, X, O, I, M, C = 1, 2, 4, 8, 16, 32, 64
ALL = 127
DOORS = ("pm", "vm", "vfs")                         # of a process, slots 1, 2, 3

# ---- capabilities ----
@dataclass(frozen=True)
class Rule:
    """`holder` has in `slot` a capability of `kind` with `rights`, derived from keeper's slot `source` (None: a root of keeper's own),
    once for each of `each`: "place", "thread", "client", or if the manifest has the service so named. Slots may depend on p and t, or on
    i and n: the client's number."""
    holder: str
    slot: Callable
    kind: str
    rights: int
    source: Callable
    each: str
    what: str


RULES = [
    # holder     slot                              kind       rights     keeper's slot                              for each  what it is
    Rule("keeper", lambda: FRAMES,                   "task",    ALL,       None,                                      "vm",     "the task `frames`"),
    Rule("keeper", lambda: PROCESSES,                "factory", ALL,       None,                                      "pm",     "the factory of processes"),
    Rule("keeper", lambda p: place_slot(p, PLACE_TASK), "task", ALL,       None,                                      "place",  "task of place {p}"),
    Rule("keeper", lambda p, t: place_slot(p, PLACE_THREAD + t), "thread", ALL, None,                                 "thread", "thread {t} of place {p}"),
    Rule("keeper", lambda p, t: place_slot(p, PLACE_IRQ + t), "irq", ALL,  None,                                      "thread", "irq {t} of place {p}"),
    Rule("vm",     lambda: 800,                      "task",    O | I,     lambda: FRAMES,                            "vm",     "the task `frames`"),
    Rule("vm",     lambda p: 4096 + p,               "task",    O | I,     lambda p: place_slot(p, PLACE_TASK),       "place",  "task of place {p}"),
    Rule("vm",     lambda i, n: 4096 + i,            "task",    O | I,     lambda i, n: object_slot(n, TASK),         "client", "task of its client {i}"),
    Rule("pm",     lambda p, t: 4096 + 4 * p + t,    "thread",  R | W | C, lambda p, t: place_slot(p, PLACE_THREAD + t), "thread", "thread {t} of place {p}"),
    Rule("process", lambda p: 4,                     "log",     W,         lambda p: BOOT_LOG,                        "place",  "the kernel's log"),
    Rule("process", lambda p, t: 8 + 4 * t,          "thread",  W,         lambda p, t: place_slot(p, PLACE_THREAD + t), "thread", "its thread {t}"),
    Rule("process", lambda p, t: 9 + 4 * t,          "irq",     R | W,     lambda p, t: place_slot(p, PLACE_IRQ + t), "thread", "its irq {t}"),
]
# A process's doors, in its slots and in keeper's; the label is the process's, its index p, the same in all three.
DOOR_RIGHTS = W

# ---- memory ----
FRAMES_PAGE, FRAMES_POOL, FRAMES_BASE = 0x3fffe000, 0x40400000, 0x100000000     # boot/frames.h
FS_WINDOWS, FS_FILES, FS_FILES_END = 0x50000000, 0x100000000, 0x2000000000 - (1 << 32)
WINDOW = 16 << 10                                   # fs.idl; vfs's window of index (client, thread)
KEEPER_VIEW, KEEPER_ARCHIVE = 0x200000000000, 0x400000000000
INFO = 0x7f8000170000                               # in a process: vm.idl
TEXT, DATA, DATA_BYTES, PROGRAM, PROGRAM_BYTES = 0x7f8000000000, 0x7f8000100000, 64 << 10, 0x7f8000200000, 0x400000    # vm.idl
BLOCKS, BLOCK, BLOCK_THREAD, BLOCK_WINDOW, BLOCK_STACK = 0x7f8000180000, 64 << 10, 4 << 10, 16 << 10, 32 << 10
USER, USER_END = 0x10000, 0x7f8000000000
PROCESS_INDEX = 16                                  # vm.idl, PROCESS_FIRST
SPARES = 4                                          # keeper.idl: tasks of processes that ended, kept for others


@dataclass(frozen=True)
class Area:
    """Addresses whose mappings vm directs: each is derived from `frames`, of frames of one of `kinds` ("free": those that vm hands out; a
    member of the archive), with at most `rights`. What vm puts where is its own affair."""
    first: int
    end: int
    rights: int
    kinds: tuple
    what: str


PROCESS_AREAS = [
    Area(USER, USER_END, R | W | X, ("free", "root"), "the program's memory"),
    Area(DATA, DATA + DATA_BYTES, R | W, ("free",), "the runtime's data"),
    Area(PROGRAM, PROGRAM + PROGRAM_BYTES, R | W, ("free",), "the next program's arguments"),
]
THREAD_AREAS = [                                    # in each thread's block
    Area(BLOCK_THREAD, BLOCK_THREAD + PAGE, R | W, ("free",), "a thread's page"),
    Area(BLOCK_STACK, BLOCK, R | W, ("free",), "a thread's runtime stack"),
]
# Of services with R on vm: their memory objects, and what of the root image they have adopted.
FILE_AREAS = [Area(FS_FILES, FS_FILES_END, R | W, ("free", "root"), "its memory objects")]


def pool_most(memory_bytes):
    """The most bytes that vm's tables can take in a machine with so much memory, as frames.h computes them."""
    frames = (memory_bytes + (1 << 30)) // PAGE     # the board may leave a hole below 4 GB
    chunks = 2048
    while chunks < frames / 8:
        chunks *= 2
    return PAGE + 292 * chunks + 8 * frames + PAGE


@dataclass
class Alive:
    """Who is there in one snapshot, from keeper's slots."""
    places: dict = field(default_factory=dict)      # place -> label; 0: a spare place, without a process
    threads: list = field(default_factory=list)     # (place, thread)

    def __init__(self, keeper):
        held = keeper.capabilities
        doors = {p: held.get(place_slot(p, PLACE_DOOR)) for p in range(PLACES) if place_slot(p, PLACE_TASK) in held}
        self.places = {p: door.label if door else 0 for p, door in doors.items()}
        self.threads = [(p, t) for p in range(PLACES) for t in range(PLACE_THREADS) if place_slot(p, PLACE_THREAD + t) in held]

    def each(self, of, clients, numbers):
        """The arguments of a rule's functions for each that is there. `clients`: (index at vm, service number)."""
        several = {"place": [{"p": p} for p in self.places], "thread": [{"p": p, "t": t} for p, t in self.threads],
                   "client": [{"i": i, "n": n} for i, n in clients]}
        return several[of] if of in several else [{}] if of in numbers else []


def slots_of(alive, clients, numbers, give):
    """Call give(holder, slot, kind, rights, source, what, label) for every capability of the rules. `numbers`: of the services."""
    for rule in RULES:
        for at in alive.each(rule.each, clients, numbers):
            holder = f"place {at['p']}" if rule.holder == "process" else rule.holder
            source = rule.source(**at) if rule.source else None
            give(holder, rule.slot(**at), rule.kind, rule.rights, source, rule.what.format(**at), 0)
    for p, label in alive.places.items():
        for k, name in enumerate(DOORS):
            if name in numbers and label:
                gate, door = object_slot(numbers[name], GATE), place_slot(p, PLACE_DOOR + k)
                give("keeper", door, "door", DOOR_RIGHTS, gate, f"door of place {p} to {name}", label)
                give(f"place {p}", 1 + k, "door", DOOR_RIGHTS, door, f"its door to {name}", label)
