# SPDX-License-Identifier: BSD-2-Clause
"""parse.py: text of an interface file -> model.Unit, names unresolved and nothing checked but the syntax.

One function a grammar rule, `tree` in, dataclass out. Doc comments are gathered by line: the `///` lines directly above
a thing and the `///` to its right."""
import re
from functools import lru_cache
from pathlib import Path

import lark

from idlc.model import (After, Binary, Bulk, Check, Const, Count, Enum, ErrorCode, Event, Field, Group, Interface, List,
                        Member, 
                        Method, Name, Number, Op, Param, Record, Server, Step, Struct, Type, Unit, Use, Wait, INTEGERS)

U64_MAX = (1 << 64) - 1
DEEPEST = 64            # nested parentheses; a person's file has three
PRECEDENCE = [["||"], ["&&"], ["|"], ["&"], ["==", "!="], ["<", ">", "<=", ">="], ["<<", ">>"], ["+", "-"],
              ["*", "/", "%"]]
PLAIN = {"bool": "bool", "string": "string", "bytes": "bytes", **{name: "int" for name in INTEGERS}}


class Unreadable(Exception):
    """The text is no sentence of the language: (line, problem, fix)."""


@lru_cache(maxsize=1)
def grammar():
    text = (Path(__file__).parent / "grammar.lark").read_text()
    return lark.Lark(text, start="file", parser="lalr", propagate_positions=True, maybe_placeholders=False)


def parse(path: str) -> Unit:
    """The unit of the file `path`; what cannot be read is a problem of the unit."""
    unit = Unit(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
        Reader(unit, text).file(tree_of(text))
    except OSError as error:
        unit.problem(1, f"I cannot read it: {error.strerror.lower()}", "mend the path, or its permissions")
    except UnicodeDecodeError as error:
        unit.problem(1, f"byte {error.start} is not UTF-8 text", "save the file as UTF-8")
    except Unreadable as error:
        unit.problem(*error.args)
    return unit


# ---------------------------------------------------------------- syntax errors in words
def tree_of(text):
    """The parse tree, or Unreadable."""
    depth = 0
    for number, line in enumerate(text.split("\n"), 1):
        for character in line.split("//")[0]:
            depth += (character == "(") - (character == ")")
            if depth > DEEPEST:
                raise Unreadable(number, f"more than {DEEPEST} parentheses are open", "close some")
    last = max(text.rstrip().count("\n") + 1, 1)
    try:
        return grammar().parse(text)
    except lark.exceptions.UnexpectedCharacters as error:
        raise Unreadable(error.line, f"I cannot read {quoted(error.char)} here", wanted(error.allowed)) from None
    except lark.exceptions.UnexpectedToken as error:
        if error.token.type == "$END":
            raise Unreadable(last, "the file ends in the middle of something", wanted(error.expected)) from None
        raise Unreadable(error.line, f"I did not expect {quoted(error.token)} here", wanted(error.expected)) from None


def quoted(text):
    text = str(text).split("\n")[0]
    text = text if len(text) <= 32 else text[:29] + "..."
    return "`" + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text) + "`"


def wanted(terminals):
    """`write a name or ;`, in the order of how telling the words are."""
    words = sorted({spelling(name) for name in terminals or ()} - {None},
                   key=lambda word: (not word.startswith("a"), word))
    if not words:
        return "delete it"
    if len(words) > 8:
        words = words[:8] + ["..."]
    return "write " + (", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0])


@lru_cache(maxsize=None)
def spelling(terminal):
    """What a terminal looks like to a person."""
    special = {"NAME": "a name", "NUM": "a number", "OP": "an operator", "IN_C": "`in C`", "$END": None}
    if terminal in special:
        return special[terminal]
    return next((f"`{t.pattern.value}`" for t in grammar().terminals if t.name == terminal), None)


# ---------------------------------------------------------------- the rules
def named(tree, rule):
    """The children of `tree` made by `rule`."""
    return [c for c in tree.children if isinstance(c, lark.Tree) and c.data == rule]


def first(tree, rule):
    return next(iter(named(tree, rule)), None)


def tokens(tree):
    return [c for c in tree.children if isinstance(c, lark.Token)]


def number(token):
    text = str(token)
    digits, unit = (text[:-1], {"K": 1 << 10, "M": 1 << 20}[text[-1]]) if text[-1] in "KM" else (text, 1)
    digits = digits if digits.startswith("0x") else digits.lstrip("0") or "0"       # 010 is ten
    if len(digits) > 20 or int(digits, 0) * unit > U64_MAX:
        raise Unreadable(token.line, f"{quoted(text)} does not fit 64 bits", f"write at most 0x{U64_MAX:x}")
    return int(digits, 0) * unit


class Reader:
    """Builds the model of one file."""

    def __init__(self, unit, text):
        self.unit = unit
        lines = text.split("\n")
        self.comment, self.alone, self.told = {}, set(), set()
        for at, line in enumerate(lines, 1):
            if found := re.search(r"///[ \t]?(.*)", line):
                self.comment[at] = found.group(1).strip()
                if line.lstrip().startswith("///"):
                    self.alone.add(at)

    def doc(self, line):
        """The doc comment of what begins in `line`. What stands above belongs to the first thing in the line alone."""
        above, at = [], line - 1
        while at in self.alone and line not in self.told:
            above.insert(0, self.comment[at])
            at -= 1
        self.told.add(line)
        right = [self.comment[line]] if line in self.comment and line not in self.alone else []
        return "\n".join(above + right)

    # -- the file
    def file(self, tree):
        for part in tree.children:
            if part.data == "import":
                for token in part.children:
                    if token in self.unit.import_lines:
                        self.unit.problem(token.line, f"`{token}` is imported twice", "delete one of them")
                    self.unit.import_lines.setdefault(str(token), token.line)
            elif part.data == "errors":
                self.unit.errors = [self.member(m, ErrorCode) for m in part.children]
            elif part.data == "interface":
                self.interface(part)
            else:
                self.server(part)

    def declaration(self, tree, owner):
        """Take in a const, enum or struct; False if `tree` is none of them."""
        if tree.data not in ("const", "enum", "struct"):
            return False
        name = tree.children[0]
        where = dict(line=name.line, doc=self.doc(name.line), owner=owner)
        if tree.data == "const":
            self.unit.consts.append(Const(str(name), self.expr(tree.children[1]), **where))
        elif tree.data == "enum":
            self.unit.enums.append(Enum(str(name), [self.member(m, Member, name.line) for m in named(tree, "member")],
                                        **where))
        else:
            self.unit.structs.append(Struct(str(name), self.fields(tree), **where))
        return True

    def member(self, tree, kind=Member, head=0):
        name, value = tree.children
        return kind(str(name), number(value), name.line, self.doc(name.line) if name.line != head else "")

    # -- the contract
    def interface(self, tree):
        name, protocol, version = tokens(tree)
        face = Interface(str(name), number(protocol), number(version), first(tree, "kernel") is not None, name.line,
                         self.doc(tree.meta.line))
        self.unit.interface = face
        for part in tree.children:
            if not isinstance(part, lark.Tree) or part.data == "kernel" or self.declaration(part, face.name):
                continue
            if part.data == "error":
                face.errors += [self.member(m, ErrorCode) for m in part.children]
            elif part.data == "poison":
                if face.poison:
                    self.unit.problem(part.children[0].line, "there are two poison errors", "delete one of them")
                face.poison, face.poison_line = str(part.children[0]), part.children[0].line
            elif part.data == "method":
                face.methods.append(self.method(part))
            elif part.data == "event":
                bit, called = part.children
                face.events.append(Event(number(bit), str(called), bit.line, self.doc(bit.line)))
            else:
                face.retired.update((number(n), n.line) for n in part.children)

    def method(self, tree):
        called, name = tokens(tree)
        ins, outs = (self.params(p) for p in named(tree, "params"))
        needs, since, served = first(tree, "needs"), first(tree, "since"), first(tree, "as")
        return Method(number(called), str(first(tree, "recovery").children[0]), str(name), ins, outs,
                      str(needs.children[0]) if needs else "", first(tree, "parks") is not None,
                      number(since.children[0]) if since else 1, called.line, self.doc(called.line),
                      served=tuple(map(str, served.children)) if served else ())

    def params(self, tree):
        return [self.param(p) for p in tree.children]

    def param(self, tree):
        name = tokens(tree)[0]
        return Param(str(name), self.type(tree.children[0]), 0, name.line, self.dim(first(tree, "dim")))

    def type(self, tree):
        names = tokens(tree)
        name, line = str(names[0]), names[0].line
        if tree.data == "cap":
            return Type("cap", name, line, rights=str(names[1]) if len(names) > 1 else "")
        if tree.data == "flexpage":
            return Type(str(first(tree, "move").children[0]), name, line, rights=name)
        if tree.data == "ref":
            return Type("ref", name, line)
        return Type(PLAIN.get(name, "unknown"), name, line, window=first(tree, "window") is not None)

    def dim(self, tree):
        """A number, a name, or None where nothing is written."""
        if tree is None:
            return None
        token = tree.children[0]
        return number(token) if token.type == "NUM" else str(token)

    def fields(self, tree):
        """The fields of a struct, record or op. Those in the line of its name have no comment of their own."""
        return [f for part in named(tree, "field") for f in self.field(part, tokens(tree)[0].line)]

    def field(self, tree, head=0):
        """One line declares one or several fields of a type."""
        was, kind = first(tree, "was"), first(tree, tree.children[0].data)
        out = []
        for part in named(tree, "declared"):
            name = part.children[0]
            doc = self.doc(name.line) if name.line != head else ""
            out.append(Field(str(name), self.type(kind), 0, name.line, doc,
                             str(was.children[0]) if was else "", self.dim(first(part, "dim"))))
        if was and len(out) > 1:
            self.unit.problem(out[0].line, f"`was {was.children[0]}` stands behind {len(out)} fields",
                              "give each its own line")
        return out

    # -- the server
    def server(self, tree):
        name, version = tokens(tree)
        uses = [Use(str(u.children[0]), 0, u.children[0].line, self.dim(first(u, "dim"))) for u in named(tree, "use")]
        server = Server(str(name), number(version), [str(n) for n in first(tree, "serves").children], uses, name.line,
                        self.doc(tree.meta.line))
        self.unit.server = server
        for part in tree.children:
            if not isinstance(part, lark.Tree) or part.data in ("serves", "use") or self.declaration(part, server.name):
                continue
            if part.data == "state":
                if server.has_state:
                    self.unit.problem(part.meta.line, f"`{server.name}` has two states",
                                      "put both into one `state { ... }`")
                server.has_state = True
                self.state(server, part)
            elif part.data == "wait":
                for called, dim in zip(tokens(part), named(part, "dim")):
                    server.waits.append(Wait(str(called), str(dim.children[0]), called.line, self.doc(called.line)))
            elif part.data == "after":
                called = part.children[0]
                server.afters.append(After(str(called), self.params(part.children[1]), called.line,
                                           self.doc(called.line)))
            else:
                server.ops.append(self.op(part))

    def state(self, server, tree):
        sizes = [number(n) for n in tree.children[0].children] + [0]
        server.clients, server.slots, server.window = sizes[:3]
        for part in tree.children[1:]:
            if part.data == "field":
                server.words += self.field(part)
                continue
            name = next((t for t in tokens(part)), None)
            where = dict(line=name.line, doc=self.doc(name.line)) if name is not None else {}
            if part.data == "record":
                server.records.append(Record(str(name), 0, self.fields(part), dim=self.dim(first(part, "dim")),
                                             **where))
            elif part.data == "list":
                per = first(part, "dim")
                server.lists.append(List(str(name), str(per.children[0]) if per else "", str(tokens(part)[-1]),
                                         **where))
            elif part.data == "bulk":
                server.bulks.append(Bulk(str(name), self.type(part.children[0]),
                                         [self.dim(d) for d in named(part, "dim")], **where))
            else:
                each, expr = first(part, "each"), first(part, "expr")
                server.checks.append(Check(str(name), str(first(part, "when").children[0]) == "audit",
                                           str(each.children[0]) if each else "", self.expr(expr) if expr else None, **where))

    def op(self, tree):
        name, answers = tree.children[0], first(tree, "answers")
        doc = self.doc(name.line)
        return Op(str(name), 0, str(answers.children[0]) if answers else "", self.fields(tree),
                  [self.step(s) for s in named(tree, "step")], name.line, doc, dim=self.dim(first(tree, "dim")))

    def step(self, tree):
        name, use, method, *ways = tokens(tree)
        return Step(str(name), str(use), first(tree, "many") is not None, str(method), [str(w) for w in ways],
                    name.line, 
                    self.doc(name.line))

    # -- expressions
    def expr(self, tree):
        atoms = [self.atom(c) for c in tree.children[::2]]
        return self.climb(atoms, [str(op) for op in tree.children[1::2]], PRECEDENCE)

    def climb(self, atoms, ops, levels):
        """Split at the loosest operator; equals associate to the left."""
        if not ops:
            return atoms[0]
        here = [i for i, op in enumerate(ops) if op in levels[0]]
        if not here:
            return self.climb(atoms, ops, levels[1:])
        out, start = None, 0
        for end in here + [len(ops)]:
            part = self.climb(atoms[start:end + 1], ops[start:end], levels[1:])
            out = part if out is None else Binary(ops[start - 1], out, part)
            start = end + 1
        return out

    def atom(self, tree):
        if tree.data == "number":
            return Number(number(tree.children[0]))
        if tree.data == "group":
            return Group(self.expr(tree.children[0]))
        name, *path = tokens(tree)
        if tree.data == "count":
            return Count(str(name), name.line)
        index = first(tree, "index")
        return Name(str(name), self.expr(index.children[0]) if index else None, [str(p) for p in path],
                    first(tree, "not") is not None, name.line)
