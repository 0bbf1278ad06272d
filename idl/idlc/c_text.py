# SPDX-License-Identifier: BSD-2-Clause
"""c_text.py: small pieces of C that client and kernel headers share: comments, declarations, names."""
import textwrap
from pathlib import Path

import jinja2

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 120
LOCALS = {"s", "self", "inv", "tag", "number", "mr", "utcb", "w0", "w1", "w2", "w3", "err",
          "status"}   # generated code's own
KEYWORDS = set("""auto break case char const continue default do double else enum extern float for goto if inline int
    long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm
    typeof bool true false NULL""".split())


def environment():
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(str(TEMPLATES)), trim_blocks=True, lstrip_blocks=True,
                             keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    env.globals.update(comment=comment, remark=remark, fields=struct_fields, folded=folded)
    return env


def comment(text, indent=0):
    """A block comment in house style, lines of at most WIDTH."""
    pad = " " * indent
    lines = [piece for line in text.replace("*/", "* /").split("\n")
             for piece in textwrap.wrap(line, WIDTH - indent - 6, break_long_words=False) or [""]]
    return pad + "/* " + f"\n{pad} * ".join(lines) + " */"


def remark(doc):
    """A comment to the right of something, or nothing."""
    return "  /* " + " ".join(doc.replace("*/", "* /").split()) + " */" if doc else ""


def argument(name):
    """A parameter's name in C: never one of the function's own locals."""
    return name + "_" if name in LOCALS else name


def struct_fields(struct):
    """`u32 head;` lines of a struct."""
    out = []
    for f in struct.fields:
        dims = f"[{f.count}]" if f.count else ""
        out.append(f"{f.type.c_name} {f.name}{dims};{remark(f.doc)}")
    return out


def spread(head, parts, tail):
    """`head(a, b)tail`, broken at commas where it is too long."""
    line = head + "(" + ", ".join(parts) + ")" + tail
    if len(line) <= WIDTH:
        return line
    pad, lines = " " * (len(head) + 1), [head + "("]
    for i, part in enumerate(parts):
        piece = part + (", " if i < len(parts) - 1 else ")" + tail)
        if len(lines[-1] + piece.rstrip()) > WIDTH and lines[-1].strip():
            lines[-1] = lines[-1].rstrip()
            lines.append(pad)
        lines[-1] += piece
    return "\n".join(lines)


def folded(line, indent):
    """A statement as lines of at most WIDTH behind `indent` spaces, broken before || and after commas."""
    out, room = [line], WIDTH - indent
    while len(out[-1]) > room:
        text, head = out[-1], len(out[-1]) - len(out[-1].lstrip())
        at = max(text.rfind(" || ", head + 8, room), text.rfind(", ", head + 8, room) + 1)
        if at <= head:
            break
        out[-1:] = [text[:at], " " * (len(line) - len(line.lstrip()) + 4) + text[at + 1:]]
    return out


def out_of_range(type, word):
    """The condition under which `word` is no value of `type`, "" if every word is one."""
    if type.kind == "bool":
        return f"{word} > 1"
    if type.kind == "enum":
        if type.decl.dense:
            return f"{word} > {type.decl.highest}"
        return "(" + " && ".join(f"{word} != {m.value}" for m in type.decl.members) + ")"
    if type.kind == "int" and type.name not in ("u64", "i64"):
        return f"{word} != (u64)({type.name}){word}"
    return ""
