# SPDX-License-Identifier: BSD-2-Clause
"""count.py: instructions counted from outside the guest, by the plugin test/bench/counter between the marks of a bench program.

What the plugin writes becomes groups: the figures of one line that the program printed. An instruction is named after the program whose
file holds the page that it was executed from; that tells address spaces apart unless two programs have the same page at the same place."""
import struct
from collections import Counter
from dataclasses import dataclass

from . import elf, say

PAGE, MARK_BYTES = 4096, 16
FAULT = 3               # the plugin's kind of mark
VECTORS = (13, 14)      # QEMU's clock leaves out an instruction whose access ends so
STUB_BYTES = 16         # of entry_vectors


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
    windows: list       # instructions done in each
    trace: list         # [Insn] of a window of median length, with those that were tried in vain


def plugin(files):
    return files.native / "bench" / "counter.so"


def mark(program, address, kind):
    """A line that the plugin reads."""
    room = min(MARK_BYTES, PAGE - address % PAGE)
    return f"{kind} {address:x} {program.at(address, room).hex():0<32}\n"


def marks(kernel, program):
    """The marks of a bench program, and where the kernel is entered by a fault."""
    own = [mark(program, address, kind) for address, kind in struct.iter_unpack("<QQ", program.sections.get(".bench_marks", b""))]
    if not own:
        raise say.host_failure(f"{program.path.name} has no marks")
    vectors = kernel.address("entry_vectors")
    return "".join(own + [mark(kernel, vectors + vector * STUB_BYTES, FAULT) for vector in VECTORS])


def qemu_words(files, folder, program):
    """QEMU's arguments to count between the marks of this Elf file; `read` finds the result in the same folder."""
    (folder / "marks").write_text(marks(elf.Elf(files.kernel), program))
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
    named, other = {}, {"kernel", "kernel-kpti"} - {files.kernel.name}
    for name, path in [*((path.name, path) for path in sorted(files.symbols.iterdir()) if path.name not in other), *more]:
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


# ---- do they agree ----
def compare(found, groups):
    """Set `counted` and `counted_min` of every figure to what the plugin counted; sentences about those that differ.

    A program's figure is the difference of two readings of the clock, less what an empty such pair is (the figure *_clock), by the number
    of operations between them. The plugin counts what is done between the two; the second reading, which the first does not see, is one
    instruction more."""
    if len(found) != len(groups):
        return [f"there are {len(groups)} figures instead of {len(found)}"]
    wrong, clock = [], 0
    for figure, group in zip(found, groups):
        if not group.windows:
            continue
        taken = [(length + 1 - clock) // figure.get("of", 1) for length in sorted(group.windows)]
        figure["counted"], figure["counted_min"] = taken[len(taken) // 2], taken[0]
        for own, outside in (("value", "counted"), ("min", "counted_min")):
            if own in figure and figure[own] != figure[outside]:
                wrong.append(f"{figure['id']} has a {'median' if own == 'value' else 'minimum'} of {figure[outside]}, not {figure[own]}")
        if figure["id"].split(".")[0].endswith("_clock"):
            clock = figure["counted"]
    return wrong


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
