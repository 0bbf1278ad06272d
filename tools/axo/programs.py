# SPDX-License-Identifier: BSD-2-Clause
"""programs.py: a static Linux program, booted as the first command on Axolotl and on Debian's Linux: same binary, same machine, -icount.

A run ends with what the program said to its standard output, and with why it did not end well, if so."""
import os
import time
from dataclasses import dataclass

from . import exec, frames, linux, qemu, root, say

TIMEOUT = 900           # host seconds of a boot
SILENCE = 240           # and without a word
BIN = "bin/"
STEADY = ["-seed", "1", "-rtc", "base=2026-01-01,clock=vm"]      # the same random numbers and dates on every run


@dataclass
class Order:
    """What is run: files that go to /bin, and the words of the command, the first one of the files."""
    files: list         # paths
    words: list

    def extra(self):
        """What goes into either root: the programs, and the order to run one."""
        start = b"".join(os.fsencode(word) + b"\0" for word in ["exec", os.path.join("/", BIN, self.words[0]), *self.words[1:]])
        return [*((BIN + path.name, path.read_bytes(), 0o755) for path in self.files), (exec.START_FILE, start, 0o644)]


@dataclass
class Run:
    said: bytes
    wrong: str = None           # a sentence
    is_hosts: bool = False      # it is the host's fault
    is_late: bool = False       # the time ran out

    def check(self, what):
        """What the program said; a failure if it did not end well."""
        if self.wrong:
            raise (say.host_failure if self.is_hosts else say.guest_failure)(f"{what}: {self.wrong}")
        return self.said


class Ear:
    """Gathers what is said, tells `heard` about it, and stops a guest that says nothing more."""

    def __init__(self, guest, heard):
        self.guest, self.heard, self.said, self.last, self.is_late = guest, heard, bytearray(), time.monotonic(), False

    def __call__(self, data):
        self.said += data
        self.last = time.monotonic()
        if self.heard:
            self.heard(bytes(self.said))

    def tick(self):
        if time.monotonic() > self.last + SILENCE:
            self.is_late = True
            self.guest.stop()

    def run(self, status):
        """The Run, from QEMU's status."""
        if self.is_late or status is None:
            return Run(bytes(self.said), "the time ran out", False, True)
        if status != qemu.PASS:
            return Run(bytes(self.said), *self.guest.complaint(status))
        return Run(bytes(self.said))


class Listener(exec.Command):
    """Keeps what the command says instead of showing it."""

    def __init__(self, guest, ear):
        super().__init__(guest)
        self.ear = ear

    def copy(self, kind, payload):
        if kind == frames.STDOUT:
            self.ear(payload)
        else:
            os.write(2, payload)

    def tick(self):
        super().tick()
        self.ear.tick()


def on_axolotl(files, folder, order, heard=None, extra=(), **machine):
    """`machine`: qemu.Machine's own words, such as cpu."""
    root.for_run(files.system, folder / "archive", None, order.extra())
    with qemu.Guest(qemu.Machine(loader=files.loader, archive=folder / "archive", icount=True, extra=[*STEADY, *extra], **machine)) as guest:
        ear = Ear(guest, heard)
        command = Listener(guest, ear)
        status = guest.watch(command.console, command.log, TIMEOUT, tick=command.tick)
        guest.keep_log(files.last_log)
        run = ear.run(status)
        if run.wrong is None and command.status:
            run.wrong = f"{order.words[0]} ended with status {command.status}"
        return run


def on_linux(files, folder, order, heard=None, extra=(), **machine):
    linux.initramfs(files, folder / "initramfs", None, order.extra())
    with qemu.Guest(linux.machine(files, folder / "initramfs", icount=True, extra=[*STEADY, *extra], **machine)) as guest:
        ear = Ear(guest, heard)
        return ear.run(guest.watch(ear, lambda data: None, TIMEOUT, tick=ear.tick))


SYSTEMS = {"axolotl": on_axolotl, "linux": on_linux}
