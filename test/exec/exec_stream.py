# SPDX-License-Identifier: BSD-2-Clause
"""exec_stream.py: the streams of `axo run --exec` between the host's end and tty, with a native program as the command."""
import os
import sys
import threading
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))
NATIVE = Path(os.environ["AXO_NATIVE"])

from axo import exec as command, qemu, say  # noqa: E402


def collect(descriptor, into):
    with os.fdopen(descriptor, "rb") as source:
        into += source.read()


def run(text, tmp_path, timeout=60):
    """(status, standard output, standard error) of one run with this standard input."""
    machine = qemu.Machine(loader=NATIVE / "boot" / "loader", archive=NATIVE / "test" / "exec.cpio")
    (in_read, in_write), (out_read, out_write), (err_read, err_write) = os.pipe(), os.pipe(), os.pipe()
    out, err = bytearray(), bytearray()

    def feed():
        with os.fdopen(in_write, "wb") as sink:
            try:
                sink.write(text)
            except BrokenPipeError:
                pass

    helpers = [threading.Thread(target=feed, daemon=True), threading.Thread(target=collect, args=(out_read, out)),
               threading.Thread(target=collect, args=(err_read, err))]
    for helper in helpers:
        helper.start()
    try:
        status = command.run(machine, tmp_path / "last-boot.log", timeout, in_read, (out_write, err_write))
    finally:
        for descriptor in (in_read, out_write, err_write):
            os.close(descriptor)
        for helper in helpers[1:]:
            helper.join()
    return status, bytes(out), bytes(err)


def numbered(count):
    return [b"line %06u of what goes to the host\n" % number for number in range(count)]


def test_bytes_come_back_as_they_went(tmp_path):
    text = bytes(range(256)) * 400 + b"\x7e\x7d" * 3000
    assert run(b"echo\n" + text, tmp_path) == (3, text, b"%d\n" % len(text))


def test_standard_error_is_separate(tmp_path):
    lines = numbered(3000)
    assert run(b"lines 3000\n", tmp_path) == (0, b"".join(lines), b"".join(lines[::10]))


def test_input_that_nobody_reads_holds_nothing_up(tmp_path):
    lines = numbered(3000)
    status, out, _ = run(b"lines 3000\n" + b"x" * 200000, tmp_path)
    assert (status, out) == (0, b"".join(lines))


def test_death_by_signal(tmp_path):
    assert run(b"die\n", tmp_path) == (128 + 9, b"", b"")


def test_time_that_runs_out(tmp_path):
    with pytest.raises(say.Failure) as failure:
        run(b"hang\n", tmp_path, 5)
    assert failure.value.status == say.GUEST and "time ran out" in str(failure.value)


def test_while_driver_and_tty_are_killed(tmp_path):
    lines = numbered(12000)
    status, out, err = run(b"kill 10\n", tmp_path, 120)
    assert out == b"".join(lines) and err == b"".join(lines[::10]) and status == 0
