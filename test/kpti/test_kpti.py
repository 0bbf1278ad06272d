# SPDX-License-Identifier: BSD-2-Clause
"""What user mode's page tables have of the kernel, seen from outside: QEMU stops the guest while user code runs and walks the tables in CR3."""
import os
import struct
import subprocess
from pathlib import Path

import pytest

from axo import archive, elf, exec, paths, qemu, root
from conftest import TOP
from monitor import running
from test_boot_paths import KEEPER_AT, SIGMA0_AT, program

NATIVE = Path(os.environ.get("AXO_NATIVE", TOP / "build" / "native"))
USER_END, PORTS_AT, PORT_FRAMES = 1 << 47, 0xffffff0000000000, 1 << 51
IMAGE, DIRECT_MAP = 0xffffffff80000000, 0xffff800000000000
ENTRY_FLAG, WRITE, EXECUTE = 0x100000, 2, 1
ENTRY_DATA = {"boot_cpu", "idt", "cpu_kernel_root", "fault_stack_end"}
SPIN = b"\xeb\xfe"
WORK = "i=0; while :; do i=$((i+1)); echo $i | cat >/dev/null; done"


def build(is_kpti):
    return paths.Build(NATIVE.parent, is_kpti)


def entry_pages(kernel):
    """{address: (writable, executable)} of the pages that the kernel's file says user mode needs."""
    return {at: (bool(flags & WRITE), bool(flags & EXECUTE)) for start, size, flags in load_segments(kernel) if flags & ENTRY_FLAG
            for at in range(start, start + size, 4096)}


def load_segments(kernel):
    """[(address, bytes, flags)]"""
    data = Path(kernel).read_bytes()
    first, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    parts = [struct.unpack_from("<IIQQQQQQ", data, first + i * size) for i in range(count)]
    return [(part[3], part[6], part[1]) for part in parts if part[0] == elf.LOAD and part[6]]


def judge(monitor, pages, allowed):
    """Sentences about kernel pages that are not as they should be. I/O ports are pages too, of frames that no machine has."""
    kernel = [page for page in pages if page.at >= USER_END]
    ports = [page for page in kernel if PORTS_AT <= page.at < IMAGE]
    rest = {page.at: page for page in kernel if page not in ports}
    wrong = [f"port page {page.at:x} is memory" for page in ports if page.is_user or not monitor.entry(page.at) & PORT_FRAMES]
    wrong += [f"{at:x} is mapped" for at in rest.keys() - allowed.keys()] + [f"{at:x} is missing" for at in allowed.keys() - rest.keys()]
    return wrong + [f"{at:x} has rights {page}" for at, page in rest.items()
                    if at in allowed and (page.is_user, page.is_writable, page.is_executable) != (False, *allowed[at])]


@pytest.fixture(params=["max", "qemu64"])
def cpu(request):
    return request.param


def two_tasks(is_kpti):
    """An archive of that kernel, sigma0 that is halted, and keeper that spins in user mode."""
    kernel = (NATIVE / "boot" / build(is_kpti).kernel.name).read_bytes()
    return archive.pack([("kernel", kernel), ("sigma0", program(SIGMA0_AT)), ("keeper", program(KEEPER_AT, SPIN))])


def machine(tmp_path, packed, cpu="max"):
    file = tmp_path / "archive.cpio"
    file.write_bytes(packed)
    return qemu.Machine(loader=build(True).loader, archive=file, cpu=cpu)


def in_user_mode(registers):
    return registers["CPL"] == 3


def test_a_task_sees_of_the_kernel_only_the_way_in(tmp_path, cpu):
    with running(machine(tmp_path, two_tasks(True), cpu), tmp_path) as (_, monitor):
        assert monitor.stop_where(in_user_mode)["RIP"] == KEEPER_AT
        pages, allowed = monitor.pages(), entry_pages(build(True).kernel)
        assert 3 <= len(allowed) <= 16
        assert judge(monitor, pages, allowed) == []
    assert any(page.at == KEEPER_AT and page.is_user for page in pages), "the tables are the task's"


def test_an_nmi_finds_its_stack_there(tmp_path):
    with running(machine(tmp_path, two_tasks(True)), tmp_path) as (guest, monitor):
        before = monitor.stop_where(in_user_mode)
        for _ in range(20):
            monitor.say("inject-nmi")
            monitor.say("cont")
            assert monitor.stop_where(in_user_mode) == before
        assert guest.process.poll() is None


def test_without_kpti_it_sees_everything(tmp_path):
    """The same eyes find the kernel where it is."""
    with running(machine(tmp_path, two_tasks(False)), tmp_path) as (_, monitor):
        monitor.stop_where(in_user_mode)
        pages = monitor.pages()
        assert any("is mapped" in each for each in judge(monitor, pages, {}))
    assert not [page for page in pages if page.at < USER_END and not page.is_user], "nothing is left of what the loader had mapped"
    assert entry_pages(build(False).kernel) == {}
    assert {page.at for page in pages} >= {DIRECT_MAP, *(at for at, _, _ in load_segments(build(False).kernel))}


def test_the_kernel_sees_no_user(tmp_path):
    halted = archive.pack([("kernel", (NATIVE / "boot" / "kernel-kpti").read_bytes()), ("sigma0", program(SIGMA0_AT)), ("keeper", program(KEEPER_AT))])
    with running(machine(tmp_path, halted), tmp_path) as (_, monitor):
        idle = elf.Elf(build(True).kernel).address("entry_idle")
        monitor.stop_where(lambda found: found["CPL"] == 0 and idle <= found["RIP"] < idle + 4)
        pages = monitor.pages()
    assert pages and not [page for page in pages if page.is_user or page.at < USER_END]
    assert DIRECT_MAP in {page.at for page in pages}


def test_every_task_of_a_system(tmp_path):
    """Programs, servers and drivers at work: whoever runs in user mode when the clock strikes."""
    start = [(exec.START_FILE, exec.start_words(WORK, None), 0o644)]
    root.for_run(build(True).system, tmp_path / "archive.cpio", None, start)
    allowed, roots = entry_pages(build(True).kernel), set()
    whole = qemu.Machine(loader=build(True).loader, archive=tmp_path / "archive.cpio")
    with running(whole, tmp_path) as (_, monitor):
        for _ in range(400):
            found = monitor.stop_where(in_user_mode)
            if found["CR3"] not in roots:
                roots.add(found["CR3"])
                assert judge(monitor, monitor.pages(), allowed) == [], found
            monitor.say("cont")
            if len(roots) >= 6:
                break
    assert len(roots) >= 6, "too few tasks were seen"


def test_what_is_on_those_pages():
    """Only entry.S, and only the data that it is about."""
    kernel = build(True).kernel
    said = subprocess.run(["x86_64-linux-gnu-nm", str(kernel)], capture_output=True, text=True, check=True).stdout
    symbols = [(int(line.split()[0], 16), line.split()[2]) for line in said.splitlines() if len(line.split()) == 3]
    within = {True: set(), False: set()}
    for start, size, flags in load_segments(kernel):
        if flags & ENTRY_FLAG:
            within[bool(flags & EXECUTE)] |= {name for at, name in symbols if start <= at < start + size}
    assert within[False] | {"fault_stack_end"} == ENTRY_DATA
    assembled = subprocess.run(["x86_64-linux-gnu-nm", *NATIVE.glob("kernel/CMakeFiles/kernel-kpti.dir/arch/x86_64/entry.S.*")],
                               capture_output=True, text=True, check=True).stdout
    assert within[True] == {line.split()[2] for line in assembled.splitlines() if line.split()[-2] in "tT"}


@pytest.mark.parametrize("cpu", ["max", "qemu64"])
def test_programs_run(cpu):
    run = subprocess.run([str(TOP / "axo"), "run", "--kpti", "--no-build", "--no-install", "--build-dir", str(NATIVE.parent), "--cpu", cpu,
                          "--exec", "echo hi; seq 3 | sort -r; cat /nowhere"], capture_output=True, text=True, timeout=180)
    assert (run.stdout, run.returncode) == ("hi\n3\n2\n1\n", 1), run.stderr
