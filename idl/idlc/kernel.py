# SPDX-License-Identifier: BSD-2-Clause
"""kernel.py: emits NAME_kernel.h, the decoder of a `kernel interface` as the kernel includes it, and kernel_dispatch.h over all of them.

The handler gets typed values only: rights, sizes, ranges and capabilities are decided here. Strings and bytes stay in
the caller's UTCB, which other threads of the caller may write meanwhile: a handler reads each byte once. Structs are
copied before they are looked at, and every word is read once."""
from idlc.c_text import argument, comment, environment, out_of_range, spread
from idlc.client import ordered
from idlc.model import REGISTER_WORDS

SIZES_SHIFT, ITEMS_SHIFT = 32, 6        # abi/ipc.h: words and items of a tag; the latter's place in the former's


def kernel_header(unit):
    face = unit.interface
    handlers = [Handler(unit, face, m) for m in face.methods]
    objects = sorted({p.type.name for m in face.methods for p in m.ins if p.type.kind == "cap"} | {face.name})
    return environment().get_template("kernel.h.j2").render(
        unit=unit, face=face, consts=unit.owned("consts", face.name), enums=unit.owned("enums", face.name),
        structs=ordered(unit.owned("structs", face.name)), handlers=handlers, objects=objects)


def dispatch_header(faces):
    return environment().get_template("kernel_dispatch.h.j2").render(faces=faces)


def read(at):
    """A request's word. Those in the UTCB may change under our eyes: volatile, so that gcc reads them once too."""
    here = isinstance(at, int) and at < REGISTER_WORDS
    return f"m->word[{at}]" if here else f"*(const volatile u64 *)&inv->caller->utcb->mr[{at}]"


class Handler:
    """One method: the prototype of the function that the kernel implements, and the case that calls it."""

    def __init__(self, unit, face, method):
        self.unit, self.face, self.m = unit, face, method
        self.params, self.declare, self.checks, self.lookups, self.arguments, self.results = [], [], [], [], [], []
        self.registers = ["0"] * REGISTER_WORDS
        if method.served:
            self.params.append("enum l4_kind kind")
            self.arguments.append(f"L4_{method.served[1].upper()}")
        for param in method.ins:
            self.give(param)
        for param in method.outs:
            self.receive(param)

    @property
    def constant(self):
        return f"{self.face.name.upper()}_METHOD_{self.m.name.upper()}"

    @property
    def function(self):
        return f"{self.face.name}_{self.m.served[0] if self.m.served else self.m.name}"

    @property
    def needed(self):
        return " | ".join(f"L4_{r}" for r in self.m.needs) or "0"

    @property
    def heading(self):
        facts = f"{self.unit.file}:{self.m.line}" + (f", needs {self.m.needs}" if self.m.needs else "")
        return comment((self.m.doc + "\n" if self.m.doc else "") + facts + ".")

    @property
    def prototype(self):
        return spread(f"l4_err_t {self.function}",
                      [f"struct {self.face.name} *self", "struct invocation *inv"] + self.params, ";")

    @property
    def refused(self):
        """The condition under which the tag is not what the method wants: another size, or a right is missing."""
        some = self.m.tail_in is None
        sizes = f"(m->tag >> {SIZES_SHIFT} & 0x{7 << ITEMS_SHIFT | (63 if some else 0):x})"
        sizes += f" != {self.m.words_in}" if some and self.m.words_in else ""
        return sizes + (f" || ~inv->used->rights & ({self.needed})" if self.m.needs else "")

    @property
    def call(self):
        return f"{self.function}({', '.join(['self', 'inv'] + self.arguments)})"

    # -- requests
    def give(self, p):
        name = argument(p.name)
        if p.type.kind == "cap":
            self.params.append(f"struct {p.type.name} *{name}")
            rights = " | ".join(f"L4_{r}" for r in p.type.rights) or "0"
            self.lookups += [f"void *{name} = invocation_object(inv, {read(p.at)}, L4_{p.type.name.upper()}, {rights});",
                             f"if (!{name})", "    return ANSWERED;"]
            self.arguments.append(name)
        elif p.is_sequence:
            self.sequence(p, name)
        elif p.type.kind == "struct":
            self.params.append(f"const {p.type.c_name} *{name}")
            self.declare += self.union(p, name)
            here = min(max(REGISTER_WORDS - p.at, 0), p.words)
            self.declare += [f"{name}.word[{i}] = {read(p.at + i)};" for i in range(here)]
            if here < p.words:
                self.declare += [f"for (u32 i = {here}; i < {p.words}; i++)",
                                 f"    {name}.word[i] = {read(f'{p.at} + i' if p.at else 'i')};"]
            self.arguments.append(f"&{name}.value")
            self.checks += struct_ranges(p.type.decl, f"{name}.value")
        else:
            self.scalar(p, name)

    def scalar(self, p, name):
        self.params.append(f"{p.type.c_name} {name}")
        source = read(p.at)
        if p.at >= REGISTER_WORDS:          # shared with the caller's other threads: read it once
            self.declare.append(f"u64 {name} = {source};")
            source = name
        if bad := out_of_range(p.type, source):
            self.checks.append(bad)
        self.arguments.append(source if p.type.c_name == "u64" else f"({p.type.c_name}){source}")

    def sequence(self, p, name):
        length = f"{p.name}_length" if p.is_text else f"{p.name}_count"
        element = "u8" if p.is_text else p.type.c_name
        self.params += [f"const {element} *{name}", f"u32 {length}"]
        self.declare.append(f"u64 {length} = {read(p.at)};")
        self.checks.append(f"{length} > {p.count}")
        if p is self.m.tail_in:
            size = length if p.size == 1 else f"{p.size} * {length}"
            self.checks.append(f"l4_tag_words(m->tag) != {p.tail} + ({size} + 7) / 8")
        self.arguments += [f"(const {element} *)&inv->caller->utcb->mr[{p.tail}]", f"(u32){length}"]

    @staticmethod
    def union(p, name, start=""):
        return [f"union {{ u64 word[{p.words}]; {p.type.c_name} value; }} {name}{start};"]

    # -- answers
    def receive(self, p):
        name = argument(p.name)
        if p.is_sequence:
            length = f"{p.name}_length" if p.is_text else f"{p.name}_count"
            element = "u8" if p.is_text else p.type.c_name
            self.params += [f"{element} *{name}", f"u32 *{length}"]
            self.declare.append(f"u32 {length} = 0;")
            self.arguments += [f"({element} *)&inv->caller->utcb->mr[{p.tail}]", f"&{length}"]
            self.result(p.at, length)
        elif p.type.kind == "struct":
            self.params.append(f"{p.type.c_name} *{name}")
            self.declare += self.union(p, name, " = { { 0 } }")
            self.arguments.append(f"&{name}.value")
            here, index = min(max(REGISTER_WORDS - p.at, 0), p.words), f"{p.at} + i" if p.at else "i"
            for i in range(here):
                self.result(p.at + i, f"{name}.word[{i}]")
            if here < p.words:
                self.results += [f"for (u32 i = {here}; i < {p.words}; i++)",
                                 f"    inv->caller->utcb->mr[{index}] = {name}.word[i];"]
        else:
            self.params.append(f"{p.type.c_name} *{name}")
            self.declare.append(f"{p.type.c_name} {name} = 0;")
            self.arguments.append(f"&{name}")
            self.result(p.at, f"{'(u64)(i64)' if p.type.is_signed else ''}{name}")

    def result(self, at, value):
        """A word: of the registers, which go into the frame at once, or of the UTCB."""
        if at < REGISTER_WORDS:
            self.registers[at] = value
        else:
            self.results.append(f"inv->caller->utcb->mr[{at}] = {value};")

    @property
    def words_out(self):
        tail = self.m.tail_out
        if tail is None:
            return str(self.m.words_out)
        length = f"{tail.name}_length" if tail.is_text else f"{tail.name}_count"
        return f"{tail.tail} + ({length if tail.size == 1 else f'{tail.size} * {length}'} + 7) / 8"

    @property
    def lines(self):
        """The body of the case."""
        out = [f"if ({self.refused})", f"    return invocation_refuse(inv, {self.needed});"]
        out += self.declare
        if self.checks:
            out += [f"if ({' || '.join(self.checks)})", "    return L4_BAD_MESSAGE;"]
        out += self.lookups
        if not self.m.outs:
            return out + [f"return {self.call};"]
        out += [f"l4_err_t err = {self.call};", "if (err != L4_OK)", "    return err;"]
        words = ", ".join([self.words_out] + self.registers)
        return out + self.results + [f"return invocation_answer(inv, L4_OK, {words});"]


def struct_ranges(struct, at):
    """Conditions under which a struct's bools and enums hold no value of theirs."""
    out = []
    for f in struct.fields:
        names = [f"{at}.{f.name}[{i}]" for i in range(f.count)] if f.count else [f"{at}.{f.name}"]
        for name in names:
            if f.type.kind == "struct":
                out += struct_ranges(f.type.decl, name)
            elif f.type.kind == "bool":
                out.append(f"*(const u8 *)&{name} > 1")
            elif f.type.kind == "enum" and (bad := out_of_range(f.type, f"(u32){name}")):
                out.append(bad)
    return out
