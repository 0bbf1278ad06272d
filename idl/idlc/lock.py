# SPDX-License-Identifier: BSD-2-Clause
"""lock.py: interfaces.lock, what every version has promised so far, and the check against it.

A line a fact, sorted, words separated by spaces; the first two are always the interface and its protocol:
    pipe 0x210 version 2
    pipe 0x210 method 2 once write (u32, window bytes[4096]) -> (u32) needs W parks
    pipe 0x210 error 1 bad_end          also: event 0 readable, enum side 0 reader, retired 7
Types are written out down to integers, so a changed field of a struct shows; names of parameters may change. It is the
golden file of all contracts, and the name table for traces.

Compatible under a higher version: a new method, error, event or enum member; a new doc or name; a dropped `needs`."""
from dataclasses import dataclass

from idlc.model import Problem

HEADER = "# SPDX-License-Identifier: BSD-2-Clause\n# Written by `idlc freeze`; one line a promise. Only idlc edits it.\n"


# ---------------------------------------------------------------- writing
def lines(unit):
    """The promises of one unit's interface."""
    face = unit.interface
    head = f"{face.name} 0x{face.protocol:x}"
    out = [f"{head} version {face.version}"]
    out += [f"{head} method {m.number} {m.word} {m.name} {signature(m)}" for m in face.methods]
    out += [f"{head} error {e.value} {e.name}" for e in face.errors]
    out += [f"{head} event {e.bit} {e.name}" for e in face.events]
    out += [f"{head} enum {e.name} {m.value} {m.name}" for e in unit.owned("enums", face.name) for m in e.members]
    out += [f"{head} retired {n}" for n in face.retired]
    return sorted(out, key=order)


def order(line):
    """By protocol, then version, methods, the rest; numbers as numbers."""
    words = line.split()
    kinds = ["version", "method", "retired", "error", "event", "enum"]
    return (int(words[1], 16), kinds.index(words[2]),
            [(0, int(w), "") if w.isdigit() else (1, 0, w) for w in words[3:6]])


def signature(method):
    ways = " -> ".join("(" + ", ".join(parameter(p) for p in side) + ")" for side in (method.ins, method.outs))
    needs = f" needs {''.join(sorted(method.needs))}" if method.needs else ""
    return ways + needs + (" parks" if method.parks else "")


def parameter(p):
    return written(p.type) + (f"[{p.count}]" if p.count else "")


def written(type):
    if type.kind == "struct":
        return "{" + "; ".join(written(f.type) + (f"[{f.count}]" if f.count else "") for f in type.decl.fields) + "}"
    if type.kind == "cap":
        return f"cap {type.name}" + (f":{''.join(sorted(type.rights))}" if type.rights else "")
    if type.kind in ("map", "grant"):
        return f"{type.kind} {type.rights}"
    if type.kind == "enum":
        return ("window " if type.window else "") + f"enum {type.name}"
    return ("window " if type.window else "") + type.name


# ---------------------------------------------------------------- reading
@dataclass
class Promise:
    """A frozen method."""
    number: int
    word: str
    name: str
    text: str           # signature without needs and parks
    needs: str
    parks: bool
    shown: str


class Lock:
    """The promises of one interface."""

    def __init__(self, name):
        self.name, self.protocol, self.version = name, 0, 0
        self.methods, self.retired, self.members = {}, set(), {}        # members: (kind, enum, value) -> name

    def add(self, words, line):
        kind = words[2]
        self.protocol = int(words[1], 16)
        if kind == "version":
            self.version = int(words[3])
        elif kind == "method":
            promise = read_method(line)
            self.methods[promise.number] = promise
        elif kind == "retired":
            self.retired.add(int(words[3]))
        elif kind == "enum":
            self.members[kind, words[3], int(words[4])] = words[5]
        else:
            self.members[kind, "", int(words[3])] = words[4]


def read_method(line):
    _, _, _, number, word, name, rest = line.split(" ", 6)
    return promise(int(number), word, name, rest)


def promise(number, word, name, rest):
    text, parks = (rest[:-len(" parks")], True) if rest.endswith(" parks") else (rest, False)
    text, _, needs = text.partition(" needs ")
    return Promise(number, word, name, text, needs, parks, f"{word} {name} {rest}")


def read(text):
    """name -> Lock."""
    locks = {}
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            words = line.split()
            locks.setdefault(words[0], Lock(words[0])).add(words, line)
    return locks


# ---------------------------------------------------------------- comparing
def problems(unit, lock):
    """What `unit` breaks of what `lock` promises."""
    out, face = [], unit.interface

    def problem(line, what, fix):
        out.append(Problem(unit.path, line, what, fix))
    if face.protocol != lock.protocol:
        problem(face.line,
                f"protocol 0x{face.protocol:x} is not what version {lock.version} froze (0x{lock.protocol:x})", 
                f"write `protocol 0x{lock.protocol:x}`: clients know it by this number")
    if face.version < lock.version:
        problem(face.line, f"version {face.version} is older than the frozen version {lock.version}",
                f"write `version {lock.version}` or higher")
    compare_methods(face, lock, problem)
    compare_members(unit, face, lock, problem)
    if face.version == lock.version and not out and adds(unit, lock):
        problem(face.line, f"there is something new, but the version is still {face.version}: {adds(unit, lock)}",
                f"write `version {face.version + 1}`")
    return out


def compare_methods(face, lock, problem):
    for number, old in sorted(lock.methods.items()):
        now = next((m for m in face.methods if m.number == number), None)
        if now is None:
            if number not in face.retired:
                problem(face.line, f"method {number} `{old.name}` of version {lock.version} is gone",
                        f"write `retired {number};`")
            continue
        new = promise(number, now.word, now.name, signature(now))
        if (old.word, old.text, old.parks) != (new.word, new.text, new.parks) or set(new.needs) - set(old.needs):
            problem(now.line,
                    f"method {number} is not what version {lock.version} froze (was {old.shown}, now {new.shown})", 
                    f"leave it as it was and add a method, `since {lock.version + 1}`")
    for number in sorted(lock.retired - set(face.retired)):
        problem(face.line, f"method number {number} was retired by version {lock.version}",
                f"write `retired {number};` again")
    for method in face.methods:
        if method.number not in lock.methods and method.since <= lock.version < face.version:
            problem(method.line, f"`{method.name}` is not in the frozen version {lock.version}",
                    f"write `since {face.version}`")


def current_members(unit, face):
    out = {("error", "", e.value): (e.name, e.line) for e in face.errors}
    out.update({("event", "", e.bit): (e.name, e.line) for e in face.events})
    out.update({("enum", e.name, m.value): (m.name, m.line) for e in unit.owned("enums", face.name) for m in e.members})
    return out


def compare_members(unit, face, lock, problem):
    now = current_members(unit, face)
    enums = {e.name for e in unit.owned("enums", face.name)}
    for (kind, enum, value), name in sorted(lock.members.items()):
        if kind == "enum" and enum not in enums:
            continue                    # renamed or unused: whoever used it shows in a method
        if (kind, enum, value) not in now:
            what = f"{kind} `{name}` = {value}" + (f" of enum `{enum}`" if enum else "")
            problem(face.line, f"{what} of version {lock.version} is gone", "numbers are for ever: leave it, unused")


def adds(unit, lock):
    """The first thing that the lock does not know, "" if there is none."""
    face = unit.interface
    for method in face.methods:
        if method.number not in lock.methods:
            return f"method `{method.name}`"
        if set(lock.methods[method.number].needs) - set(method.needs):
            return f"`{method.name}` needs less"
    for (kind, enum, value), (name, _) in current_members(unit, face).items():
        if (kind, enum, value) not in lock.members:
            return f"{kind} `{name}`"
    if set(face.retired) - lock.retired:
        return f"retired {min(set(face.retired) - lock.retired)}"
    return ""
