# SPDX-License-Identifier: BSD-2-Clause
"""What the CPU guards is on where the CPU has it, with and without KPTI: control registers seen from outside while a task runs, and tasks that
try. docs/security.md has the same table."""
import re

import pytest

from monitor import running
from test_boot_paths import KEEPER_AT, SIGMA0_AT, boot, members, program
from test_kpti import NATIVE, SPIN, build, in_user_mode
from axo import archive, qemu

CR0 = {"MP": 1, "EM": 2, "TS": 3, "NE": 5, "WP": 16, "AM": 18}
CR4 = {"PAE": 5, "PGE": 7, "UMIP": 11, "FSGSBASE": 16, "PCIDE": 17, "OSXSAVE": 18, "SMEP": 20, "SMAP": 21}
EFER = {"SCE": 0, "LMA": 10, "NXE": 11}
ALWAYS = {"MP", "TS", "NE", "WP", "AM", "PAE", "PGE", "SCE", "LMA", "NXE"}
HAS = {"max": {"UMIP", "FSGSBASE", "OSXSAVE", "SMEP"}, "qemu64": set(), "max,-smep,-umip": {"FSGSBASE", "OSXSAVE"}}
NO_NX = {"max,-nx": HAS["max"] | ALWAYS - {"NXE"}}
# Into the thread's UTCB: sgdt -0xfe00(%rsp); ud2. And into the info page: movabs $0x7fffffff0000, %rax; jmp *%rax
READ_GDT, RUN_DATA = bytes.fromhex("0f01842400 02ffff 0f0b"), bytes.fromhex("48b80000ffffff7f0000 ffe0")
ILLEGAL, PROTECTION, PAGE_FAULT, FETCH = 6, 13, 14, 0x15


def control(monitor):
    """The names of the bits that are set."""
    text = monitor.ask("info registers")
    values = [(names, int(re.search(rf"\b{register}=([0-9a-f]+)", text)[1], 16))
              for register, names in (("CR0", CR0), ("CR4", CR4), ("EFER", EFER))]
    return {name for names, value in values for name, bit in names.items() if value >> bit & 1}


@pytest.mark.parametrize("is_kpti", [True, False])
@pytest.mark.parametrize("cpu,wanted", [*((cpu, ALWAYS | has) for cpu, has in HAS.items()), *NO_NX.items()])
def test_what_the_cpu_has_is_on(tmp_path, cpu, wanted, is_kpti):
    kernel = (NATIVE / "boot" / build(is_kpti).kernel.name).read_bytes()
    file = tmp_path / "archive.cpio"
    file.write_bytes(archive.pack([("kernel", kernel), ("sigma0", program(SIGMA0_AT)), ("keeper", program(KEEPER_AT, SPIN))]))
    with running(qemu.Machine(loader=build(is_kpti).loader, archive=file, cpu=cpu), tmp_path) as (_, monitor):
        monitor.stop_where(in_user_mode)
        assert control(monitor) == wanted


def halted(tmp_path, code, **machine):
    """(exception, error) with which keeper halts that runs this."""
    _, log = boot(tmp_path, members(keeper=program(KEEPER_AT, code)), b", rsp", **machine)
    found = re.search(r"keeper\) halted by exception (\d+), error ([0-9a-f]+)", log)
    assert found, log
    return int(found[1]), int(found[2], 16)


@pytest.mark.parametrize("cpu,exception", [("max", PROTECTION), ("qemu64", ILLEGAL), ("max,-umip", ILLEGAL)])
def test_tables_are_not_told(tmp_path, cpu, exception):
    assert halted(tmp_path, READ_GDT, cpu=cpu)[0] == exception


@pytest.mark.parametrize("cpu", ["max", "qemu64"])
def test_data_are_no_code(tmp_path, cpu):
    assert halted(tmp_path, RUN_DATA, cpu=cpu) == (PAGE_FAULT, FETCH)
