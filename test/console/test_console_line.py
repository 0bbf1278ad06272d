# SPDX-License-Identifier: BSD-2-Clause
"""docs/exec-stream.md on a whole system at a bad or slow line: what is typed and not read, and bytes that are lost, repeated or changed."""
import os
from pathlib import Path

import pytest
import streams
from streams import frames

BUILD = Path(os.environ["AXO_NATIVE"]).parent
RATE = 20000


@pytest.mark.parametrize("rate", [None, RATE])
def test_input_that_nobody_reads_makes_nothing_slow(rate):
    """Megabytes are typed at programs of which one has read a byte and another writes: what is typed waits, and no byte of output does."""
    typed = {"bytes": 0}

    def type_on(run):
        while run.wants_input() and typed["bytes"] < 10 << 20:
            run.type(b"x" * frames.PAYLOAD_MAX)
            typed["bytes"] += frames.PAYLOAD_MAX

    run = streams.run("exec 3<&0; (head -c 1 <&3 >/dev/null; sleep 1000) & sleep 1; seq 1 20000; kill $!", tick=type_on, rate=rate, build=BUILD)
    assert run.out == b"".join(b"%d\n" % number for number in range(1, 20001)) and run.status == 0
    assert 32 << 10 < typed["bytes"] < 10 << 20, "as much as the guest has room for was typed, and no more"
    assert run.gaps()[0][0] < 5
    print(f"{typed['bytes']} bytes were typed and waited; the longest silence took {run.gaps()[0][0]:.2f} s")


@pytest.mark.parametrize("damage", ["lost", "twice", "changed"])
def test_a_bad_line(damage):
    """The host's end of the line drops, repeats or changes a byte now and then, each way."""
    class Bad(streams.Run):
        seen = 0

        def spoil(self, data):
            out = bytearray()
            for byte in data:
                self.seen += 1
                if self.seen % 3989:
                    out.append(byte)
                elif damage != "lost":
                    out += bytes([byte, byte]) if damage == "twice" else bytes([byte ^ 0x15])
            return bytes(out)

        def console(self, data):
            super().console(self.spoil(data))

        def send(self, now):
            if self.guest.listening and not self.guest.unsent:
                self.guest.send(self.spoil(self.end.take(now)))

    lines = b"".join(b"%d what is typed\n" % number for number in range(700))
    fed = []

    def feed(run):
        if run.wants_input() and not fed:
            fed.append(True)
            run.type(lines)
            run.end_input()

    run = streams.run("tee /dev/stderr", tick=feed, kind=Bad, build=BUILD)
    assert run.out == lines and run.err == lines and run.status == 0 and run.seen > 3989 * 8
