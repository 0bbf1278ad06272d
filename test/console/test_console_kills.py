# SPDX-License-Identifier: BSD-2-Clause
"""A pipeline's output passes through the serial driver while that is killed or held down. What counts is what the host has heard: it takes
bytes no faster than a real line, orders a kill each time so many of them have come, by typing it, and learns of the death by keeper's
line in the kernel's log. `service list` counts again."""
import os
from pathlib import Path

import streams

BUILD = Path(os.environ["AXO_NATIVE"]).parent
WAYS = ["exit", "null", "loop", "port"]
KILLS, STEP, RATE = 20, 4500, 20000
WANT = b"".join(b"%d\n" % number for number in range(20000, 0, -1))
UNHARMED = ["rs", "ds", "vm", "tty", "tmpfs", "procfs", "vfs", "pm"]


def check_listing(listing, ordered):
    serial = streams.service(listing, "serial")
    assert (serial["ordered"], serial["defects"], serial["incarnation"]) == (str(ordered), "0", str(ordered + 1))
    for name in UNHARMED:
        assert streams.service(listing, name)["incarnation"] == "1", f"{name} died, though nobody killed it\n{listing.decode()}"


def test_a_pipeline_while_its_driver_dies():
    ordered = []

    def order(run):
        while len(ordered) < KILLS and len(run.out) > len(ordered) * STEP:
            ordered.append(len(run.out))
            run.type(WAYS[len(ordered) % 4].encode() + b"\n")
            if len(ordered) == KILLS:
                run.end_input()

    run = streams.run("exec 3<&0; while read how; do echo kill serial $how >/proc/axo/control; done <&3 & "
                      "seq 1 20000 | sort -rn; wait; service list >&2", order, rate=RATE, build=BUILD)
    between = [at for at in run.deaths if 0 < at < len(WANT)]
    print(f"{len(run.out)} bytes; the driver died {len(run.deaths)} times, {len(between)} between the first and the last byte, at {run.deaths}")
    assert len(run.out) == 108894 and run.out == WANT and run.status == 0
    assert len(run.deaths) == KILLS and len(between) >= 15
    check_listing(bytes(run.err), KILLS)


def test_held_down_it_is_silent():
    """Three seconds without the driver are three seconds without a byte; then what is missing comes."""
    run = streams.run("service list >/tmp/up; seq 1 40000 & sleep 0.5; service down serial; service list >/tmp/down; sleep 3; "
                      "service list >/tmp/later; service up serial; wait; cat /tmp/up /tmp/down /tmp/later >&2; service list >&2",
                      rate=RATE, build=BUILD)
    assert run.out == b"".join(b"%d\n" % number for number in range(1, 40001)) and run.status == 0
    heading = run.err[:run.err.index(b"\n") + 1]
    _, *listings = bytes(run.err).split(bytes(heading))
    states = [streams.service(heading + listing, "serial")["state"] for listing in listings]
    assert states == ["up", "down", "down", "up"]
    (longest, before), (second, _) = run.gaps()[:2]
    total = sum(size for _, size in run.raw)
    print(f"silent for {longest:.2f} s after {before} of {total} bytes on the line; the next longest silence took {second:.2f} s")
    assert 0 < before < total and longest > 2.5 and second < longest
    for name in UNHARMED:
        assert streams.service(heading + listings[-1], name)["incarnation"] == "1", f"{name} was restarted because it waited"
