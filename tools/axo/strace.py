# SPDX-License-Identifier: BSD-2-Clause
"""strace.py: the lines of `axo run --strace`, taken out of the kernel's log.

The runtime of each Linux process writes a line a call to the log, `[pid 4] close(3) = 0`. Here they are parted from the log's
other lines. They go to a file, or to standard error; there a line never comes between two bytes of a line of the program's
own: it waits until that ends. So what does not begin with `[pid ` is what the program wrote."""
import os
import re

from . import say

MARK = b"[pid "
LINE = re.compile(rb"\[pid \d+\] ")
ERR = 2


def open_sink(name):
    """The file that --strace names; None: standard error."""
    if not name:
        return None
    try:
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except OSError as problem:
        raise say.usage_failure(f"--strace: cannot write {name}: {problem.strerror}") from None


def write_all(descriptor, data):
    """Whether it could be written; a reader who has gone holds nothing up."""
    try:
        while data:
            data = data[os.write(descriptor, data):]
    except OSError:
        return False
    return True


class Trace:
    """`trace(data)` takes what the log says; `rest` gets what is no system call."""

    def __init__(self, sink, rest=lambda data: None, newline=b"\n", err=ERR):
        self.descriptor, self.shared = (err, True) if sink is None else (sink, False)
        self.rest, self.newline = rest, newline
        self.part, self.held, self.inside = b"", b"", False

    def __call__(self, data):
        *lines, self.part = (self.part + data).split(b"\n")
        other = b""
        for line in lines:
            if LINE.match(line):
                self.held += line.rstrip(b"\r") + self.newline
            else:
                other += line + b"\n"
        if not self.part.startswith(MARK[:len(self.part)]) or not self.part:    # it cannot become a call's line: do not hold it back
            other, self.part = other + self.part, b""
        if other:
            self.rest(other)
        self.release()

    def wrote(self, data):
        """The program's own bytes have gone to standard error."""
        if self.shared and data:
            self.inside = not data.endswith(b"\n")
            self.release()

    def release(self):
        if self.held and not self.inside:
            write_all(self.descriptor, self.held)
            self.held = b""

    def close(self):
        """The run is over: what was held back comes on lines of its own."""
        if self.part:
            self.rest(self.part)
            self.part = b""
        if self.held and self.inside:
            write_all(self.descriptor, b"\n")
        self.inside = False
        self.release()
        if not self.shared:
            os.close(self.descriptor)
