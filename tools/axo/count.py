# SPDX-License-Identifier: BSD-2-Clause
"""count.py: instructions counted from outside the guest, by the plugin test/bench/counter between the marks of a bench program.

What the plugin writes becomes groups: the figures of one line that the program printed. An instruction is named after the program whose
file holds the page that it was executed from; that tells address spaces apart unless two programs have the same page at the same place."""
import struct
from collections import Counter
from dataclasses import dataclass

from . import elf, say

PAGE, MARK_BYTES = 4096, 16
KERNEL = 1 << 63


@dataclass(frozen=True)
class Insn:
    image: str          # the program, ? if none is known
    function: str       # or the address
    offset: int
    address: int
    text: str           # disassembled

    def place(self):
        return f"{self.image}:{self.function}" + (f"+{self.offset:#x}" if self.offset else "")


@dataclass
class Group:
    windows: list       # instructions of each
    trace: list         # [Insn] of a window of median length


def plugin(files):
    return files.native / "bench" / "counter.so"


def marks(*programs):
    """The lines that the plugin reads."""
    lines = []
    for program in programs:
        for address, kind in struct.iter_unpack("<QQ", program.sections.get(".bench_marks", b"")):
            room = min(MARK_BYTES, PAGE - address % PAGE)
            lines.append(f"{kind} {address:x} {program.at(address, room).hex():0<32}\n")
    if not lines:
        raise say.host_failure("the bench has no marks")
    return "".join(lines)


def qemu_words(files, folder, *programs):
    """QEMU's arguments to count between the marks of these Elf files; `read` finds the result in the same folder."""
    (folder / "marks").write_text(marks(*programs))
    return ["-plugin", f"{plugin(files)},marks={folder / 'marks'},out={folder / 'counted'}"]


# ---- whose page is it ----
class Images:
    """Programs by what their pages hold."""

    def __init__(self, named):
        """`named`: {name: Elf}"""
        self.named = named

    def owner(self, address, data):
        """The name of the program with this page at this address, or None; the one that says most about it, if several do."""
        best = (0, None)
        for name, program in self.named.items():
            there = [(start, program.at(start, end - start)) for start, end in parts(program, address)]
            if there and all(data[start - address:start - address + len(want)] == want for start, want in there):
                best = max(best, (sum(len(want) for _, want in there), name), key=lambda pair: pair[0])
        return best[1]


def parts(program, page):
    """[(start, end)] of what a program's file puts into a page."""
    found = [(max(start, page), min(start + length, page + PAGE)) for start, _, length in program.segments]
    return [(start, end) for start, end in found if start < end]


def images(files, *more):
    """Images of every program that was built with symbols, and [(name, path)] more."""
    named = {}
    for name, path in [*((path.name, path) for path in sorted(files.symbols.iterdir())), *more]:
        try:
            named[name] = elf.Elf(path)
        except (ValueError, OSError):
            pass
    return Images(named)


# ---- what came out ----
def read(folder, known):
    """[Group] in order."""
    pages, insns, groups, lengths = {}, {}, [], []
    with open(folder / "counted") as file:
        for line in file:
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "page":
                number, address, data = rest.split(" ")
                pages[number] = known.owner(int(address, 16), bytes.fromhex(data))
            elif kind == "insn":
                number, page, address, *text = rest.split(" ", 3)
                insns[number] = named(known, pages[page], int(address, 16), text[0] if text else "")
            elif kind == "windows":
                lengths = [int(word) for word in rest.split()]
            elif kind == "trace":
                groups.append(Group(lengths, [insns[word] for word in rest.split()]))
    return groups


def named(known, image, address, text):
    function = known.named[image].function(address) if image else None
    return Insn(image or "?", *(function or (f"{address:#x}", 0)), address, " ".join(text.split()))


# ---- for people ----
def profile(group):
    """Lines: instructions of one operation by function."""
    total = len(group.trace)
    lines = [f"{'instructions':>12s} {'share':>6s}  function"]
    for (image, function), count in Counter((insn.image, insn.function) for insn in group.trace).most_common():
        lines.append(f"{count:12d} {100 * count / total:5.1f}%  {image}:{function}")
    by_image = Counter(insn.image for insn in group.trace)
    lines.append(f"{total:12d} {100:5.1f}%  {', '.join(f'{image} {count}' for image, count in by_image.most_common())}")
    return lines


def trace(group):
    """Lines: the instructions of one operation in order."""
    return [f"{number:6d}  {insn.address:016x}  {insn.place():40s}  {insn.text}" for number, insn in enumerate(group.trace, 1)]
