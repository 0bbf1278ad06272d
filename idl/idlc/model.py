# SPDX-License-Identifier: BSD-2-Clause
"""model.py: what one interface file says, as plain data.

    from idlc.model import load
    unit = load("idl/interfaces/pipe.idl")      # parsed, laid out, checked; imports are loaded with it
    unit.problems                               # [] or what is wrong with it and its imports; emit nothing then
    unit.interface.methods[0].ins[0].at         # Interface or None
    unit.server.records[0].fields[1].offset     # Server or None

Rules. Names are resolved once, by layout.py and check.py: afterwards `Type.decl` is the Enum, Struct or Record that a
type names, `Step.call` the Method that a step sends, `Op.method` the Method that an op answers. All sizes are bytes
unless the name says words. `line` is the line in `Unit.path` and `doc` the doc comment, lines joined by newlines, "" if
there is none.

Message layout (layout.py fills it in):
    a scalar, an enum or a bool     one word at `at`
    a struct                        `words` words from `at` on, C layout, may straddle the register boundary
    string, bytes, array            the length (bytes; elements for an array) in the word `at`; the contents from word `tail`
                                    on, never before word 4, all reserved; element size `size`, at most `count`
    the same with `window`          the length in the word `at`; the contents at byte `offset` of the caller's window
    cap, map, grant                 the typed item number `item`; in a kernel interface a word at `at`
All fixed words come first, in order, then the tails in order. A message without tails has exactly words_in (words_out)
words. With tails it ends where the contents of the last tail end, at `tail + ceil(length * size / 8)`: the receiver
compares this with the tag's count, so it never reads words that were not sent. Whoever sends clears the rest of the
last word of each tail, and all reserved words of the tails before the last one: nothing old leaks.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Union

RIGHTS = {"R": 1, "W": 2, "X": 4, "O": 8, "I": 16, "M": 32, "C": 64}   # abi/object.h, enum l4_rights
INTEGERS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i8": 1, "i16": 2, "i32": 4, "i64": 8}
WORDS_MAX, ITEMS_MAX, REGISTER_WORDS = 63, 7, 4                        # abi/ipc.h
LIBRARY_METHODS = 240                                                  # methods from here to 255 are libl4's


def rights_mask(letters: str) -> int:
    """The mask of abi/object.h for letters of `needs` or of `cap x:RW`; unknown letters count nothing."""
    return sum(RIGHTS.get(letter, 0) for letter in set(letters))


@dataclass
class Problem:
    """Something wrong with a file. Prints as `file:line: problem`, then `fix: ...`."""
    path: str
    line: int
    what: str
    fix: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}\n    fix: {self.fix}"


# ---------------------------------------------------------------- expressions
@dataclass
class Number:
    value: int


@dataclass
class Name:
    """`x`, `a.b`, `record[index].field`, each perhaps after a `!`."""
    name: str
    index: Optional["Expr"]
    path: list[str]
    negated: bool
    line: int


@dataclass
class Count:
    """`count(record)`: how many are in use."""
    record: str
    line: int


@dataclass
class Group:
    """Parentheses, kept so that C shows what the author wrote."""
    inner: "Expr"


@dataclass
class Binary:
    """Precedence as in C."""
    op: str
    left: "Expr"
    right: "Expr"


Expr = Union[Number, Name, Count, Group, Binary]


# ---------------------------------------------------------------- declarations
@dataclass
class Const:
    name: str
    expr: Expr
    line: int
    doc: str
    owner: str                          # interface or server that it is declared in; its prefix in C
    value: int = 0                      # filled in by layout

    @property
    def c_name(self):
        return f"{self.owner}_{self.name}".upper()


@dataclass
class Member:
    """One name of an enum; an error code (then `ErrorCode`)."""
    name: str
    value: int
    line: int
    doc: str


class ErrorCode(Member):
    pass


@dataclass
class Enum:
    name: str
    members: list[Member]
    line: int
    doc: str
    owner: str

    @property
    def c_name(self):
        return f"{self.owner}_{self.name}"

    def member_c_name(self, member):
        return f"{self.owner}_{member.name}".upper()

    @property
    def highest(self):
        return max(m.value for m in self.members)

    @property
    def dense(self):
        """Whether every value from 0 to the highest is a member: then one compare checks a value."""
        return {m.value for m in self.members} == set(range(self.highest + 1))


@dataclass
class Type:
    """kind: int bool enum struct string bytes cap map grant ref; `unknown` after a problem."""
    kind: str
    name: str                           # u32, side, string; cap: the interface; ref: the record; map: r, rw, rx, io
    line: int
    window: bool = False
    rights: str = ""                    # cap x:RW
    decl: object = None                 # Enum, Struct or Record

    @property
    def is_signed(self):
        return self.kind == "int" and self.name[0] == "i"

    @property
    def is_item(self):
        """Moves an authority: a typed item of a message (a plain word for kernel objects)."""
        return self.kind in ("cap", "map", "grant")

    @property
    def c_name(self):
        """The type in C of one value or element."""
        fixed = {"int": self.name, "bool": "bool", "string": "char", "bytes": "u8", "cap": "cap_t", "map": "u64",
                 "grant": "u64", 
                 "ref": "u32"}
        if self.kind in fixed:
            return fixed[self.kind]
        return f"{self.kind} {self.decl.c_name}"


@dataclass
class Field:
    """A field of a struct, record or op, or a plain word of the state."""
    name: str
    type: Type
    count: int                          # elements of an array or bytes of a string; 0: no array
    line: int
    doc: str
    was: str = ""                       # the name in the version before
    dim: Union[int, str, None] = None   # as written
    offset: int = 0                     # filled in by layout: inside its struct, record or op (C layout)
    size: int = 0                       # of the whole field
    align: int = 1


@dataclass
class Struct:
    name: str
    fields: list[Field]
    line: int
    doc: str
    owner: str
    size: int = 0                       # filled in by layout
    align: int = 1

    @property
    def c_name(self):
        return f"{self.owner}_{self.name}"

    @property
    def words(self):
        return (self.size + 7) // 8


# ---------------------------------------------------------------- the contract
@dataclass
class Param:
    name: str
    type: Type
    count: int                          # the most that can come: bytes, elements; memory for map; 0: one value
    line: int
    dim: Union[int, str, None] = None   # as written; None: no [n]
    at: Optional[int] = None            # first word; the length's word of a sequence; None for a typed item
    words: int = 0                      # fixed words from `at` on
    item: Optional[int] = None          # number of the typed item
    tail: Optional[int] = None          # first word of the contents
    tail_words: int = 0                 # reserved there
    offset: Optional[int] = None        # bytes into the window
    size: int = 0                       # of one value or element

    @property
    def is_sequence(self):
        """Has a length: a string, bytes or an array."""
        return self.type.kind in ("string", "bytes") or (self.count > 0 and not self.type.is_item)

    @property
    def is_text(self):
        return self.type.kind in ("string", "bytes")


@dataclass
class Method:
    number: int
    word: str                           # retry once replay
    name: str
    ins: list[Param]
    outs: list[Param]
    needs: str                          # letters
    parks: bool
    since: int
    line: int
    doc: str
    words_in: int = 0                   # the most, tails included
    words_out: int = 0
    items_in: int = 0
    items_out: int = 0
    window: int = 0                     # bytes of the window that it uses
    served: tuple[str, ...] = ()        # `as make(task)`: by the kernel's handler of that name, for that kind of object

    @property
    def needs_mask(self):
        return rights_mask(self.needs)

    @property
    def tail_in(self):
        """The last tail, whose length decides the length of the request; None: its length is words_in."""
        return next((p for p in reversed(self.ins) if p.tail is not None), None)

    @property
    def tail_out(self):
        return next((p for p in reversed(self.outs) if p.tail is not None), None)

    @property
    def has_session(self):
        """The client's stub takes a session instead of a capability."""
        return self.word == "once" or self.window > 0


@dataclass
class Event:
    bit: int
    name: str
    line: int
    doc: str


@dataclass
class Interface:
    name: str
    protocol: int
    version: int
    kernel: bool
    line: int
    doc: str
    errors: list[ErrorCode] = field(default_factory=list)
    poison: str = ""
    poison_line: int = 0
    methods: list[Method] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    retired: dict[int, int] = field(default_factory=dict)       # number -> line

    def method(self, name):
        return next((m for m in self.methods if m.name == name), None)

    def tag(self, method):
        """Bits 0-31 of a request's tag."""
        return self.protocol << 8 | method.number


# ---------------------------------------------------------------- the server
@dataclass
class Use:
    name: str
    count: int                          # `uses fs[16]`; 0: one
    line: int
    dim: Union[int, str, None] = None
    unit: Optional["Unit"] = None


@dataclass
class Record:
    name: str
    count: int
    fields: list[Field]
    line: int
    doc: str
    dim: Union[int, str, None] = None
    size: int = 0                       # of the declared fields alone, C layout
    align: int = 1

    @property
    def c_name(self):
        return self.name


@dataclass
class List:
    """`list name[per] of of;` one head in each `per`; one in all if `per` is ""."""
    name: str
    per: str
    of: str
    line: int
    doc: str


@dataclass
class Bulk:
    name: str
    type: Type
    dims: list[Union[int, str]]         # a count, or the name of a record: one for each
    line: int
    doc: str
    counts: list[int] = field(default_factory=list)     # the dims as numbers


@dataclass
class Check:
    """invariant or audit."""
    name: str
    audit: bool
    each: str                           # record, "" for the whole state
    expr: Optional[Expr]                # None: `in C`
    line: int
    doc: str


@dataclass
class Wait:
    name: str
    record: str                         # or digits: so many places, numbered from 1
    line: int
    doc: str


@dataclass
class After:
    name: str
    params: list[Param]
    line: int
    doc: str


@dataclass
class Step:
    name: str
    use: str                            # interface it calls
    many: bool                          # `fs[].lookup`: the sender picks one
    method: str
    ways: list[str]                     # steps, "answer" or "done"
    line: int
    doc: str
    unit: Optional["Unit"] = None       # of the interface it calls
    call: Optional[Method] = None


@dataclass
class Op:
    name: str
    count: int
    answers: str                        # method, "" if it answers nobody
    fields: list[Field]
    steps: list[Step]
    line: int
    doc: str
    dim: Union[int, str, None] = None
    method: Optional[Method] = None
    size: int = 0                       # of the declared fields alone
    align: int = 1


@dataclass
class Server:
    name: str
    version: int
    serves: list[str]
    uses: list[Use]
    line: int
    doc: str
    clients: int = 0
    slots: int = 0
    window: int = 0
    words: list[Field] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    lists: list[List] = field(default_factory=list)
    bulks: list[Bulk] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    afters: list[After] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    has_state: bool = False
    served: list["Unit"] = field(default_factory=list)          # units of `serves`, resolved

    def record(self, name):
        return next((r for r in self.records if r.name == name), None)


@dataclass
class Unit:
    """One file."""
    path: str
    problems: list[Problem] = field(default_factory=list)
    imports: dict[str, "Unit"] = field(default_factory=dict)
    import_lines: dict[str, int] = field(default_factory=dict)
    consts: list[Const] = field(default_factory=list)
    enums: list[Enum] = field(default_factory=list)
    structs: list[Struct] = field(default_factory=list)
    errors: list[ErrorCode] = field(default_factory=list)       # the system's; in C each is minus its value
    interface: Optional[Interface] = None
    server: Optional[Server] = None

    @property
    def file(self):
        """The name that generated code cites."""
        return Path(self.path).name

    @property
    def name(self):
        """The file's name without `.idl`."""
        return Path(self.path).stem

    def neighbour(self, name):
        """Where the interface `name` would lie."""
        return Path(self.path).parent / f"{name}.idl"

    def problem(self, line, what, fix):
        self.problems.append(Problem(self.path, line, what, fix))

    def owned(self, kind, owner):
        """consts, enums or structs declared in the interface or server `owner`."""
        return [d for d in getattr(self, kind) if d.owner == owner]

    def find(self, kind, name):
        """A const, enum or struct of this file or of one that it imports."""
        for unit in (self, *self.imports.values()):
            for decl in getattr(unit, kind):
                if decl.name == name and (unit is self or (unit.interface and decl.owner == unit.interface.name)):
                    return decl
        return None


def load(path, cache=None) -> Unit:
    """Parse, lay out and check `path` and what it imports. Never raises for what the file says."""
    from idlc import loader             # late: the loader needs this module
    return loader.load(str(path), {} if cache is None else cache)
