# SPDX-License-Identifier: BSD-2-Clause
"""server.py: emits NAME_server.h, the server half: state, access functions, ops table, dispatcher, schema.

    from idlc.server import server_header
    text = server_header(unit)          # unit.server is not None and unit.problems is empty

The C text is in templates/server*.j2; this file decides names, orders and numbers. server_text.py has the pieces of C that depend
on a single parameter or expression."""
import hashlib
from pathlib import Path

import jinja2

from idlc.model import rights_mask
from idlc.server_text import In, Out, Words, word

TEMPLATES = Path(__file__).parent / "templates"
PARKS_MAX = 1024                # parked requests; more callers than that are refused
ENTRY_WORDS_MAX = 2047          # l4/transaction.h: the most that one log entry holds


def environment():
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(str(TEMPLATES)), trim_blocks=True, lstrip_blocks=True,
                             keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    env.globals.update(word=word)
    return env


def server_header(unit):
    return wrapped(environment().get_template("server.h.j2").render(v=View(unit)))


def wrapped(text):
    """Lines of at most 120 columns: broken after a comma or before an operator, comments between words."""
    out = []
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        while len(line) > 120:
            if line.lstrip().startswith(("/* ", "* ")):
                cut, lead = line.rfind(" ", indent + 4, 118), " " * indent + (" * " if line.lstrip()[0] == "/" else "* ")
            else:
                cuts = [line.rfind(mark, indent + 8, 118) + len(mark) - 1 for mark in (", ", "; ") if mark in line[:118]]
                cuts += [line.rfind(mark, indent + 8, 118) for mark in (" || ", " && ", " /* ", " { ", " : ", " = ")]
                cut, lead = max(cuts), " " * (indent + 4)
            if cut <= indent + 8:
                break
            out.append(line[:cut].rstrip())
            line = lead + line[cut:].lstrip()
        out.append(line)
    return "\n".join(out)


class Table:
    """A record or an op as a table of the state."""

    def __init__(self, view, name, count, fields, line, doc, kind, op=None):
        self.name, self.count, self.fields, self.line, self.doc, self.kind, self.op = name, count, fields, line, doc, kind, op
        server = view.server
        self.links = [l.name for l in server.lists if l.of == name]
        self.heads = [l.name for l in server.lists if l.per == name]
        self.settable = [f for f in fields if not f.count and f.type.kind != "struct"]
        checks = [c for c in server.checks if c.each == name and c.expr is not None]
        self.invariants = [(c, view.words_text.text(c.expr, name)) for c in checks if not c.audit]
        self.audits = [(c, view.words_text.text(c.expr, name)) for c in checks if c.audit]


class MethodView:
    """One method of one served interface."""

    def __init__(self, view, unit, method):
        self.unit, self.m, self.name = unit, method, method.name
        self.once = method.word == "once"
        self.handler = f"{unit.interface.name}_{method.name}" if len(view.served) > 1 else method.name
        self.tag = unit.interface.tag(method)
        state = view.server.name
        window = f"{state}_window((u16)m->label, (u16)m->number)"
        self.window = window if method.window else ""
        copies = bool(view.server.uses)
        self.ins = [In(p, "window") for p in method.ins]
        self.outs = [Out(p, "window", method.words_out if self.once else None, copies) for p in method.outs]
        self.copies = copies
        params = [f"struct {state}_tx tx"] if self.once else []
        params += ["u64 label"] + [q for p in (*self.ins, *self.outs) for q in p.params]
        self.prototype = ", ".join(params)
        args = ["tx"] if self.once else []
        args += ["m->label"] + [a for p in (*self.ins, *self.outs) for a in p.args]
        self.arguments = ", ".join(args)
        self.declares = [d for p in (*self.ins, *self.outs) for d in p.declare]
        self.checks = merge_checks([c for p in self.ins for c in p.checks])
        self.struct_checks = [c for p in self.ins for c in p.struct_checks]
        tail = method.tail_in
        if tail is not None:
            unit_size = 1 if tail.is_text else tail.size
            length = f"{word(tail.at)}" + (f" * {unit_size}" if unit_size > 1 else "")
            self.checks.append(f"l4_tag_words(m->tag) != {tail.tail} + ({length} + 7) / 8")
        self.limits = [l for p in self.outs for l in p.limits]
        self.stores = [s for p in self.outs for s in p.store]
        self.needs = method.needs_mask
        fixed = tail is None
        self.mask = self.needs << 16 | 7 << 6 | (63 if fixed else 0)
        self.want = self.needs << 16 | method.items_in << 6 | (method.words_in if fixed else 0)
        self.reads_in, self.writes_mr = method.words_in > 4, method.words_out > 4
        self.mints = [(p.item, o) for p, o in zip(method.outs, self.outs) if o.mints]
        self.cap_items = [p for p in method.outs if p.item is not None and not (self.once and p.type.kind == "cap")]
        self.takes_caps = any(p.item is not None and p.type.kind == "cap" for p in method.ins)
        self.tails_out = [p for p in method.outs if p.tail is not None]
        self.slot_words = method.words_out + 3 * len(self.mints)

    @property
    def words_out(self):
        """C expression for the words of the answer."""
        tail = self.m.tail_out
        if tail is None:
            return str(self.m.words_out)
        return f"({tail.tail} + ({tail.name}_length * {1 if tail.is_text else tail.size}ul + 7) / 8)"

    def item_hot(self, p):
        """Rights of an answer's typed item, in its `hot` word."""
        return f"0x{rights_mask(p.type.rights or 'R'):x}" if p.type.kind == "cap" else "L4_ITEM_GRANT" if p.type.kind == "grant" else "0"

    def tail_base(self, p):
        """Where the handler wrote the contents of the tail `p`."""
        return f"&slot->word[{p.tail}]" if self.once else f"{p.name}_words" if self.copies else f"&mr[{p.tail}]"


def merge_checks(checks):
    """`a > M`, `b > M` with M all ones become `(a | b) > M`: one compare for all narrow parameters of a width."""
    wide = {}
    rest = []
    for check in checks:
        left, _, right = check.partition(" > ")
        if right in ("0xff", "0xffff", "0xffffffff", "1") and " " not in left:
            wide.setdefault(right, []).append(left)
        else:
            rest.append(check)
    out = [f"({' | '.join(v)}) > {k}" if len(v) > 1 else f"{v[0]} > {k}" for k, v in wide.items()]
    return out + rest


class View:
    """What the templates see."""

    def __init__(self, unit):
        self.unit, self.server = unit, unit.server
        self.name = self.server.name
        self.NAME = self.name.upper()
        self.tx = f"struct {self.name}_tx"
        self.words_text = Words(unit)
        self.served = self.server.served or [unit]
        self.has_state = self.server.has_state
        self.methods = [MethodView(self, u, m) for u in self.served for m in u.interface.methods]
        self.slot_words = max([1] + [m.slot_words for m in self.methods if m.once])
        self.tables = self.make_tables()
        self.checked = [t for t in self.tables if t.kind]
        self.whole = [(c, self.words_text.text(c.expr) if c.expr is not None else None)
                      for c in self.server.checks if not c.each or c.expr is None]
        self.parks = min(PARKS_MAX, max(1, self.server.clients * self.server.slots)) if self.may_park else 1
        self.park_words = max([0] + [m.m.words_in - 4 for m in self.methods if m.m.parks])
        self.uses, self.doors = self.make_uses()
        self.op_bases, self.ops_total = self.make_op_bases()

    @property
    def may_park(self):
        return bool(self.server.waits or self.server.ops)

    def make_tables(self):
        tables = []
        kinds = {c.each for c in self.server.checks if c.each and not c.audit and c.expr is not None}
        for record in self.server.records:
            kind = len(tables) + 1 if record.name in kinds else 0
            tables.append(Table(self, record.name, record.count, record.fields, record.line, record.doc, kind))
        for op in self.server.ops:
            tables.append(Table(self, op.name + "_op", op.count, op.fields, op.line, "", 0, op))
        return tables

    def make_uses(self):
        first, out = 0, []
        for use in self.server.uses:
            out.append((use, first))
            first += max(1, use.count)
        return out, first

    def make_op_bases(self):
        """Index of each kind of op among all ops of the server; 0 is for calls that are no op's."""
        base, out = 1, {}
        for op in self.server.ops:
            out[op.name] = base
            base += op.count
        return out, base

    # ---- ops
    def op_words(self, op):
        return max(1, max(s.call.words_in for s in op.steps))

    def step_use(self, step):
        return next((u, first) for u, first in self.uses if u.name == step.use)

    def step_params(self, step):
        """Parameters of fork_op_send_STEP after the op: as the client's stub takes them."""
        many = ["u32 which"] if step.many else []
        return many + [q for p in step.call.ins for q in In(p, "").params]

    def step_number(self, op, name):
        return [s.name for s in op.steps].index(name) + 1

    def ways(self, op, step):
        mask = 0
        for way in step.ways:
            mask |= 1 if way in ("answer", "done") else 1 << self.step_number(op, way)
        return mask

    def case_params(self, step):
        """What a case is given of the answer, after err."""
        out = []
        for p in step.call.outs:
            if p.is_text:
                out.append(f"struct l4_bytes {p.name}")
            elif p.is_sequence:
                out += [f"const {p.type.c_name} *{p.name}", f"u32 {p.name}_count"]
            elif p.type.kind == "struct":
                out.append(f"const {p.type.c_name} *{p.name}")
            else:
                out.append(f"{p.type.c_name} {p.name}")
        return out

    def answer_params(self, op):
        """What OP_op_answer takes after err."""
        out = []
        for p in op.method.outs:
            if p.is_text:
                out.append(f"struct l4_bytes {p.name}")
            elif p.is_sequence:
                out += [f"const {p.type.c_name} *{p.name}", f"u32 {p.name}_count"]
            elif p.type.kind == "struct":
                out.append(f"const {p.type.c_name} *{p.name}")
            else:
                out.append(f"{p.type.c_name} {p.name}")
        return out

    def params(self, params):
        return [q for p in params for q in In(p, "").params]

    def method_view(self, method):
        return next(m for m in self.methods if m.m is method)

    # ---- schema
    def schema(self):
        """(path, was, place, size, stride, count, inner, flags) of every scalar of the state, in order. Lengths in C."""
        state = f"struct {self.name}_state"
        out = []

        def add(path, was, base, of, fields, stride, count):
            for f in fields:
                name, old = f"{path}{f.name}", f"{was}{f.was or f.name}"
                add_type(name, old if old != name else "", f"{base} + offsetof({of}, {f.name})", f.type, stride, count,
                         f.count or 1)

        def add_type(path, was, base, type, stride, count, inner):
            if type.kind != "struct":
                size = {"string": 1, "bytes": 1, "bool": 1, "enum": 4, "ref": 4}.get(type.kind) or int(type.name[1:]) // 8
                out.append((path, was, base, size, stride, count, inner, int(type.is_signed)))
                return
            for i in range(inner):
                name = path if inner == 1 else f"{path}[{i}]"
                place = base if inner == 1 else f"{base} + {i} * sizeof(struct {type.decl.c_name})"
                add(name + ".", (was or name) + ".", place, f"struct {type.decl.c_name}", type.decl.fields, stride, count)

        add("", "", "0", state, self.server.words, "0", 1)
        for t in self.tables:
            place = f"offsetof({state}, {t.name})"
            size = f"sizeof(struct {t.name})"
            add(t.name + ".", t.name + ".", place, f"struct {t.name}", t.fields, size, t.count)
            if t.op:
                head = [("step", 4), ("words", 4), ("use", 8), ("number", 8), ("tag", 8), ("answers", 8), ("token", 8)]
                for name, bytes_ in head:
                    out.append((f"{t.name}~{name}", "", f"{place} + offsetof(struct l4_op, {name})", bytes_, size, t.count, 1, 0))
                out.append((f"{t.name}~message", "", f"{place} + offsetof(struct {t.name}, message)", 8, size, t.count,
                            self.op_words(t.op), 0))
            for link in t.links:
                for end in ("next", "prev"):
                    out.append((f"{t.name}~{link}_{end}", "", f"{place} + offsetof(struct {t.name}, {link}_{end})", 4, size,
                                t.count, 1, 0))
            for head in t.heads:
                for end in ("first", "last"):
                    out.append((f"{t.name}~{head}_{end}", "", f"{place} + offsetof(struct {t.name}, {head}_{end})", 4, size,
                                t.count, 1, 0))
            out.append((f"{t.name}~next", "", f"offsetof({state}, {t.name}_next)", 4, "4", t.count, 1, 0))
            for name in ("free", "high", "live"):
                out.append((f"{t.name}~{name}", "", f"offsetof({state}, {t.name}_table.{name})", 4, "0", 1, 1, 0))
        for l in self.server.lists:
            if not l.per:
                for end in ("first", "last"):
                    out.append((f"~{l.name}_{end}", "", f"offsetof({state}, {l.name}_{end})", 4, "0", 1, 1, 0))
        for bulk in self.server.bulks:
            size = {"string": 1, "bytes": 1}.get(bulk.type.kind) or int(bulk.type.name[1:]) // 8
            inner = bulk.counts[-1]
            count = bulk.counts[0] if len(bulk.counts) > 1 else 1
            out.append((bulk.name, "", f"offsetof({state}, {bulk.name})", size, f"{inner * size}", count, inner, 2))
        K, N = self.server.clients, self.server.slots
        for name in ("label", "events"):
            out.append((f"~client.{name}", "", f"offsetof({state}, client) + offsetof(struct l4_client, {name})", 8,
                        "sizeof(struct l4_client)", K, 1, 0))
        slot = f"struct {self.name}_slot"
        for name, inner in (("number", 1), ("tag", 1), ("op", 1), ("word", self.slot_words)):
            out.append((f"~slot{N}.{name}", "", f"offsetof({state}, slot) + offsetof({slot}, {name})", 8, f"sizeof({slot})",
                        K * N, inner, 0))
        return out

    @property
    def shape(self):
        """Equal for states that need no conversion."""
        return "0x" + hashlib.sha256(repr(self.schema()).encode()).hexdigest()[:16]

    def hash(self, unit):
        rows = [(m.number, m.word, m.name, [(p.type.name, p.count) for p in m.ins], [(p.type.name, p.count) for p in m.outs])
                for m in unit.interface.methods]
        return "0x" + hashlib.sha256(repr((unit.interface.protocol, rows)).encode()).hexdigest()[:16]

    def poison(self, unit):
        error = next((e for e in unit.interface.errors if e.name == unit.interface.poison), None)
        return f"{unit.interface.name}_{error.name}".upper() if error else "L4_POISONED"


def kill_header(unit):
    """NAME_kill.h: the list of methods for the host-kill test."""
    return environment().get_template("server_kill.h.j2").render(v=View(unit))


def fuzz_source(unit):
    """NAME_fuzz.c: the entry of a libFuzzer program."""
    return environment().get_template("server_fuzz.c.j2").render(v=View(unit))
