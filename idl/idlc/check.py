# SPDX-License-Identifier: BSD-2-Clause
"""check.py: what a contract may not say. check_server.py does the same for servers, together.py over several files.

Every problem is one sentence about what is wrong and one about what to do. Names are resolved and messages laid out
already."""
from collections import Counter

from idlc import check_server
from idlc.c_text import KEYWORDS
from idlc.model import ITEMS_MAX, LIBRARY_METHODS, RIGHTS, WORDS_MAX

KERNEL_PROTOCOLS = 0x100            # protocols below are the kernel's
KERNEL_CALLS = (0xa, 0xb)           # abi/object.h: pager and exception, interfaces of servers that the kernel calls
PROTOCOLS = 1 << 24                 # a tag has 24 bits for it
ERRORS = 256
EVENTS = 64
KERNEL_KINDS = ("factory", "task", "thread", "gate", "irq", "reply", "sched", "debug",
                "log")   # enum l4_kind: known everywhere
FLEXPAGES = ("r", "w", "x", "rw", "rx", "rwx", "io")


def check(unit):
    if unit.interface is None and unit.server is None and not unit.errors:
        unit.problem(1, "it holds neither an interface nor a server",
                     "write `interface NAME protocol NUMBER version 1;`")
    declarations(unit)
    errors(unit, unit.errors, "an interface's own are above 0 in C, 0 is success; write 1 to 255, which stand for -1 to -255")
    if unit.interface:
        interface(unit, unit.interface)
    if unit.server:
        check_server.check(unit, unit.server)


def listed(names, none="none"):
    return ", ".join(names) or none


PREFIXED = ("const", "type", "member", "error", "event")     # in C these have the interface's name in front


def distinct(unit, things, what):
    """No two of `things` (with name and line) have one name, and no bare name is a word of C."""
    seen = {}
    for thing in things:
        if thing.name in seen:
            unit.problem(thing.line, f"{what} `{thing.name}` is already in line {seen[thing.name]}",
                         "give one of them another name")
        if thing.name in KEYWORDS and what not in PREFIXED:
            unit.problem(thing.line, f"`{thing.name}` is a word of C", f"call it `{thing.name}_` or better")
        seen.setdefault(thing.name, thing.line)


# ---------------------------------------------------------------- consts, enums, structs
def declarations(unit):
    distinct(unit, unit.consts, "const")
    distinct(unit, [*unit.enums, *unit.structs], "type")
    for enum in unit.enums:
        distinct(unit, enum.members, "member")
        values = {}
        for member in enum.members:
            if member.value in values:
                unit.problem(member.line, f"`{values[member.value]}` and `{member.name}` are both {member.value}",
                             "give one another value")
            if member.value >= 1 << 31:
                unit.problem(member.line, f"`{member.name}` = {member.value} does not fit an enum",
                             f"write at most {(1 << 31) - 1}")
            values.setdefault(member.value, member.name)
    for struct in unit.structs:
        if not struct.fields:
            unit.problem(struct.line, f"struct `{struct.name}` is empty", "delete it, or give it a field")
        distinct(unit, struct.fields, "field")
        for field in struct.fields:
            field_type(unit, field, f"struct `{struct.name}`")
    one_c_name(unit)


def field_type(unit, field, where):
    """Types that can lie in memory; `where` is a struct."""
    if field.was:
        unit.problem(field.line, f"`{field.name} was {field.was}` stands in {where}",
                     "only the state has versions before")
    if field.type.window:
        unit.problem(field.line, f"`{field.name}` is `window` inside {where}", "only a parameter travels in the window")
    elif field.type.is_item:
        unit.problem(field.line, f"`{field.name}` is a {noun(field.type)} inside {where}",
                     "make it a parameter of its own")
    elif field.type.kind == "ref":
        unit.problem(field.line, f"`{field.name}` would send a ref to another task", "send a u32 and look it up")
    elif field.type.kind in ("string", "bytes") and field.dim is None:
        unit.problem(field.line, f"`{field.name}` has no size", f"write its size: {field.name}[256]")


def noun(type):
    return "capability" if type.kind == "cap" else "flexpage"


def one_c_name(unit):
    """Consts, errors and enum members of one owner share a prefix in C."""
    face = unit.interface
    named = [(c.c_name, c.name, c.line) for c in unit.consts]
    named += [(e.member_c_name(m), m.name, m.line) for e in unit.enums for m in e.members]
    if face:
        named += [(f"{face.name}_{e.name}".upper(), e.name, e.line) for e in face.errors]
        named += [(f"{face.name}_METHOD_{m.name}".upper(), m.name, m.line) for m in face.methods]
        named += [(f"{face.name}_EVENT_{e.name}".upper(), e.name, e.line) for e in face.events]
        named += [(f"{face.name}_{word}".upper(), word, face.line) for word in ("protocol", "version")]
    seen = {}
    for c_name, name, line in sorted(named, key=lambda row: row[2]):
        if c_name in seen and seen[c_name][1] != line:
            other, at = seen[c_name]
            unit.problem(line, f"`{name}` and `{other}` of line {at} would both be {c_name} in C",
                         "give one of them another name")
        seen.setdefault(c_name, (name, line))


# ---------------------------------------------------------------- the contract
def interface(unit, face):
    if face.name != unit.name:
        unit.problem(face.line, f"interface `{face.name}` lies in {unit.file}",
                     f"one idea a file: call the file {face.name}.idl")
    if not face.doc:
        unit.problem(face.line, f"interface `{face.name}` has no doc comment",
                     "say above it, after ///, what one capability of it stands for")
    if face.version < 1:
        unit.problem(face.line, "versions begin at 1", "write `version 1`")
    protocol(unit, face)
    names = errors(unit, face.errors, "below 0 is the system's; 0 is success; write 1 to 255")
    if face.poison and face.poison not in names:
        unit.problem(face.poison_line, f"poison names no error: `{face.poison}`", f"name one of: {listed(names)}")
    distinct(unit, face.methods, "method")
    distinct(unit, face.events, "event")
    numbers(unit, face)
    bits = Counter(event.bit for event in face.events)
    for event in face.events:
        if event.bit >= EVENTS:
            unit.problem(event.line, f"event bit {event.bit} is outside 0 to {EVENTS - 1}", "an event word has 64 bits")
        elif bits[event.bit] > 1:
            unit.problem(event.line, f"event bit {event.bit} has two names", "give each event its own bit")
    for method in face.methods:
        check_method(unit, face, method)


def protocol(unit, face):
    if not 0 < face.protocol < PROTOCOLS:
        unit.problem(face.line, f"protocol 0x{face.protocol:x} is outside 0x1 to 0x{PROTOCOLS - 1:x}",
                     "a tag has 24 bits for it: your own begin at 0x1000")
    elif face.kernel and face.protocol >= KERNEL_PROTOCOLS:
        unit.problem(face.line, f"kernel interface `{face.name}` has protocol 0x{face.protocol:x}",
                     "kernel objects have 0x1 to 0xff; leave out `kernel` for a server")
    elif not face.kernel and face.protocol < KERNEL_PROTOCOLS and face.protocol not in KERNEL_CALLS:
        unit.problem(face.line, f"protocol 0x{face.protocol:x} is one of the kernel's",
                     "take one from 0x100 on: 0x200 personality, 0x500 drivers, 0x1000 yours")


def errors(unit, listed_errors, fix):
    """Their names."""
    distinct(unit, listed_errors, "error")
    values = {}
    for error in listed_errors:
        if not 0 < error.value < ERRORS:
            unit.problem(error.line, f"error `{error.name}` = {error.value} is outside 1 to {ERRORS - 1}", fix)
        if error.value in values:
            unit.problem(error.line, f"`{values[error.value]}` and `{error.name}` are both error {error.value}",
                         "give one of them another number")
        values.setdefault(error.value, error.name)
    return list(values.values())


def numbers(unit, face):
    used = [m.number for m in face.methods]
    free = next(n for n in range(1, 1 << 16) if n > max([0,
                                                         *(n for n in (*used, *face.retired) if n < LIBRARY_METHODS)]))
    seen = {}
    for method in face.methods:
        if method.number in face.retired:
            unit.problem(method.line, f"method number {method.number} is retired", f"numbers are for ever; take {free}")
        if method.number in seen:
            unit.problem(method.line, f"`{seen[method.number]}` and `{method.name}` are both number {method.number}",
                         f"numbers are for ever; take {free}")
        if not 0 < method.number < LIBRARY_METHODS:
            unit.problem(method.line, f"method number {method.number} is outside 1 to {LIBRARY_METHODS - 1}",
                         "240 to 255 are libl4's own (describe, subscribe, cancel, forget)")
        seen.setdefault(method.number, method.name)


def check_method(unit, face, method):
    line = method.line
    if method.since < 1:
        unit.problem(line, f"`{method.name}` is since version {method.since}", "versions begin at 1")
    elif method.since > face.version:
        unit.problem(line, f"`{method.name}` is since version {method.since}, the interface is version {face.version}",
                     f"write `version {method.since}` in line {face.line}")
    rights(unit, line, method.needs, f"`{method.name}` needs")
    if face.kernel:
        kernel_method(unit, method)
    elif method.served:
        unit.problem(line, f"`{method.name}` is served `as {method.served[0]}`, and this is no kernel interface",
                     "delete `as`: a server's ops have the names of its methods")
    if method.word == "replay" and not has_key(method):
        unit.problem(line, f"`{method.name}` is replay and has no key",
                     "let its first parameter be a number that the client picks")
    distinct(unit, [*method.ins, *method.outs], "parameter")
    for way, params in (("there", method.ins), ("back", method.outs)):
        for param in params:
            parameter(unit, face, method, param, way)
        words = method.words_in if way == "there" else method.words_out
        items = method.items_in if way == "there" else method.items_out
        if words > WORDS_MAX:
            unit.problem(line, f"`{method.name}` needs {words} words {way}, a message has {WORDS_MAX}",
                         "write `window` before the longest string or bytes parameter")
        if items > ITEMS_MAX:
            unit.problem(line, f"`{method.name}` moves {items} items {way}, a message has {ITEMS_MAX}",
                         "make two methods of it")
    kinds = Counter("cap" if p.type.kind == "cap" else p.type.rights == "io" for p in method.outs if p.item is not None)
    if any(count > 1 for count in kinds.values()):
        unit.problem(line, f"`{method.name}` answers with more than one item of a kind",
                     "a caller names one place for each kind: make two methods of it")


def has_key(method):
    """Whether the first parameter of a replay method is a number."""
    return bool(method.ins) and not method.ins[0].is_sequence and method.ins[0].type.kind in ("int", "enum", "bool")


def kernel_method(unit, method):
    if method.word != "retry":
        unit.problem(method.line, f"`{method.name}` is {method.word}, but the kernel remembers no answers",
                     "make doing it again harmless and write retry")
    if method.parks:
        unit.problem(method.line, f"`{method.name}` parks, but a kernel object answers at once",
                     "delete `parks`, or let a server wait")
    for param in (*method.ins, *method.outs):
        if param.type.window:
            unit.problem(param.line, f"`{param.name}` is `window`, and the kernel shares no window with its callers",
                         "bound it so that it fits a message")
    for param in method.outs:
        if param.type.is_item:
            unit.problem(param.line, f"`{method.name}` answers with a {noun(param.type)}",
                         "let the caller name the slot or address where it shall go")


def parameter(unit, face, method, param, way):
    kind, line = param.type.kind, param.line
    if kind == "ref":
        unit.problem(line, f"`{param.name}` would send a ref to another task", "send a u32 and look it up")
    elif param.dim is None and (param.type.window or kind in ("string", "bytes", "map", "grant")):
        unit.problem(line, f"`{param.name}` has no bound", f"write the most that can come: {param.name}[256]")
    elif kind == "cap":
        capability(unit, face, param)
    elif kind in ("map", "grant"):
        if param.type.rights not in FLEXPAGES:
            unit.problem(line, f"`{param.type.rights}` are no rights of a flexpage",
                         f"write one of: {listed(FLEXPAGES)}")
        if method.word == "once" and way == "back":
            unit.problem(line,
                         f"`{method.name}` is once and answers with memory, which a remembered answer cannot hold",
                         "make it retry (map again what is mapped), or let keeper map it")


def capability(unit, face, param):
    rights(unit, param.line, param.type.rights, f"`{param.name}` has")
    if param.dim is not None:
        unit.problem(param.line, f"`{param.name}` is an array of capabilities", "make each a parameter of its own")
    name = param.type.name
    known = {face.name, *unit.imports, *KERNEL_KINDS}
    if name not in known and not unit.neighbour(name).exists():
        unit.problem(param.line, f"`{param.name}` is a capability of `{name}`, and there is no such interface",
                     f"write {unit.neighbour(name)}, or mend the name")


def rights(unit, line, letters, what):
    wrong = [letter for letter in letters if letter not in RIGHTS]
    if wrong:
        unit.problem(line, f"{what} `{letters}`, and `{wrong[0]}` is no right",
                     f"rights are {listed(RIGHTS)} (abi/object.h)")
    elif len(set(letters)) < len(letters):
        unit.problem(line, f"{what} `{letters}`, which names a right twice", "write each letter once")
