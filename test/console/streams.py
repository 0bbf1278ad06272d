# SPDX-License-Identifier: BSD-2-Clause
"""streams.py: a command on the whole system, whose streams the test holds in its own hands: it hears each byte as it comes, types when it
likes, and sees in the kernel's log when keeper finds the driver dead."""
import re
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import exec as command, frames, paths, qemu, root, say, scratch  # noqa: E402

DEATH = re.compile(rb"^\S+: serial: defect (\d+) of class (\d+) \(ordered\)", re.M)


class Run(command.Command):
    """What came, and at which byte of standard output the driver died. `on_output(run)` is called when output has come, to type."""

    def __init__(self, guest, on_output=None, rate=None):
        super().__init__(guest)
        self.rate = rate        # bytes a second that this end takes, as a real line would
        self.out, self.err, self.log = bytearray(), bytearray(), bytearray()
        self.on_output, self.deaths = on_output, []
        self.raw = []           # (host seconds, bytes) of everything that the line brought

    def console(self, data):
        self.raw.append((time.monotonic(), len(data)))
        step = 512 if self.rate else len(data)
        for at in range(0, len(data), step):
            time.sleep(len(data[at:at + step]) / self.rate if self.rate else 0)
            super().console(data[at:at + step])
            if self.rate and self.guest.unsent and self.guest.listening:
                self.guest.send_some()          # its answers go out meanwhile, as on a real line

    def copy(self, kind, payload):
        (self.out if kind == frames.STDOUT else self.err).extend(payload)
        if kind == frames.STDOUT and self.on_output:
            self.on_output(self)

    def heard_log(self, data):
        """The log is read before the console: a byte counts as received before a death only if the host had it before it knew of that."""
        known = len(DEATH.findall(self.log))
        self.log += data
        for _ in range(len(DEATH.findall(self.log)) - known):
            self.deaths.append(len(self.out))

    def type(self, text):
        self.typed(text)

    def end_input(self):
        self.typed(b"")

    def gaps(self):
        """[(seconds, bytes before it)] of silence on the line, the longest first."""
        times = [when for when, _ in self.raw]
        total, found = 0, []
        for (when, size), after in zip(self.raw, times[1:]):
            total += size
            found.append((after - when, total))
        return sorted(found, reverse=True)


def run(text, on_output=None, tick=None, timeout=150, build=None, rate=None, kind=Run, **settings):
    """The Run of `text` by /bin/sh, at its end; run.status is the command's. Standard input ends when the test says so."""
    files = paths.Build(build)
    with scratch.Folder() as folder:
        archive = folder / "archive"
        root.for_run(files.system, archive, None, [(command.START_FILE, command.start_words(text), 0o644)])
        with qemu.Guest(qemu.Machine(loader=files.loader, archive=archive, **settings)) as guest:
            this = kind(guest, on_output, rate)
            left = guest.watch(this.console, this.heard_log, timeout, tick=lambda: (this.tick(), tick and tick(this)))
            if left != qemu.PASS:
                raise say.Failure(f"{guest.complaint(left)[0]}; {len(this.out)} bytes had come, {len(this.deaths)} deaths", say.GUEST)
    return this


def service(listing, name):
    """{heading: word} of one line of `service list`."""
    lines = listing.decode().splitlines()
    heading = next(line for line in lines if line.startswith("service  "))
    words = next(line.split() for line in lines if line.split()[:1] == [name])
    return dict(zip(heading.replace("in a row", "in-a-row").replace("since s", "since").split(), words))
