# SPDX-License-Identifier: BSD-2-Clause
"""Exceptions at the edge, where the tables, the stack and GS base are half the user's: a fault of the kernel's own says so and ends it, an NMI
does nothing. Each instruction near a change of CR3 or GS base is tried: replaced by an illegal one, or stopped at by gdb."""
import re
import subprocess
import threading
from dataclasses import dataclass

import pytest

from test_kpti import NATIVE, build
from axo import archive, elf, gdb, qemu

ILLEGAL = b"\x0f\x0b"
EDGE = re.compile(r"swapgs|sysretq|iretq|%cr3|%gs:.*%rsp$|%rsp,%gs:|pop +%gs:|push +%gs:")
LINE = re.compile(r"^([0-9a-f]{16}):\t(.*?)(?: +#.*)?\s*$")
LABELS = ["entry_system_call", "entry_resume", "entry_resume_handed", "refuse", "foreign", "by_iret", "enter"]
FATAL, CPU = 11, "max"
REFLECT, BENCH = "test/reflect-kpti.cpio", "bench/kernel-kpti.cpio"
USES = {"refuse": BENCH}            # of what REFLECT does not come to


@dataclass(frozen=True)
class Insn:
    label: str
    at: int
    text: str


def edges(kernel):
    """[Insn] of the entry code that are at the edge and that every boot comes to."""
    words = ["x86_64-linux-gnu-objdump", "-d", "--no-show-raw-insn", str(kernel)]
    found, label = [], None
    for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
        heading = re.match(r"^[0-9a-f]{16} <(\w+)>:$", line)
        insn = LINE.match(line)
        if heading:
            label = heading[1]
        elif insn and label in LABELS and EDGE.search(insn[2]):
            found.append(Insn(label, int(insn[1], 16), " ".join(insn[2].split())))
    return found


def near(insns):
    """Of those: what leaves, and what comes next after a change of CR3 or GS base."""
    chosen = []
    for label in LABELS:
        own = [insn for insn in insns if insn.label == label]
        turns = {i for i, insn in enumerate(own) if re.search(r"swapgs|%cr3", insn.text)}
        chosen += [insn for i, insn in enumerate(own) if i - 1 in turns or re.search(r"sysretq|iretq", insn.text)]
    return chosen


def system(file, is_kpti, at=None):
    """That archive with one of the kernels; `at`: with an illegal instruction there."""
    name = build(is_kpti).kernel.name
    program = elf.Elf(NATIVE / "boot" / name)
    data = bytearray(program.data)
    if at is not None:
        start, offset, _ = next(one for one in program.segments if one[0] <= at < one[0] + one[2])
        data[offset + at - start:offset + at - start + len(ILLEGAL)] = ILLEGAL
    parts = archive.read((NATIVE / file).read_bytes())
    return archive.pack([(part, bytes(data) if part == "kernel" else content) for part, _, content, _ in parts])


def machine(tmp_path, packed):
    file = tmp_path / "archive.cpio"
    file.write_bytes(packed)
    return qemu.Machine(loader=build(True).loader, archive=file, cpu=CPU, icount=True)


@pytest.mark.parametrize("is_kpti", [True, False])
def test_every_way_has_its_edge(is_kpti):
    assert {insn.label for insn in edges(build(is_kpti).kernel)} == set(LABELS)


@pytest.mark.parametrize("is_kpti", [True, False])
def test_a_fault_there_ends_the_kernel_with_a_word(tmp_path, is_kpti):
    for insn in near(edges(build(is_kpti).kernel)):
        log = bytearray()
        with qemu.Guest(machine(tmp_path, system(USES.get(insn.label, REFLECT), is_kpti, insn.at))) as guest:
            status = guest.watch(lambda data: None, log.extend, 60)
        text = log.decode(errors="replace")
        assert (status, f"kernel bug: exception 6, error 0, at {insn.at:x}," in text) == (FATAL, True), f"{insn}: {text[-600:]}"


def test_an_nmi_there_does_nothing(tmp_path):
    files, insns = build(True), edges(build(True).kernel)
    orders = [f"thbreak *{insn.at:#x}" for insn in insns]
    orders += ["continue", "monitor nmi", "thbreak entry_nmi", "continue", 'printf "nmi at %lx\\n", *(unsigned long *)$rsp'] * len(insns)
    options = type("Options", (), {"batch": ";".join([*orders, "continue"])})
    status = []
    with qemu.Guest(machine(tmp_path, system(BENCH, True)), debugged=True) as guest:
        reader = threading.Thread(target=lambda: status.append(guest.watch(lambda data: None, lambda data: None, 100)), daemon=True)
        reader.start()
        said = subprocess.run(gdb.gdb_words(options, files, guest.debug_socket), capture_output=True, text=True, timeout=120).stdout
        reader.join(60)
    assert {int(at, 16) for at in re.findall(r"^nmi at ([0-9a-f]+)$", said, re.M)} == {insn.at for insn in insns}, said[-2000:]
    assert status == [qemu.PASS]
