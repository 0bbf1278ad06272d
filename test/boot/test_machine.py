# SPDX-License-Identifier: BSD-2-Clause
"""The machine layer alone: machine.c in place of the generic kernel."""
import pytest

from test_boot_paths import BOOT, boot, members


def check(tmp_path, words=(), kernel="machine-check", **machine):
    if not (BOOT / kernel).exists():
        pytest.skip(f"{kernel} is not built")
    return boot(tmp_path, members(kernel=(BOOT / kernel).read_bytes()), words=words, **machine)


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
@pytest.mark.parametrize("board", ["pc", "q35"])
@pytest.mark.parametrize("icount", [False, True])
def test_machine(tmp_path, cpu, board, icount):
    status, log = check(tmp_path, cpu=cpu, board=board, icount=icount)
    assert status == 33 and ", 0 failures" in log, log


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
def test_machine_with_kpti(tmp_path, cpu):
    status, log = check(tmp_path, kernel="machine-check-kpti", cpu=cpu)
    assert status == 33 and ", 0 failures" in log, log


@pytest.mark.parametrize("kernel,word,exception", [("machine-check", "overflow", 8), ("machine-check", "fault", 14),
                                                   ("machine-check-kpti", "overflow", 14), ("machine-check-kpti", "fault", 14)])
def test_end_of_the_kernel(tmp_path, kernel, word, exception):
    status, log = check(tmp_path, [word], kernel)
    assert status == 11 and f"kernel bug: exception {exception}," in log and "r15 " in log, log
