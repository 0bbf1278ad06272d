# SPDX-License-Identifier: BSD-2-Clause
"""server_text.py: pieces of C for the server half: expressions of invariants, parameters on their way in and out.

Rule: everything that depends on one parameter or one expression is decided here; templates/server.h.j2 only puts the pieces in
order. In a handler's case, `m` is the message, `in` the words of the request from 4 on, `mr` those of the UTCB, `slot` the answer slot of a once method, `s` the state."""
from idlc.model import REGISTER_WORDS, Binary, Count, Group, Name, Number

UNSIGNED_MAX = {1: 0xff, 2: 0xffff, 4: 0xffffffff}


def word(at):
    """Message word `at` as the server finds it."""
    return f"m->word[{at}]" if at < REGISTER_WORDS else f"in[{at}]"


# ---------------------------------------------------------------- expressions
class Words:
    """Turns expressions of one server into C. `r` is the record of `each`, `s` the state."""

    def __init__(self, unit):
        self.unit, self.server = unit, unit.server

    def text(self, expr, each=""):
        if isinstance(expr, Number):
            return f"{expr.value}{'ul' if expr.value >> 31 else ''}"
        if isinstance(expr, Group):
            return f"({self.text(expr.inner, each)})"
        if isinstance(expr, Binary):
            return f"{self.text(expr.left, each)} {expr.op} {self.text(expr.right, each)}"
        if isinstance(expr, Count):
            return f"s->{expr.record}_table.live"
        return ("!" if expr.negated else "") + self.name(expr, each)

    def name(self, expr, each):
        path = "".join("." + p for p in expr.path)
        record = self.server.record(each) if each else None
        if expr.index is not None:
            index = self.text(expr.index, each)
            if self.server.record(expr.name):
                return f"{expr.name}_at({index})" + path.replace(".", "->", 1)
            owner = f"r->{expr.name}" if record and has(record.fields, expr.name) else f"s->{expr.name}"
            return f"{owner}[{index}]{path}"
        if record and has(record.fields, expr.name):
            return f"r->{expr.name}{path}"
        if has(self.server.words, expr.name):
            return f"s->{expr.name}{path}"
        return constant(self.unit, expr.name) or expr.name


def has(fields, name):
    return any(f.name == name for f in fields)


def constant(unit, name):
    """The C name of a const or an enum member that this file sees."""
    for seen in (unit, *unit.imports.values()):
        for const in seen.consts:
            if const.name == name:
                return const.c_name
        for enum in seen.enums:
            for member in enum.members:
                if member.name == name:
                    return enum.member_c_name(member)
    return None


# ---------------------------------------------------------------- values that may not come
def value_checks(type, value):
    """C expressions that are true when `value`, one word wide and unsigned, is none of the type's."""
    if type.kind == "bool":
        return [f"{value} > 1"]
    if type.kind == "enum":
        return [enum_check(type.decl, value)]
    if type.kind == "int" and type.decl is None:
        size = int(type.name[1:]) // 8
        if size == 8:
            return []
        if type.is_signed:
            return [f"(i64){value} != (i{8 * size}){value}"]
        return [f"{value} > 0x{UNSIGNED_MAX[size]:x}"]
    return []


def enum_check(enum, value):
    if enum.dense:
        return f"{value} > {enum.highest}"
    return "(" + " && ".join(f"{value} != {m.value}" for m in enum.members) + ")"


def struct_checks(struct, base):
    """The same for enums and bools inside a struct that was received as bytes."""
    out = []
    for field in struct.fields:
        names = [f"{base}.{field.name}"] if not field.count else [f"{base}.{field.name}[{i}]" for i in range(field.count)]
        if field.type.kind == "enum":
            out += [enum_check(field.type.decl, f"(u32){n}") for n in names]
        elif field.type.kind == "bool":
            out += [f"*(const u8 *)&{n} > 1" for n in names]
        elif field.type.kind == "struct":
            for n in names:
                out += struct_checks(field.type.decl, n)
    return out


# ---------------------------------------------------------------- parameters
def landing(p):
    """Where the typed item of a request lands: a slot, an address, a port. Memory and ports: the start of the window that the server
    has opened in its UTCB."""
    if p.type.kind == "cap":
        return f"L4_SLOT_RECEIVE + {p.item}"
    return "l4_fpage_base(l4_utcb()->window_io)" if p.type.rights == "io" or p.type.name == "io" else \
        "l4_fpage_address(l4_utcb()->window_memory)"


class In:
    """One parameter of a request: C declarations, checks and arguments."""

    def __init__(self, param, window):
        self.declare, self.checks, self.struct_checks, self.args, self.params = [], [], [], [], []
        p, name, kind = param, param.name, param.type.kind
        if p.item is not None:
            self.params = [("cap_t " if kind == "cap" else "u64 ") + name]
            self.args = [landing(p)]
        elif p.is_sequence:
            self.sequence(p, window)
        elif kind == "struct":
            self.struct(p)
        else:
            self.params = [f"{p.type.c_name} {name}"]
            self.args = [f"({p.type.c_name}){word(p.at)}"]
            self.checks = value_checks(p.type, word(p.at))

    def struct(self, p):
        self.params = [f"const {p.type.c_name} *{p.name}"]
        self.declare = [f"union {{ u64 word[{p.words}]; {p.type.c_name} value; }} {p.name};"]
        self.declare += [f"{p.name}.word[{i}] = {word(p.at + i)};" for i in range(p.words) if p.at + i < REGISTER_WORDS]
        first = max(p.at, REGISTER_WORDS)
        if p.at + p.words > first:
            self.declare.append(f"memcpy(&{p.name}.word[{first - p.at}], &in[{first}], {8 * (p.at + p.words - first)});")
        self.struct_checks = struct_checks(p.type.decl, f"{p.name}.value")
        self.args = [f"&{p.name}.value"]

    def sequence(self, p, window):
        length, element = word(p.at), "u8" if p.is_text else p.type.c_name
        self.checks = [f"{length} > {p.count}"]
        if p.type.window:
            at = f"{window} + {p.offset}" if p.is_text else f"(const {element} *)({window} + {p.offset})"
        else:
            at = f"(const {element} *)&in[{p.tail}]"
        if p.is_text:
            self.params = [f"struct l4_bytes {p.name}"]
            self.args = [f"(struct l4_bytes){{ {at}, (u32){length} }}"]
        else:
            self.params = [f"const {element} *{p.name}", f"u32 {p.name}_count"]
            self.args = [at, f"(u32){length}"]


class Out:
    """One parameter of an answer: what the handler is given, and how the result gets into `to(word)`."""

    def __init__(self, param, window, slot_words, copies):
        self.declare, self.args, self.params, self.store, self.limits = [], [], [], [], []
        self.mints = False
        p, name, kind = param, param.name, param.type.kind
        if p.item is not None:
            self.item(p, slot_words is not None)
        elif p.is_sequence:
            self.sequence(p, window, slot_words, copies)
        elif kind == "struct":
            self.declare = [f"union {{ u64 word[{p.words}]; {p.type.c_name} value; }} {name} = {{ {{ 0 }} }};"]
            self.params, self.args = [f"{p.type.c_name} *{name}"], [f"&{name}.value"]
            self.store = [(p.at + i, f"{name}.word[{i}]") for i in range(p.words)]
        else:
            self.declare = [f"{p.type.c_name} {name} = 0;"]
            self.params, self.args = [f"{p.type.c_name} *{name}"], [f"&{name}"]
            cast = "(u64)(i64)" if p.type.is_signed else ""
            self.store = [(p.at, f"{cast}{name}")]

    def item(self, p, once):
        if p.type.kind == "cap" and once:
            self.mints = True
            self.declare = [f"union {{ struct l4_mint mint; u64 word[3]; }} {p.name} = {{ {{ 0 }} }};"]
            self.params, self.args = [f"struct l4_mint *{p.name}"], [f"&{p.name}.mint"]
        else:
            self.declare = [f"u64 {p.name} = 0;"]
            self.params, self.args = [("cap_t *" if p.type.kind == "cap" else "u64 *") + p.name], [f"&{p.name}"]

    def sequence(self, p, window, slot_words, copies):
        name, element = p.name, "u8" if p.is_text else p.type.c_name
        if p.type.window:
            at = f"({element} *)({window} + {p.offset})"
        elif slot_words is not None:
            at = f"({element} *)&slot->word[{p.tail}]"
        elif copies:
            self.declare = [f"u64 {name}_words[{p.tail_words}];"]
            at = f"({element} *){name}_words"
        else:
            at = f"({element} *)&mr[{p.tail}]"
        self.declare.append(f"u32 {name}_length = 0;")
        self.params, self.args = [f"{element} *{name}", f"u32 *{name}_length"], [at, f"&{name}_length"]
        self.store = [(p.at, f"{name}_length")]
        self.limits = [f"{name}_length > {p.count}"]
