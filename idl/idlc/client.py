# SPDX-License-Identifier: BSD-2-Clause
"""client.py: emits NAME.h, the contract and the stubs of its clients.

One Stub a method decides every line of the function body, in the order in which they run: refuse what is too long,
place words, set items and windows, call, take results. templates/client.h.j2 puts the functions into a file."""
from idlc.c_text import KEYWORDS, argument, comment, environment, spread
from idlc.model import REGISTER_WORDS, Unit

FPAGE_RIGHTS = {"r": "L4_R", "w": "L4_W", "x": "L4_X"}


def client_header(unit: Unit) -> str:
    face = unit.interface
    imported = sorted({d.owner for m in face.methods for p in (*m.ins, *m.outs) if (d := p.type.decl)}
                      | {f.type.decl.owner for s in unit.owned("structs", face.name) for f in s.fields if f.type.decl})
    return environment().get_template("client.h.j2").render(
        unit=unit, face=face, consts=unit.owned("consts", face.name), enums=unit.owned("enums", face.name),
        structs=ordered(unit.owned("structs", face.name)), includes=[n for n in imported if n != face.name],
        stubs=[Stub(unit, face, m) for m in face.methods])


def ordered(structs):
    """Structs after those that they contain."""
    out = []

    def add(struct):
        for field in struct.fields:
            if field.type.decl in structs and field.type.decl not in out:
                add(field.type.decl)
        if struct not in out:
            out.append(struct)
    for struct in structs:
        add(struct)
    return out


def register(at):
    return f"w{at}" if at < REGISTER_WORDS else f"mr[{at}]"


def item_hot(param):
    """The second word of a typed item: lands at the start of the receiver's window; rights mask and grant bit."""
    grant = "L4_ITEM_GRANT" if param.type.kind == "grant" else ""
    if param.type.kind == "cap":
        return " | ".join(f"L4_{r}" for r in param.type.rights) or "L4_RIGHTS_ALL"
    return grant or "0"


def item_fpage(param):
    name = argument(param.name)
    if param.type.kind == "cap":
        return f"l4_fpage_caps({name}, 0)"
    if param.type.rights == "io":
        return name
    rights = " | ".join(FPAGE_RIGHTS[r] for r in param.type.rights)
    return f"({name} & ~15ul) | " + (rights if " " not in rights else f"({rights})")


class Stub:
    def __init__(self, unit, face, method):
        self.unit, self.face, self.m = unit, face, method
        self.once = method.word == "once"
        self.session = method.has_session
        self.words = [None] * REGISTER_WORDS        # what goes into w0 to w3
        self.body, self.guard, self.place, self.take = [], [], [], []
        for param in method.ins:
            self.give(param)
        for param in method.outs:
            self.receive(param)
        self.assemble()

    # -- what a reader sees
    @property
    def signature(self):
        head = f"static inline l4_err_t {self.face.name}_{self.m.name}"
        who = "struct l4_session *s" if self.session else f"cap_t {argument(self.subject)}"
        return spread(head, [who] + [a for p in self.m.ins for a in self.in_arguments(p)]
                      + [a for p in self.m.outs for a in self.out_arguments(p)], "")

    @property
    def subject(self):
        """The name of the capability parameter, different from every other."""
        taken = {p.name for p in (*self.m.ins, *self.m.outs)}
        return self.face.name if self.face.name not in taken | KEYWORDS else self.face.name + "_cap"

    @property
    def heading(self):
        m = self.m
        facts = [f"{self.unit.file}:{m.line}",
                 m.word] + ([f"needs {m.needs}"] if m.needs else []) + (["parks"] if m.parks else [])
        return comment((m.doc + "\n" if m.doc else "") + ", ".join(facts) + ".")

    @staticmethod
    def in_arguments(p):
        name = argument(p.name)
        if p.is_text:
            return [f"struct l4_bytes {name}"]
        if p.is_sequence:
            return [f"const {p.type.c_name} *{name}", f"u32 {p.name}_count"]
        if p.type.kind == "struct":
            return [f"const {p.type.c_name} *{name}"]
        return [f"{p.type.c_name} {name}"]

    @staticmethod
    def out_arguments(p):
        name = argument(p.name)
        if p.type.is_item:
            return [f"{p.type.c_name} {name}"]
        if p.is_text:
            return [f"struct l4_bytes *{name}"]
        if p.is_sequence:
            return [f"const {p.type.c_name} **{name}", f"u32 *{p.name}_count"]
        return [f"{p.type.c_name} *{name}"]

    # -- requests
    def give(self, p):
        name = argument(p.name)
        if p.item is not None:
            self.place.append(f"utcb->item[{p.item}] = (struct l4_item){{ {item_fpage(p)}, {item_hot(p)} }};")
        elif p.is_sequence:
            self.give_sequence(p, name)
        elif p.type.kind == "struct":
            self.give_struct(p, name)
        else:
            self.set_word(p.at, f"(u64)(i64){name}" if p.type.is_signed else name)

    def set_word(self, at, value):
        if at < REGISTER_WORDS:
            self.words[at] = value
        else:
            self.place.append(f"mr[{at}] = {value};")

    def give_sequence(self, p, name):
        at, length = (f"{name}.at", f"{name}.length") if p.is_text else (name, f"{p.name}_count")
        size = length if p.size == 1 else f"{p.size}ul * {length}"
        self.guard.append(f"{length} > {p.count}")
        self.set_word(p.at, length)
        if p.type.window:
            to = f"s->window + {p.offset}" if p.offset else "s->window"
            self.place.append(f"__builtin_memcpy({to}, {at}, {size});")
        elif p is self.m.tail_in:
            self.place.append(f"l4_put_bytes(&mr[{p.tail}], {at}, {size});")
        else:
            self.place.append(f"l4_put_reserved(&mr[{p.tail}], {p.tail_words}, {at}, {size});")

    def give_struct(self, p, name):
        size, here = p.type.decl.size, min(max(REGISTER_WORDS - p.at, 0), p.words)
        if here:
            whole = size >= 8 * here
            self.place.append(f"u64 {p.name}_words[{here}]{'' if whole else ' = { 0 }'};")
            self.place.append(f"__builtin_memcpy({p.name}_words, {name}, {min(size, 8 * here)});")
            for i in range(here):
                self.set_word(p.at + i, f"{p.name}_words[{i}]")
        if here < p.words:
            start = name if not here else f"(const u8 *){name} + {8 * here}"
            self.place.append(f"l4_put_bytes(&mr[{p.at + here}], {start}, {size - 8 * here});")

    # -- answers
    def receive(self, p):
        name = argument(p.name)
        if p.item is not None:
            return
        if p.is_sequence:
            self.receive_sequence(p, name)
        elif p.type.kind == "struct":
            self.receive_struct(p, name)
        else:
            self.take.append(f"*{name} = ({p.type.c_name}){register(p.at)};")

    def receive_sequence(self, p, name):
        length = register(p.at)
        window = f"s->window + {p.offset}" if p.offset else "s->window"
        at = window if p.type.window else f"&mr[{p.tail}]"
        self.take += [f"if ({length} > {p.count})", "    return L4_BAD_MESSAGE;"]
        if p.is_text:
            cast = "" if p.type.window else "(const u8 *)"
            self.take.append(f"*{name} = (struct l4_bytes){{ {cast}{at}, (u32){length} }};")
        else:
            cast = f"(const {p.type.c_name} *)"
            self.take += [f"*{name} = {cast}({at});" if " " in at else f"*{name} = {cast}{at};",
                          f"*{p.name}_count = (u32){length};"]

    def receive_struct(self, p, name):
        size, here = p.type.decl.size, min(max(REGISTER_WORDS - p.at, 0), p.words)
        if here:
            words = ", ".join(register(p.at + i) for i in range(here))
            self.take.append(f"u64 {p.name}_words[{here}] = {{ {words} }};")
            self.take.append(f"__builtin_memcpy({name}, {p.name}_words, {min(size, 8 * here)});")
        if here < p.words:
            to = name if not here else f"(u8 *){name} + {8 * here}"
            self.take.append(f"__builtin_memcpy({to}, &mr[{p.at + here}], {size - 8 * here});")

    # -- the whole
    def assemble(self):
        m = self.m
        uses_mr = any("mr[" in line for line in self.place + self.take)
        windows = [(p,
                    {"cap": "window_caps"}.get(p.type.kind, "window_io" if p.type.rights == "io" else "window_memory"))
                   for p in m.outs if p.item is not None]
        uses_utcb = m.items_in > 0 or bool(windows)
        out = self.body
        if self.guard:
            out += [f"if ({' || '.join(self.guard)})", "    return L4_BAD_MESSAGE;"]
        if uses_utcb:
            out.append("struct l4_utcb *utcb = l4_utcb();")
        if uses_mr:
            out.append("u64 *mr = utcb->mr;" if uses_utcb else "u64 *mr = l4_utcb()->mr;")
        if self.once:
            out.append("u64 number = l4_number(s);")
        out += self.place
        for p, window in windows:
            fpage = f"l4_fpage_caps({argument(p.name)}, 0)" if p.type.kind == "cap" else argument(p.name)
            out += [f"u64 {p.name}_window = utcb->{window};", f"utcb->{window} = {fpage};"]
        out.append("u64 " + ", ".join(f"w{i} = {value or 0}" for i, value in enumerate(self.words)) + ";")
        method = f"{self.face.name}_METHOD_{m.name}".upper()
        out.append(f"u64 tag = l4_tag({method}, {self.sent_words}, {m.items_in});")
        out.append(self.call)
        out += [f"utcb->{window} = {p.name}_window;" for p, window in windows]
        if any("return" in line for line in self.take):
            out += ["if (l4_tag_status(tag) != L4_OK)", "    return l4_tag_status(tag);"]
        out += self.take
        out.append("return l4_tag_status(tag);")

    @property
    def sent_words(self):
        tail = self.m.tail_in
        if tail is None:
            return str(self.m.words_in)
        length = f"{argument(tail.name)}.length" if tail.is_text else f"{tail.name}_count"
        size = length if tail.size == 1 else f"{tail.size}ul * {length}"
        return f"{tail.tail} + l4_words({size})"

    @property
    def call(self):
        registers = "&w0, &w1, &w2, &w3"
        cap = "s->gate" if self.session else argument(self.subject)
        kept = min(self.m.words_in, REGISTER_WORDS)
        if self.face.kernel:
            return f"l4_invoke({cap}, &tag, 0, {registers});"
        if self.session:
            return f"l4_call_numbered({cap}, &tag, {'number' if self.once else 's->number'}, {kept}, {registers});"
        return f"l4_call({cap}, &tag, {kept}, {registers});"
