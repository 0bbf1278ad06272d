# SPDX-License-Identifier: BSD-2-Clause
"""The command `waits` of `axo gdb`: sigma0 is halted, keeper waits at its gate."""
import re
import subprocess
import threading
from types import SimpleNamespace

import pytest

from test_boot_paths import BOOT, KEEPER_AT, members, program
from axo import gdb, qemu

# mov $5, %r10d (its door to sigma0); mov $0x100001, %edi; xor %eax, %eax; syscall; ud2
CALL = bytes.fromhex("41ba05000000 bf01001000 31c0 0f05 0f0b")


def test_waits(tmp_path):
    symbols = BOOT.parent / "bin"
    if not (symbols / "kernel").exists():
        pytest.skip("no kernel with symbols is built")
    file = tmp_path / "archive.cpio"
    file.write_bytes(members(keeper=program(KEEPER_AT, CALL)))
    options = SimpleNamespace(batch="waits; break entry_idle; continue; waits")
    with qemu.Guest(qemu.Machine(loader=BOOT / "loader", archive=file), debugged=True) as guest:
        reader = threading.Thread(target=guest.watch, args=(lambda data: None, lambda data: None), daemon=True)
        reader.start()
        words = gdb.gdb_words(options, SimpleNamespace(kernel=symbols / "kernel"), guest.debug_socket)
        run = subprocess.run(words, capture_output=True, text=True, timeout=60)
        said = run.stdout
        guest.stop()
        reader.join(5)
    threads = [line for line in said.splitlines() if line.startswith("thread ")]
    assert len(threads) == 2, said
    assert "the kernel does not run yet" in run.stderr
    assert re.fullmatch(r"thread \d+ sigma0 of task \d+ sigma0, priority 62: halted, rip 0x7e\w+", threads[0]), said
    assert re.fullmatch(r"thread \d+ keeper of task \d+ keeper, priority 61: sending to \d+, rip 0x40\w+", threads[1]), said
