# SPDX-License-Identifier: BSD-2-Clause
"""Every way into the kernel, and every sentence with which the loader refuses.

The kernel is the real one; sigma0 and keeper are one illegal instruction each, so that the kernel's log ends with both
halted: by then loader, CPU tables, clocks, paging and the way into user mode have worked."""
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import archive, qemu  # noqa: E402

BOOT = Path(os.environ.get("AXO_NATIVE", TOP / "build" / "native")) / "boot"
SIGMA0_AT, KEEPER_AT = 0x7e0000000000, 0x400000
ILLEGAL = b"\x0f\x0b"


def program(at, code=ILLEGAL, *, kind=2, machine=62, file_bytes=None, entry=None, segments=1):
    """A static ELF64 program of one executable page, or a broken one."""
    header = b"\x7fELF\2\1\1".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, at if entry is None else entry, 64, 0, 0, 64, 56, segments, 64, 0, 0)
    size = len(code) if file_bytes is None else file_bytes
    load = struct.pack("<IIQQQQQQ", 1, 5, 4096, at, at, size, size, 4096)
    return (header + load * segments).ljust(4096, b"\0") + code


def members(**other):
    """The three first members, some replaced; None leaves one out."""
    if not (BOOT / "loader").exists() or not (BOOT / "kernel").exists():
        pytest.skip("loader or kernel is not built")
    parts = {"kernel": (BOOT / "kernel").read_bytes(), "sigma0": program(SIGMA0_AT), "keeper": program(KEEPER_AT), **other}
    return archive.pack([(name, data) for name, data in parts.items() if data is not None])


def boot(tmp_path, packed, done=b"\0never", words=(), **machine):
    """(QEMU's status, the log) of a boot that is stopped as soon as the log holds `done` twice."""
    file = tmp_path / "archive.cpio"
    file.write_bytes(packed)
    log = bytearray()
    with qemu.Guest(qemu.Machine(loader=BOOT / "loader", archive=file, words=list(words), **machine)) as guest:
        def on_log(data):
            log.extend(data)
            if log.count(done) >= 2:
                guest.stop()
        status = guest.watch(lambda data: None, on_log, 60)
    return status, log.decode(errors="replace")


@pytest.mark.parametrize("way,board,mem,cpu,icount", [
    ("direct", "pc", 64, "qemu64", False), ("direct", "pc", 64, "max", False), ("direct", "q35", 512, "qemu64", False),
    ("direct", "q35", 512, "max", False), ("direct", "pc", 5120, "qemu64", False), ("direct", "q35", 5120, "max", False),
    ("direct", "pc", 512, "qemu64", True), ("direct", "pc", 512, "max", True),
    ("iso", "pc", 64, "qemu64", False), ("iso", "pc", 5120, "max", False), ("iso", "q35", 512, "max", False),
    ("uefi", "q35", 512, "qemu64", False), ("uefi", "q35", 5120, "max", False),
])
def test_path(tmp_path, way, board, mem, cpu, icount):
    _, log = boot(tmp_path, members(), b"exception 6", ["some", "words"], way=way, board=board, mem=mem, cpu=cpu, icount=icount)
    assert "cpu: " in log and log.count("exception 6") == 2, log
    if cpu == "max":
        assert "active: nx smep no-smap umip fsgsbase xsave avx" in log, log     # docs/decisions/0005-no-smap-in-tcg.md
    if icount:
        assert "tsc 1000000 kHz (icount)" in log, log



@pytest.mark.parametrize("change,machine,sentence", [
    (dict(keeper=None), {}, "no member `keeper`"),
    (dict(sigma0=None), {}, "has `keeper` where `sigma0` belongs"),
    (dict(kernel=program(KEEPER_AT)), {}, "`kernel` in the boot archive is no usable ELF64 program: a segment's address"),
    (dict(sigma0=b"#!/bin/sh\n" * 10), {}, "does not begin with an ELF64"),
    (dict(sigma0=program(SIGMA0_AT, kind=3)), {}, "not an executable (ET_EXEC)"),
    (dict(sigma0=program(SIGMA0_AT, machine=183)), {}, "not an executable (ET_EXEC)"),
    (dict(keeper=program(KEEPER_AT, file_bytes=9999)), {}, "a segment lies outside the file"),
    (dict(keeper=program(0xffff800000000000)), {}, "a segment's address is outside"),
    (dict(keeper=program(KEEPER_AT, entry=0x500000)), {}, "its entry is in no executable segment"),
    (dict(keeper=program(KEEPER_AT, segments=2)), {}, "segments are out of order or share a page"),
    (dict(keeper=program(KEEPER_AT)[:100]), {}, "program headers lie outside the file"),
    ({}, dict(words=["w" * 1024]), "command line is longer"),
    (dict(keeper=program(KEEPER_AT, b"\x0f\x0b" * 1024 * 6000)), dict(mem=20), "too little memory for keeper"),
    ({}, dict(cpu="pentium3"), "no 64-bit long mode"),
])
def test_refusal(tmp_path, change, machine, sentence):
    status, log = boot(tmp_path, members(**change), **machine)
    assert sentence in log and status == 7, log


@pytest.mark.parametrize("spoil,sentence", [
    (lambda packed: b"x" + packed, "no cpio archive of the newc form"),
    (lambda packed: packed[:50], "no cpio archive of the newc form"),
    (lambda packed: packed[:9000], "ends behind the archive"),
    (lambda packed: packed[:60] + b"zz" + packed[62:], "broken cpio header"),
])
def test_spoilt_archive(tmp_path, spoil, sentence):
    status, log = boot(tmp_path, spoil(members()))
    assert sentence in log and status == 7, log


def test_no_archive():
    if not (BOOT / "loader").exists():
        pytest.skip("the loader is not built")
    words = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio", "-serial", "null",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", str(BOOT / "loader")]
    answer = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert "no boot archive was given" in answer.stdout and answer.returncode == 7     # COM1 hears it too
