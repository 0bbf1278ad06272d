# SPDX-License-Identifier: BSD-2-Clause
"""layout.py: values of constants, declarations that names stand for, sizes in C, and the place of each parameter.

Rules of the message (model.py shows the result): fixed words first, in order; tails behind them, at word 4 or later,
fully reserved. Window parts of requests and answers never share a byte, or a resent request would find its own answer.
Nothing here depends on which server answers: the layout is the contract."""
from idlc.model import INTEGERS, REGISTER_WORDS, Binary, Count, Group, Number, Type, Unit

U64 = (1 << 64) - 1
SIZE_MAX = 1 << 32      # of a struct or an array: what is larger is a mistake, and ours to bound
PAGE = 4096


class NoValue(Exception):
    """A constant expression has no value: (problem, fix)."""


def round_up(value, unit):
    return (value + unit - 1) // unit * unit


def lay_out(unit: Unit):
    """Fill in everything that model.py calls `filled in by layout`. Imports are laid out already."""
    for const in unit.consts:
        const.value = const_value(unit, const)
    for struct in unit.structs:
        for field in struct.fields:
            resolve(unit, field.type)
    for struct in unit.structs:
        struct_size(unit, struct, [])
    if unit.interface:
        for method in unit.interface.methods:
            method_layout(unit, unit.interface, method)
    if unit.server:
        server_layout(unit, unit.server)


# ---------------------------------------------------------------- constants
def const_value(unit, const):
    earlier = {}
    for other in unit.consts:
        if other is const:
            break
        earlier[other.name] = other.value
    try:
        return evaluate(unit, const.expr, earlier)
    except NoValue as error:
        unit.problem(const.line, f"const `{const.name}` {error.args[0]}", error.args[1])
        return 0


def evaluate(unit, expr, earlier):
    if isinstance(expr, Number):
        return expr.value
    if isinstance(expr, Group):
        return evaluate(unit, expr.inner, earlier)
    if isinstance(expr, Binary):
        value = operate(expr.op, evaluate(unit, expr.left, earlier), evaluate(unit, expr.right, earlier))
        if not 0 <= value <= U64:
            raise NoValue("does not fit 64 bits without a sign", "write a smaller expression")
        return value
    if isinstance(expr, Count):
        raise NoValue("counts records, which changes while the server runs", "use count() in an invariant")
    if expr.index or expr.path or expr.negated:
        raise NoValue(f"uses `{expr.name}` as if it were a record", "use numbers and other constants")
    if expr.name in earlier:
        return earlier[expr.name]
    imported = [u.find("consts", expr.name) for u in unit.imports.values()]
    if found := next((c for c in imported if c), None):
        return found.value
    raise NoValue(f"uses `{expr.name}`, which is no constant above it", "declare `const " + expr.name + "` first")


def operate(op, left, right):
    if op in ("/", "%") and right == 0:
        raise NoValue("divides by zero", "write another divisor")
    if op in ("<<", ">>") and right > 63:
        raise NoValue(f"shifts by {right}", "shift by 63 at most")
    return {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right, "/": lambda: left // right,
            "%": lambda: left % right, "<<": lambda: left << right, ">>": lambda: left >> right,
            "&": lambda: left & right, "|": lambda: left | right,
            "==": lambda: int(left == right), "!=": lambda: int(left != right),
            "<": lambda: int(left < right), ">": lambda: int(left > right), "<=": lambda: int(left <= right),
            ">=": lambda: int(left >= right), "&&": lambda: int(bool(left and right)),
            "||": lambda: int(bool(left or right))}[op]()


def dim_value(unit, dim, line, name, what="bound"):
    """The number that a `[n]` stands for; 0 where there is none or it is wrong."""
    if dim is None:
        return 0
    value = dim
    if isinstance(dim, str):
        const = unit.find("consts", dim)
        if const is None:
            unit.problem(line, f"the {what} of `{name}` is `{dim}`, which is no constant",
                         f"declare `const {dim} = ...;`")
            return 0
        value = const.value
    if value == 0:
        unit.problem(line, f"the {what} of `{name}` is 0", "write 1 or more")
    elif value > SIZE_MAX:
        unit.problem(line, f"the {what} of `{name}` is {value}", f"write {SIZE_MAX} at most")
        return 0
    return value


# ---------------------------------------------------------------- types
def resolve(unit, type: Type):
    """Let `type` know the enum or struct that it names. Unknown names stay `unknown`."""
    if type.kind not in ("unknown", "enum", "struct"):
        return
    for kind in ("enum", "struct"):
        if decl := unit.find(kind + "s", type.name):
            type.kind, type.decl = kind, decl
            return
    known = sorted({d.name for u in (unit, *unit.imports.values()) for d in (*u.enums, *u.structs)})
    here = ", or one of these: " + ", ".join(known) if known else ""
    unit.problem(type.line, f"I know no type `{type.name}`", f"write u8 to u64, i8 to i64, bool, string, bytes{here}")


def value_size(type: Type):
    """(size, alignment) in bytes of one value in C."""
    if type.kind == "int":
        return INTEGERS[type.name], INTEGERS[type.name]
    if type.kind in ("enum", "ref"):
        return 4, 4
    if type.kind == "struct":
        return type.decl.size, type.decl.align
    return (8, 8) if type.is_item else (1, 1)


def struct_size(unit, struct, inside):
    """Size of `struct`, structs inside it first."""
    if struct.size or struct.owner not in owners(unit):
        return
    if struct in inside:
        unit.problem(struct.line, f"struct `{struct.name}` contains itself", "keep a number or a ref instead")
        return
    for field in struct.fields:
        if field.type.kind == "struct":
            struct_size(unit, field.type.decl, inside + [struct])
    struct.size, struct.align = place_fields(unit, struct.fields)


def owners(unit):
    return [part.name for part in (unit.interface, unit.server) if part]


def place_fields(unit, fields):
    """Offsets in C layout; the size and alignment of the whole."""
    at, align = 0, 1
    for field in fields:
        field.count = dim_value(unit, field.dim, field.line, field.name, "size")
        one, field.align = value_size(field.type)
        field.offset = round_up(at, field.align)
        field.size = one * max(field.count, 1)
        at, align = field.offset + field.size, max(align, field.align)
        if at > SIZE_MAX:
            unit.problem(field.line, f"`{field.name}` ends {at} bytes into its record", f"stay below {SIZE_MAX}")
            at = 0
    return round_up(at, align), align


# ---------------------------------------------------------------- messages
def method_layout(unit, interface, method):
    place = [0]         # the window is shared by request and answer
    method.words_in, method.items_in = side_layout(unit, interface, method.ins, place)
    method.words_out, method.items_out = side_layout(unit, interface, method.outs, place)
    method.window = place[0]


def side_layout(unit, interface, params, window):
    """Place the parameters of one direction; (words, items)."""
    at = items = 0
    tails = []
    for param in params:
        resolve(unit, param.type)
        param.count = dim_value(unit, param.dim, param.line, param.name)
        param.size = value_size(param.type)[0]
        if param.type.is_item and not (interface and interface.kernel):
            param.item, items = items, items + 1
            continue
        param.at = at
        param.words = param.type.decl.words if param.type.kind == "struct" and not param.is_sequence else 1
        at += param.words
        if param.type.window:
            param.offset, window[0] = window[0], round_up(window[0] + param.count * param.size, 8)
        elif param.is_sequence:
            tails.append(param)
    if tails:
        at = max(at, REGISTER_WORDS)
    for param in tails:
        param.tail, param.tail_words = at, (param.count * param.size + 7) // 8
        at += param.tail_words
    return at, items


# ---------------------------------------------------------------- servers
def server_layout(unit, server):
    server.window = round_up(server.window, PAGE)
    for field in server.words:
        resolve(unit, field.type)
    place_fields(unit, server.words)
    for part in (*server.records, *server.ops):
        part.count = dim_value(unit, part.dim, part.line, part.name, "size")
        for field in part.fields:
            resolve(unit, field.type)
        part.size, part.align = place_fields(unit, part.fields)
    for field in (*server.words, *(f for part in (*server.records, *server.ops) for f in part.fields)):
        if field.type.kind == "ref":
            field.type.decl = server.record(field.type.name)
    for bulk in server.bulks:
        resolve(unit, bulk.type)
        for dim in bulk.dims:
            record = server.record(dim) if isinstance(dim, str) else None
            bulk.counts.append(record.count if record else dim_value(unit, dim, bulk.line, bulk.name, "size"))
    for after in server.afters:
        side_layout(unit, None, after.params, [0])
    for use in server.uses:
        use.count = dim_value(unit, use.dim, use.line, use.name, "number")
