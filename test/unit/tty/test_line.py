# SPDX-License-Identifier: BSD-2-Clause
"""tty's line discipline and Linux's: the same modes set, the same bytes typed and written, the same reads; what is shown, given, waiting
and signalled must be equal after every step. script.h says how a case is written down. The seed is fixed."""
import os
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

FOLDER = Path(os.environ["AXO_NATIVE"]) / "host" / "ttyd"
CASES = int(os.environ.get("AXO_LINE_CASES", "2000"))

IFLAGS = {"ISTRIP": 0x20, "INLCR": 0x40, "IGNCR": 0x80, "ICRNL": 0x100, "IUCLC": 0x200, "IXON": 0x400, "IXANY": 0x800, "IUTF8": 0x4000,
          "PARMRK": 8}
OFLAGS = {"OPOST": 1, "OLCUC": 2, "ONLCR": 4, "OCRNL": 8, "ONOCR": 0x10, "ONLRET": 0x20, "XTABS": 0x1800}
LFLAGS = {"ISIG": 1, "ICANON": 2, "ECHO": 8, "ECHOE": 0x10, "ECHOK": 0x20, "ECHONL": 0x40, "NOFLSH": 0x80, "ECHOCTL": 0x200,
          "ECHOPRT": 0x400, "ECHOKE": 0x800, "IEXTEN": 0x8000}
INTR, QUIT, ERASE, KILL, EOF, TIME, MIN, SWTC, START, STOP, SUSP, EOL, REPRINT, DISCARD, WERASE, LNEXT, EOL2 = range(17)
CC = bytes([3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1a, 0, 0x12, 0xf, 0x17, 0x16, 0, 0, 0])
SANE = (0x500, 5, 0x8a3b)
RAW = (0, 0, 0)


def modes(iflag=SANE[0], oflag=SANE[1], lflag=SANE[2], cc=CC, when=0):
    return f"m {when} {(struct.pack('<4IB', iflag, oflag, 0xbf, lflag, 0) + cc).hex()}"


def typed(text):
    return f"t {text.hex()}"


def written(text):
    return f"w {text.hex()}"


def run(name, script):
    """What one of the two programs answers to each line of these."""
    text = "".join(f"{line}\n" for line in script)
    return subprocess.run([FOLDER / name], input=text, stdout=subprocess.PIPE, text=True, check=True, timeout=600).stdout.splitlines()


def cut(cases, answers):
    """The answers case by case."""
    found, rest = [], list(answers)
    for _ in cases:
        end = rest.index(".")
        found.append(rest[:end])
        del rest[:end + 1]
    assert not rest
    return found


def compare(cases):
    """All at once, since two programs that wait for each other are slow. Says how the first few differ."""
    script = [line for steps in cases for line in [*steps, "."]]
    got = run("line", script)
    assert len(got) == len(script)
    want = run("pty", [step if step == "." else f"{step} {answer}" for step, answer in zip(script, got)])
    wrong = []
    for steps, ours, theirs in zip(cases, cut(cases, got), cut(cases, want)):
        if ours != theirs:
            at = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))
            wrong.append("\n  ".join([*steps[:at + 1], f"ours:  {ours[at:at + 1]}", f"Linux: {theirs[at:at + 1]}"]))
    assert not wrong, f"{len(wrong)} of {len(cases)} differ:\n" + "\n".join(sorted(wrong, key=len)[:8])


def reads(steps):
    """Each step, and a read behind it."""
    return [part for step in steps for part in (step, "r 100")]


EDITED = [
    b"hello\r", b"hellp\x7fo\r", b"one two\x17three\r", b"all of it\x15again\r", b"\x7f\x7fempty\r", b"a\x16\x03b\r", b"tab\tand\x7f\x7f\r",
    b"a\tb\x7f\x7f\x7fc\r", b"\x01\x02\x7f\x7f\r", b"end\x04", b"\x04", b"abc\x12def\r", b"two\rlines\r", b"caf\xc3\xa9\x7f\x7fe\r",
    b"^C\x03after\r", b"quit\x1cafter\r", b"stop\x1aafter\r", b"no newline", b"\n\n\n", b"word  \x17\x17x\r", b"a.b/c d\x17\x17\r",
    b"\x00\xff\xfe\r", b"hold\x13\x11on\r",
]


WAYS = [SANE, (0x4500, 5, 0x8a3b), (0x500, 5, 0x8a33), (0x500, 5, 0x863b), (0x500, 5, 0x0a3b), (0x500, 1, 0x803b), (0x500, 0, 0x8a3b),
        (0, 5, 0x8a3b), (0x508, 5, 0x8a3b), (0x500, 0x1805, 0x8a7a), RAW]


def parts(text):
    """A key that signals comes alone."""
    found = [text]
    for key in (b"\3", b"\x1c", b"\x1a"):
        found = [part for whole in found for part in whole.partition(key) if part]
    return found


def test_what_is_typed():
    compare([[modes(*way), *reads([typed(part) for part in parts(text)]), "r 100", typed(b"next\r"), "r 3", "r 100", "r 100"]
             for text in EDITED for way in WAYS])


WRITTEN = [b"a\nb\n", b"a\tb\tc\n", b"a\rb\r\n", b"ab\b\bc\n", b"x" * 300 + b"\n", b"\x1b[1mUPPER lower\x07\n", bytes(range(256))]


def test_what_is_written():
    compare([[modes(oflag=oflag), written(text), typed(b"typed\t\x7f\x7f\r"), written(text)]
             for text in WRITTEN for oflag in (0, 1, 5, 7, 9, 0x15, 0x25, 0x1805, 0x3d)])


def test_how_many_a_raw_read_gives():
    compare([[modes(*RAW, cc=CC[:MIN] + bytes([least]) + CC[MIN + 1:]), "r 10", typed(b"a"), "r 10", typed(b"bc"), "r 10", typed(b"defg"),
              "r 2", "r 10", "r 10"] for least in range(5)])


def test_modes_that_change_under_typed_bytes():
    compare([[modes(), typed(b"one\rtw"), modes(*RAW, when=when), "r 2", "r 100", typed(b"three\rfo"), modes(when=when), "r 100", "r 100",
              typed(b"ur\r"), "r 100", "r 100", "g"] for when in range(3)])


def test_flush():
    compare([[modes(), typed(b"one\rtwo"), f"f {which}", "r 100", typed(b"three\r"), "r 100", "r 100"] for which in range(3)])


def test_what_does_not_fit():
    compare([[modes(), *[typed(b"x" * 500)] * 9, typed(b"\x7f\x7f"), typed(b"\r"), "r 5000", typed(b"more\r"), "r 100"],
             [modes(lflag=0x8a33), *[typed(b"a line of twenty..\r")] * 100, *["r 100"] * 100, "r 100"]])


def test_that_a_difference_is_found():
    with pytest.raises(AssertionError, match="1 of 2 differ"):
        compare([[modes(), typed(b"a\r"), "r 5"], [modes(), typed(b"a\x13b\x11\r"), "t 13", written(b"held"), "r 5"]])


# ---- cases that hypothesis makes ----
def some(flags):
    return st.lists(st.sampled_from(sorted(flags.values())), unique=True).map(sum)


def mostly(usual, flags):
    """Usual flags, with some of them turned over; now and then any."""
    return st.one_of(st.just(usual), st.lists(st.sampled_from(sorted(flags.values())), max_size=2, unique=True).map(lambda few: usual ^ sum(few)),
                     some(flags))


@st.composite
def characters(draw):
    cc = bytearray(CC)
    for index, value in draw(st.lists(st.tuples(st.sampled_from([ERASE, KILL, EOF, EOL, EOL2, WERASE, LNEXT, REPRINT, INTR]),
                                                st.sampled_from(b"\0x;\b#@\x7f\x04")), max_size=2)):
        cc[index] = value
    cc[MIN] = draw(st.integers(0, 3))
    return bytes(cc)


SIGNALS = {CC[INTR], CC[QUIT], CC[SUSP]}
FLOW = {CC[START], CC[STOP]}
KEYS = sorted(set(CC) - SIGNALS - FLOW | set(b"ab cde_.;x\t\r\n\x01\x1b\x80\xc3\xa9\xe2\x82\xac\xffZ09"))
text = st.lists(st.sampled_from(KEYS), min_size=1, max_size=12).map(bytes)
# What a program writes while ^S holds is where a pseudo terminal and a serial line differ, and what a signal's key throws away depends on how
# far it had got: no ^S here, and such keys come alone.
step = st.one_of(
    text.map(typed), text.map(typed), text.map(typed), st.sampled_from(sorted(SIGNALS)).map(lambda byte: typed(bytes([byte]))),
    st.lists(st.sampled_from(sorted(set(b"ab\t\n\r\b\x07Z\xc3\xa9\xff\x1b"))), min_size=1, max_size=10).map(bytes).map(written),
    st.sampled_from([0, 1, 2, 3, 5, 100]).map("r {}".format), st.just("r 100"), st.sampled_from(["f 0", "f 2", "g"]),
    st.builds(modes, mostly(SANE[0], IFLAGS), mostly(SANE[1], OFLAGS), mostly(SANE[2], LFLAGS), characters(), st.integers(0, 2)))
case = st.builds(lambda *parts: [parts[0], *parts[1]],
                 st.builds(modes, mostly(SANE[0], IFLAGS), mostly(SANE[1], OFLAGS), mostly(SANE[2], LFLAGS), characters()),
                 st.lists(step, min_size=1, max_size=12))


def test_any_case():
    cases = []

    @seed(2026)
    @settings(max_examples=CASES, deadline=None, database=None, phases=[Phase.generate])
    @given(case)
    def collect(steps):
        cases.append(steps)
    collect()
    assert len(cases) >= CASES
    compare(cases)
