# SPDX-License-Identifier: BSD-2-Clause
"""exec.py: `axo run --exec`: a command's standard input, output, error and status over the guest's console.

Standard input is read once the guest has asked for it, by its first acknowledgement, and no faster than it takes it. What the
command writes goes out as it comes. Everything that is no frame, firmware's messages above all, is passed over."""
import errno
import os
import re
import time

from . import frames, qemu, say

START_FILE = "etc/axo/start"            # in the root file system: NUL-separated words, as docs/personality.md says
TIMEOUT = 120.0
WINDOW, PATIENCE = 2, 1.0               # of standard input: QEMU hands it over slowly, and acknowledgements of output wait behind it
AHEAD = 4 * frames.WINDOW               # frames of standard input that may wait here
OUT, ERR = 1, 2
NAMES = {frames.STDOUT: "output", frames.STDERR: "error"}
NOBODY_READS = (errno.EPIPE, errno.ECONNRESET)
ROOT_DIED = re.compile(rb"^(?:(?:root|sigma0): panic: |kernel: thread \d+ \((?:keeper|sigma0)\) ).*(?=\n)", re.M)


def start_words(command, trace=None):
    """What START_FILE says, so that the first process is the command. `trace`: "strace", each system call is a line of the
    kernel's log; "calls", the end of each program tells how many it made."""
    words = ["exec", *([trace] if trace else []), "/bin/sh", "-c", command]
    return b"".join(os.fsencode(word) + b"\0" for word in words)


def session_words(size, term, strace=False):
    """What it says so that the first process is a shell on a console of (rows, columns)."""
    words = [f"tty:{size[0]}x{size[1]}", *(["strace"] if strace else []), f"TERM={term}", "/bin/sh"]
    return b"".join(os.fsencode(word) + b"\0" for word in words)


def exit_status(status):
    """What wait says, as a shell has it."""
    signal = status & 0x7f
    return 128 + signal if signal else status >> 8 & 0xff


class Command:
    """The host's half of one run. `copies` are the descriptors of standard output and error; `trace` a strace.Trace, or None."""

    def __init__(self, guest, copies=(OUT, ERR), trace=None):
        self.trace = trace
        self.guest, self.end, self.status = guest, frames.End(WINDOW, PATIENCE), None
        self.copies = {frames.STDOUT: copies[0], frames.STDERR: copies[1]}
        self.deaf = set()               # streams of which nothing can be written any more: axo was started without them, or
        self.unread = set()             # their reader has gone, of which whoever writes in the guest hears, as of a pipe's
        self.log_end, self.died = b"", None
        guest.listening = False         # firmware would take for its own what is sent now

    def console(self, data):
        now, notices = time.monotonic(), set()
        for kind, payload in self.end.feed(data, now):
            self.guest.listening = True
            if kind in self.copies:
                self.copy(kind, payload)
                if kind in self.unread:     # said again for each frame that comes all the same, so it may be lost
                    notices.add(kind)
            elif kind == frames.STATUS and len(payload) == 4:
                self.status = exit_status(int.from_bytes(payload, "little"))
        self.guest.listening |= self.end.asked
        for kind in notices:
            self.guest.send(frames.encode(frames.DEAF, 0, bytes([kind])))
        self.send(now)

    def log(self, data):
        """When a root task stops, the guest does nothing any more: it is ended at once."""
        if self.trace:
            self.trace(data)
        self.log_end = (self.log_end + data)[-qemu.SOME:]
        found = ROOT_DIED.search(self.log_end) if self.died is None else None
        if found:
            self.died = found[0].decode(errors="replace").strip()
            self.guest.stop()

    def copy(self, kind, payload):
        last = payload[-1:]
        while payload and kind not in self.deaf:
            try:
                payload = payload[os.write(self.copies[kind], payload):]
            except BlockingIOError:
                time.sleep(0.01)
            except OSError as problem:
                if problem.errno in NOBODY_READS:
                    self.unread.add(kind)
                elif problem.errno != errno.EBADF:
                    raise say.host_failure(f"cannot write standard {NAMES[kind]}: {problem.strerror}") from None
                self.deaf.add(kind)
        if self.trace and kind == frames.STDERR:
            self.trace.wrote(last)

    def typed(self, data):
        """Bytes of axo's standard input; b"": its end."""
        if data:
            self.end.put_bytes(frames.STDIN, data)
        else:
            self.end.put(frames.END_OF_FILE, bytes([frames.STDIN]))
        self.send(time.monotonic())
        return True

    def wants_input(self):
        return self.end.asked and len(self.end.waiting) < AHEAD

    def send(self, now):
        """What is still on its way into QEMU is not lost: nothing is repeated for its silence."""
        if self.guest.listening and not self.guest.unsent:
            self.guest.send(self.end.take(now, self.guest.on_its_way() > 0))

    def tick(self):
        """Called several times a second: what was lost is sent again."""
        self.send(time.monotonic())


def run(machine, last_log, timeout=None, stdin=0, copies=(OUT, ERR), lock=None, trace=None):
    """Boot `machine`, whose first process is the command; the command's status. What goes wrong is a say.Failure."""
    with qemu.Guest(machine, lock=lock) as guest:
        command = Command(guest, copies, trace)
        try:
            left = guest.watch(command.console, command.log, timeout or TIMEOUT, stdin, command.typed,
                               wants=command.wants_input, tick=command.tick)
        finally:
            if trace:
                trace.close()
            guest.keep_log(last_log)
        if command.status is not None and left == qemu.PASS:
            return command.status
        if command.died is not None:
            raise say.guest_failure(f"the guest died; it said: {command.died}")
        if left == qemu.PASS:
            raise say.guest_failure("the guest ended without the command's status")
        sentence, is_hosts = guest.complaint(left)
        raise (say.host_failure if is_hosts else say.guest_failure)(sentence)
