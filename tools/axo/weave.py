# SPDX-License-Identifier: BSD-2-Clause
"""weave.py: puts contracts (test/prove/*.acsl) into a copy of the kernel's sources, where Frama-C expects them; the kernel's own files stay
as they are. `#line` keeps every message at the place of the file that a person would open.

A contract file is a row of sections. A line that begins with `== ` says what the lines below it belong to:

    == tree.c                           what the functions below are proved with: before the first of this file's that has a contract
    == tree.c: tree_insert              the contract of that function
    == cap.h: cap_next loop 2           what its second loop keeps
    == memory.c: block_take before page->mask &=      a line of ghost code or an assertion, before the line that begins so
"""
import re
from dataclasses import dataclass
from pathlib import Path

from . import say

HEADING = re.compile(r"^== (?P<file>[\w./]+\.[ch])(?:: (?P<function>\w+)(?: loop (?P<loop>\d+)| before (?P<before>.+))?)?$")
LOOP = re.compile(r"\b(?:for|while|do|list_for_each)\b")
HIDDEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])*'", re.S)


@dataclass
class Section:
    spec: Path
    line: int               # its first line in the spec
    file: str
    function: str           # None: for the file
    loop: int               # 0: none
    before: str             # None: at the function, or its loop
    text: str

    @property
    def place(self):
        return f"{self.spec.name}:{self.line - 1}"


def read_spec(path):
    """The sections of a contract file; what stands before the first is for people."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("=="):
            heading = HEADING.match(line)
            if not heading:
                raise say.host_failure(f"{path.name}:{number}: `== FILE`, `== FILE: FUNCTION`, `… loop N` or `… before TEXT` is expected")
            found.append(Section(path, number + 1, heading["file"], heading["function"], int(heading["loop"] or 0), heading["before"], ""))
        elif found:
            found[-1].text += line + "\n"
    return found


def blank(text):
    """The same text, as long, without comments and strings."""
    return HIDDEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def body_of(text, name):
    """(where the function's definition begins, where its body begins, where it ends), or None. `text` is blanked."""
    for found in re.finditer(rf"^(?:\w[^\n;{{}}=]*[\s*])?{name}\((?:[^(){{}};]|\([^()]*\))*\)\s*\{{", text, re.M):
        depth, at = 0, found.end() - 1
        while True:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
            if depth == 0:
                return found.start(), found.end(), at
    return None


def prototype_of(text, name):
    """Where the function is declared, or None."""
    found = re.search(rf"^(?:\w[^\n;{{}}=]*[\s*])?{name}\((?:[^(){{}};]|\([^()]*\))*\);", text, re.M)
    return found and found.start()


def loops_of(text, begin, end):
    """Where each loop of a body begins. The `while` of a do-loop is none."""
    found, at = [], begin
    for loop in LOOP.finditer(text, begin, end):
        before = text[at:loop.start()].rstrip()
        if loop[0] == "while" and before.endswith("}") and any(text.startswith("do", start) for start in found):
            continue
        found.append(loop.start())
    return found


def place_of(section, text, blanked, first):
    """The offset in the file before which the section goes, always the begin of a line or of a loop."""
    if not section.function:
        return first
    function = body_of(blanked, section.function)
    declared = None if function or section.loop or section.before else prototype_of(blanked, section.function)
    if declared is not None:
        return declared
    if not function:
        raise say.host_failure(f"{section.place}: {section.file} has no function {section.function}; was it renamed?")
    start, begin, end = function
    if section.loop:
        loops = loops_of(blanked, begin, end)
        if section.loop > len(loops):
            raise say.host_failure(f"{section.place}: {section.function} has {len(loops)} loops")
        return loops[section.loop - 1]
    if section.before:
        lines = [found.start(1) for found in re.finditer(rf"^[ \t]*({re.escape(section.before)})", text[:end], re.M) if found.start() >= begin - 1]
        if len(lines) != 1:
            raise say.host_failure(f"{section.place}: {len(lines)} lines of {section.function} begin with {section.before!r}")
        return lines[0]
    return start


def weave(text, path, sections):
    """The text of the kernel's file `path` with its sections in it."""
    blanked = blank(text)
    places = [place_of(section, text, blanked, None) for section in sections]
    first = min((place for place in places if place is not None), default=len(text))
    placed = sorted((first if place is None else place, bool(section.function), number, section)
                    for number, (place, section) in enumerate(zip(places, sections)))
    woven, at = f'#line 1 "{path}"\n', 0
    for place, _, _, section in placed:
        line = text.count("\n", 0, place) + 1
        woven += text[at:place] + f'\n#line {section.line} "{section.spec}"\n/*@\n{section.text.rstrip()}\n*/\n#line {line} "{path}"\n'
        at = place
    return woven + text[at:]
