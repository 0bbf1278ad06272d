# SPDX-License-Identifier: BSD-2-Clause
"""A megabyte of numbered lines goes out through the raw console of the whole system, numbered lines are typed the other way, and the host orders 52
kills of the serial driver, 13 of each kind, by typing them between the lines. Nothing here is framed or sent again: what the driver loses
is lost and what it repeats is seen twice. For each kill the host knows how much had come and gone for certain when it happened, and how much
at most."""
import fcntl
import os
import re
import struct
import termios
from pathlib import Path

import pytest
import streams
from streams import paths, qemu, root, scratch

from axo import run as interactive

BUILD = Path(os.environ["AXO_NATIVE"]).parent
WAYS = ["exit", "null", "loop", "port"]
KILLS, LINES, TYPED = 52, 19100, 2120
OUT = b"".join(b"line %05d: no byte of it is lost and none comes twice\n" % number for number in range(LINES))
IN = [b"typed %05d: no byte of it is lost and none comes twice\n" % number for number in range(TYPED)]
BATCH = TYPED // (KILLS + 2)                            # lines typed behind each order
STEP = len(OUT) // (KILLS + 2)                          # bytes of output from one order to the next
DEATH = re.compile(rb"^\S+: serial: defect \d+ of class (\d) \(ordered\), vector (\d+) at .*\n", re.M)
KINDS = {(1, 6): "exit", (2, 14): "null", (4, 0): "loop", (2, 13): "port"}      # keeper's class, and the exception
SCRIPT = f"""stty raw -echo
exec 3<&0
awk '$1 == "kill" {{ print "kill serial " $2 > "/proc/axo/control"; close("/proc/axo/control"); next }}
     $1 == "end" {{ exit }}
     {{ print > "/tmp/typed" }}' <&3 &
echo ready
awk 'BEGIN {{ for (i = 0; i < {LINES}; i++) printf "line %05d: no byte of it is lost and none comes twice\\n", i }}'
wait
cat /tmp/typed
service list
"""


def readable(socket):
    """Bytes that came and were not read."""
    return struct.unpack("i", fcntl.ioctl(socket, termios.FIONREAD, bytes(4)))[0]


class Console:
    """Both directions of the line. `deaths`: of each the kind, and (certainly, at most) how many bytes had come and how many had gone."""

    def __init__(self, guest):
        self.guest, self.out, self.log, self.ending = guest, bytearray(), bytearray(), interactive.Ending()
        self.before_last = 0            # bytes of output without those that came last
        self.deaths, self.ordered = [], []
        self.typed = self.lines = 0
        guest.listening = False

    def hear(self, data):
        """The log is looked at before the console is read: all but what was read last had come before a death in the log that is read next."""
        self.before_last = len(self.out)
        self.out += self.ending.shown(data)
        if not self.guest.listening and b"ready\n" in self.out:
            del self.out[:self.out.index(b"ready\n") + 6]
            self.guest.listening, self.before_last = True, 0
            self.type_lines()
        self.order()

    def heard_log(self, data):
        self.log += data
        while (death := DEATH.search(bytes(self.log))) is not None:
            del self.log[:death.end()]
            self.deaths.append((KINDS.get((int(death[1]), int(death[2]))), self.before_last, len(self.out) + readable(self.guest.console),
                                max(0, self.typed - self.guest.on_its_way()), self.typed))
        self.order()

    def type(self, text):
        self.guest.send(text)
        self.typed += len(text)

    def type_lines(self):
        self.type(b"".join(IN[self.lines:self.lines + BATCH]))
        self.lines += BATCH

    def order(self):
        """The next kill once so much has come and the last one has happened; behind it lines that are on their way when the driver dies."""
        kills = len(self.ordered)
        if self.guest.listening and kills < KILLS and kills == len(self.deaths) and len(self.out) > (kills + 1) * STEP:
            self.ordered.append((WAYS[kills % 4], len(self.out), self.typed))
            self.type(b"kill %s\n" % WAYS[kills % 4].encode())
            self.type_lines()
        elif len(self.deaths) == KILLS and self.lines < TYPED:
            self.type(b"".join(IN[self.lines:]) + b"end\n")
            self.lines = TYPED


def boot():
    files = paths.Build(BUILD)
    with scratch.Folder() as folder:
        words = b"".join(word + b"\0" for word in (b"tty:24x80", b"TERM=dumb", b"/bin/sh", b"/etc/raw"))
        root.for_run(files.system, folder / "archive", None, [(streams.command.START_FILE, words, 0o644), ("etc/raw", SCRIPT.encode(), 0o644)])
        with qemu.Guest(qemu.Machine(loader=files.loader, archive=folder / "archive")) as guest:
            console = Console(guest)
            left = guest.watch(console.hear, console.heard_log, 200)
            assert left == qemu.PASS, (guest.complaint(left), len(console.out), len(console.deaths), bytes(console.out[-200:]))
    return console


def compared(came, wanted):
    """How many bytes of `came` repeat the one before them; the rest is `wanted`, byte for byte."""
    at = repeated = 0
    for place, byte in enumerate(came):
        if at < len(wanted) and byte == wanted[at]:
            at += 1
        elif at and byte == wanted[at - 1]:
            repeated += 1
        else:
            raise AssertionError(f"at {place}: {bytes(came[place - 60:place + 20])!r} instead of {wanted[at - 60:at + 20]!r}")
    assert at == len(wanted), f"the last {len(wanted) - at} bytes are missing"
    return repeated


def test_a_megabyte_and_typed_lines_while_the_driver_dies():
    console = boot()
    text = bytes(console.out)
    listing = text[text.index(b"service  "):]
    typed_from = text.index(b"typed 00000")
    repeated_out = compared(text[:typed_from], OUT)
    repeated_in = compared(text[typed_from:len(text) - len(listing)], b"".join(IN))
    for (kind, *places), (way, after, typed) in zip(console.deaths, console.ordered):
        print(f"{kind}: ordered after {after} out and {typed} in; between {places[0]} and {places[1]} of {len(OUT)} out, "
              f"{places[2]} and {places[3]} of {console.typed} in")
    print(f"{repeated_out} bytes of output and {repeated_in} of input came twice")
    assert [kind for kind, *_ in console.deaths] == [way for way, *_ in console.ordered] == [WAYS[number % 4] for number in range(KILLS)]
    for _, least_out, most_out, least_in, most_in in console.deaths:
        assert 0 < least_out and most_out < len(OUT), "output was under way"
        assert 0 < least_in and most_in < console.typed, "so was input"
    assert len(console.deaths) == KILLS >= 50 and all(KILLS // 4 >= 10 for _ in WAYS)
    assert repeated_out == 0 and repeated_in == 0, "one byte a kill might come twice; this driver's record of the device tells it from one that did not go"
    serial = streams.service(listing, "serial")
    assert (serial["ordered"], serial["defects"], serial["incarnation"]) == (str(KILLS), "0", str(KILLS + 1))
    assert console.ending.status == 0


def test_that_the_comparison_can_fail():
    assert compared(b"aabbc", b"abc") == 2 and compared(b"aaab", b"aab") == 1 and compared(b"abc", b"abc") == 0
    for came in (b"ac", b"ab", b"acb", b"abac", b"abcabc"):
        with pytest.raises(AssertionError):
            compared(came, b"abc")
