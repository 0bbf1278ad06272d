# SPDX-License-Identifier: BSD-2-Clause
"""syntax.py: the manifest's lines as data. Judges words, not meanings: those are check.py's.

Every statement keeps its line, so that whoever finds a fault later can name it."""
import re
from dataclasses import dataclass, field
from pathlib import Path

RIGHTS = {"R": 1, "W": 2, "X": 4, "O": 8, "I": 16}
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
NAME = re.compile(r"[a-z][a-z0-9_-]*$")
NAME_MOST = 15          # keeper.idl: names of 16 bytes with their zero
ARGUMENTS_MOST = 255    # manifest.h


@dataclass(order=True)
class Problem:
    """Prints as `file:line: problem`, then `fix: …`."""
    path: str
    line: int
    what: str
    fix: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}\n    fix: {self.fix}"


@dataclass
class Door:
    service: str
    rights: int
    name: str
    downward: bool
    line: int
    slot: int = 0           # check.py fills in the rest
    label: int = 0
    event: int = 0


@dataclass
class Ports:
    first: int
    count: int
    line: int


@dataclass
class Line:
    number: int
    level: bool
    name: str
    line: int
    slot: int = 0
    label: int = 0


@dataclass
class Service:
    name: str
    line: int
    program: str = ""
    server: str = ""
    priority: int = 20
    memory: int = 512 << 10
    objects: int = 256 << 10
    share: int = 0          # of kernel memory, in hundredths, beside `objects`
    heartbeat: int = 0
    budget: int = 100       # of the CPU, in hundredths, in each period
    period: int = 10        # milliseconds
    boot: bool = False
    watcher: bool = False
    ask: bool = False
    down: bool = False
    fpu: bool = False
    debug: int = 0
    monitors: str = ""     # the service each message to which comes here first
    arguments: str = ""
    doors: list[Door] = field(default_factory=list)
    ports: list[Ports] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    at: dict[str, int] = field(default_factory=dict)     # setting -> line
    rank: int = 0

    def where(self, setting):
        return self.at.get(setting, self.line)


@dataclass
class System:
    path: str
    name: str = ""
    memory: int = 48 << 20          # of all services together, and what the smallest machine has for the kernel's objects
    objects: int = 16 << 20
    at: dict[str, int] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, line, what, fix):
        self.problems.append(Problem(self.path, line, what, fix))

    def service(self, name):
        return next((s for s in self.services if s.name == name), None)


class Refused(Exception):
    """A statement that cannot be understood: what, fix."""


def number(word, most, what):
    match = re.match(r"(0x[0-9a-fA-F]+|[0-9]+)([KMG]?)$", word)
    if not match:
        raise Refused(f"`{word}` is no number", f"write {what} as decimal or 0x…, perhaps with K, M or G")
    value = int(match[1], 0) * UNITS[match[2]]
    if value > most:
        raise Refused(f"{what} is {word}, more than {most:#x}", f"write at most {most:#x}")
    return value


def objects(words):
    """SIZE [+ N%]: bytes and hundredths."""
    match = re.match(r"([^+]+)(?:\+([0-9]+)%)?$", "".join(words))
    if not match:
        raise Refused(f"`{' '.join(words)}` is no share of kernel memory", "write as in: objects 256K, or: objects 256K + 10%")
    share = int(match[2] or 0)
    if share > 100:
        raise Refused(f"{share}% is more than there is", "write at most 100%")
    return number(match[1], 1 << 32, "kernel memory"), share


def name(word, what):
    if not NAME.match(word) or len(word) > NAME_MOST:
        raise Refused(f"`{word}` is no {what}", f"write small letters, digits, - and _, a letter first, at most {NAME_MOST}")
    return word


def rights(word, known=RIGHTS):
    wrong = [letter for letter in word if letter not in known]
    if wrong or len(set(word)) != len(word):
        raise Refused(f"`{word}` is no set of rights", f"write each once of the letters {' '.join(known)}")
    return sum(known[letter] for letter in word)


def debug_rights(word):
    """On a kernel object, which has two more than a door."""
    return rights(word, {**RIGHTS, "M": 32, "C": 64})


def ending(words, flag=None):
    """`[as NAME] [flag]`, in this order -> name or "", whether the flag was there."""
    called, found = "", False
    if words[:1] == ["as"]:
        if len(words) < 2:
            raise Refused("`as` without a name", "write as NAME")
        called, words = words[1], words[2:]
    if flag and words[:1] == [flag]:
        found, words = True, words[1:]
    if words:
        raise Refused(f"I did not expect `{words[0]}`", "leave it out, or see bootstrap/manifest/README.md")
    return called, found


def door(service, words, line):
    if len(words) < 2:
        raise Refused("a door needs a service and rights", "write door SERVICE RIGHTS, as in: door ds RW")
    called, downward = ending(words[2:], "downward")
    service.doors.append(Door(words[0], rights(words[1]), called or words[0], downward, line))


def ports(service, words, line):
    if len(words) != 2:
        raise Refused("ports need the first and how many", "write as in: ports 0x3f8 8")
    service.ports.append(Ports(number(words[0], 0xffff, "a port"), number(words[1], 0x10000, "the count"), line))


def hardware_line(service, words, line):
    if not words:
        raise Refused("a line needs its number", "write as in: line 4")
    level = words[1:2] == ["level"]
    called, _ = ending(words[2 if level else 1:])
    which = number(words[0], 255, "a line")
    service.lines.append(Line(which, level, called or f"line{which}", line))


def defect(service, words, line):
    if words not in (["defect", "ask"], ["defect", "restart"]):
        raise Refused("`at` says what keeper does at a defect", "write at defect ask, or at defect restart")
    service.ask = words[1] == "ask"


def arguments(service, words, line):
    text = " ".join(words)
    if len(text.encode()) > ARGUMENTS_MOST:
        raise Refused(f"the arguments are {len(text.encode())} bytes long", f"write at most {ARGUMENTS_MOST}")
    service.arguments = text


def one(attribute, convert):
    def setting(service, words, line):
        if len(words) != 1:
            raise Refused(f"`{attribute}` takes one word", f"write {attribute} and one word")
        setattr(service, attribute, convert(words[0]))
    return setting


def kernel_memory(service, words, line):
    service.objects, service.share = objects(words)


def budget(service, words, line):
    match = re.fullmatch(r"([0-9]+)% of ([0-9]+)", " ".join(words))
    if not match or not 1 <= int(match[1]) <= 100 or not 1 <= int(match[2]) <= 10000:
        raise Refused(f"`{' '.join(words)}` is no budget", "write 1 to 100 hundredths of 1 to 10000 milliseconds, as in: budget 20% of 10")
    service.budget, service.period = int(match[1]), int(match[2])


def flag(attribute):
    def setting(service, words, line):
        if words:
            raise Refused(f"`{attribute}` stands alone", f"write {attribute} on a line of its own")
        setattr(service, attribute, True)
    return setting


MANY = {"door": door, "ports": ports, "line": hardware_line}
ONCE = {
    "program": one("program", lambda w: name(w, "program")),
    "server": one("server", lambda w: w),
    "priority": one("priority", lambda w: number(w, 63, "a priority")),
    "memory": one("memory", lambda w: number(w, 1 << 40, "memory")),
    "objects": kernel_memory,
    "budget": budget,
    "heartbeat": one("heartbeat", lambda w: number(w, 60000, "a period in milliseconds")),
    "boot": flag("boot"), "watcher": flag("watcher"), "down": flag("down"), "fpu": flag("fpu"),
    "monitors": one("monitors", lambda w: name(w, "service's name")),
    "at": defect, "arguments": arguments, "debug": one("debug", debug_rights),
}


def setting(system, service, words, line):
    keyword = words[0]
    if keyword in MANY:
        MANY[keyword](service, words[1:], line)
        return
    if keyword not in ONCE:
        raise Refused(f"there is no setting `{keyword}`", "settings: " + ", ".join(sorted({**MANY, **ONCE})))
    if keyword in service.at:
        raise Refused(f"`{keyword}` is said twice, first in line {service.at[keyword]}", "leave one of them out")
    service.at[keyword] = line
    ONCE[keyword](service, words[1:], line)


def statement(system, words, line, indented):
    """One line. Settings belong to the service above."""
    if words[0] == "system" and not indented:
        if system.name:
            raise Refused("the system has its name already", "leave this line out")
        if len(words) != 2:
            raise Refused("`system` takes a name", "write as in: system default")
        system.name = name(words[1], "system's name")
    elif words[0] == "service" and not indented:
        if len(words) != 2:
            raise Refused("`service` takes a name", "write as in: service serial")
        called = name(words[1], "service's name")
        first = system.service(called)
        system.services.append(Service(called, line, program=called))
        if first:
            raise Refused(f"there are two services `{called}`, the first in line {first.line}", "give one another name")
        if called == "keeper":
            raise Refused("keeper is no service: it is the root task", "leave the block out; doors to keeper need none")
    elif not indented:
        raise Refused(f"`{words[0]}` begins no block", "begin with `service NAME`, and indent its settings")
    elif system.services:
        setting(system, system.services[-1], words, line)
    elif words[0] in ("memory", "objects") and len(words) == 2:
        setattr(system, words[0], number(words[1], 1 << 40, words[0]))
        system.at[words[0]] = line
    else:
        raise Refused(f"`{words[0]}` belongs to no service", "put it below a `service NAME`")


def read(path, text=None):
    """The system that the file at `path` describes; look at its problems before using it."""
    system = System(str(path))
    text = Path(path).read_text() if text is None else text
    for line, row in enumerate(text.splitlines(), 1):
        words = row.split("#", 1)[0].split()
        if not words:
            continue
        try:
            statement(system, words, line, row[0].isspace())
        except Refused as refused:
            system.problem(line, *refused.args)
    if not system.name:
        system.problem(1, "the system has no name", "write `system NAME` at the top")
    return system
