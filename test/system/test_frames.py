# SPDX-License-Identifier: BSD-2-Clause
"""The stream of --exec: what is put in comes out once and in order, whatever the line does."""
import random
import socket

import pytest
from hypothesis import given, strategies as st

from axo import exec, frames, qemu


class Line:
    """Carries bytes one way, and loses, repeats and changes some."""

    def __init__(self, seed, trouble):
        self.random, self.trouble = random.Random(seed), trouble

    def carry(self, data):
        out = bytearray()
        for byte in data:
            fate = self.random.random()
            if fate >= 3 * self.trouble:
                out.append(byte)
            elif fate >= 2 * self.trouble:
                out += bytes([byte, byte])
            elif fate >= self.trouble:
                out.append(byte ^ 1 << self.random.randrange(8))
        return bytes(out)


def talk(left, right, line, most=20000):
    """Both ends until both are idle; (what left got, what right got, bytes on the line)."""
    got, now, carried = ([], []), 0.0, 0
    for _ in range(most):
        to_right, to_left = left.take(now), right.take(now)
        carried += len(to_right) + len(to_left)
        got[1].extend(right.feed(line.carry(to_right), now))
        got[0].extend(left.feed(line.carry(to_left), now))
        if left.is_idle() and right.is_idle():
            return got[0], got[1], carried
        now += 0.01
    raise AssertionError("the ends never agree")


FRAME = st.tuples(st.sampled_from([frames.STDIN, frames.STDOUT, frames.STDERR, frames.STATUS]),
                  st.binary(max_size=60) | st.binary(min_size=1000, max_size=frames.PAYLOAD_MAX))


@given(st.lists(FRAME, max_size=30), st.lists(FRAME, max_size=30), st.integers(), st.sampled_from([0, 0.0001, 0.0005]))
def test_nothing_is_lost_or_repeated(there, back, seed, trouble):
    left, right = frames.End(), frames.End()
    for kind, payload in there:
        left.put(kind, payload)
    for kind, payload in back:
        right.put(kind, payload)
    assert talk(left, right, Line(seed, trouble))[:2] == (back, there)


@given(FRAME, st.integers(min_value=0, max_value=2**32 - 1))
def test_a_frame_reads_back(frame, number):
    data = frames.encode(frame[0], number, frame[1], number % frames.TURNS)
    assert data.count(b"\x7e") == 2 and frames.decode(data[1:-1]) == (frame[0], number, frame[1], number % frames.TURNS)


@given(FRAME, st.data())
def test_one_changed_bit_is_noticed(frame, data):
    encoded = bytearray(frames.encode(frame[0], 7, frame[1]))
    at = data.draw(st.integers(1, len(encoded) - 2))
    encoded[at] ^= 1 << data.draw(st.integers(0, 7))
    assert frames.decode(bytes(encoded[1:-1])) is None


def test_a_clean_line_costs_little():
    left, right, sent = frames.End(), frames.End(), bytes(range(256)) * 400
    left.put_bytes(frames.STDIN, sent)
    _, got, carried = talk(left, right, Line(0, 0))
    assert b"".join(payload for _, payload in got) == sent and carried < 1.05 * len(sent)


def right_of(data):
    """What a fresh end takes from it."""
    return frames.End().feed(data, 0.0)


def test_a_loss_is_told_by_the_next_frame_and_repeated_once():
    """The first of eight is lost. All that is heard of the first turn leads to one repetition, however much of it comes."""
    left, right = frames.End(), frames.End()
    left.put_bytes(frames.STDIN, bytes(8 * frames.PAYLOAD_MAX))
    pieces = [b"\x7e" + piece + b"\x7e" for piece in left.take(0.0).split(b"\x7e") if piece]
    assert len(pieces) == 8
    answers = []
    for piece in pieces[1:]:
        assert right.feed(piece, 0.0) == []
        answers.append(right.take(0.0))
    left.feed(answers[0], 0.001)
    again = left.take(0.001)
    assert len(right_of(again)) == 8
    for answer in answers[1:]:
        left.feed(answer, 0.002)
        assert left.take(0.002) == b""
    assert len(right.feed(again, 0.003)) == 8
    left.feed(right.take(0.003), 0.004)
    assert left.is_idle()


def test_a_slow_line_is_not_choked_by_repetitions():
    """20,000 bytes a second with room for a second of them: what arrives is news, but for what patience sent before it knew the line."""
    left, right, sent = frames.End(), frames.End(), bytes(range(256)) * 600
    left.put_bytes(frames.STDIN, sent)
    line, got, now, carried = bytearray(), 0, 0.0, 0
    line += bytes(20000)                        # what somebody else has left on it
    while not left.is_idle() and now < 60:
        line += left.take(now)
        piece, line = line[:200], line[200:]
        carried += len(piece)
        got += sum(len(payload) for _, payload in right.feed(bytes(piece), now))
        left.feed(right.take(now), now)
        now += 0.01
    assert got == len(sent) and carried < 1.3 * len(sent) + 20000


def test_what_the_line_still_holds_is_not_sent_again():
    """The other side stands still for a minute; once it has taken all and stays silent, patience begins."""
    left = frames.End(window=2, patience=1.0)
    left.put_bytes(frames.STDIN, bytes(3000))
    first = left.take(0.0)
    assert len(first) > 2048
    assert all(left.take(float(second), carries=True) == b"" for second in range(1, 60))
    assert left.take(59.5) == b""
    assert right_of(left.take(60.5)) == right_of(first)


def test_a_lost_frame_is_sent_again_while_the_line_is_busy_with_acknowledgements():
    left, right = frames.End(window=2, patience=1.0), frames.End()
    left.put(frames.STDIN, b"lost")
    lost = left.take(0.0)
    assert left.take(0.1) == b""                # the line has handed it over, and it came to nothing
    for tenth in range(2, 10):
        right.put(frames.STDOUT, b"output")
        left.feed(right.take(tenth / 10), tenth / 10)
        answer = left.take(tenth / 10, carries=True)
        assert answer == frames.encode(frames.ACK, tenth, (tenth - 1).to_bytes(4, "little"))
        right.feed(answer, tenth / 10)
    assert right_of(left.take(1.1, carries=True)) == right_of(lost) == [(frames.STDIN, b"lost")]


def test_a_socket_that_nobody_reads_is_on_its_way():
    guest = object.__new__(qemu.Guest)
    guest.console, other = socket.socketpair()
    guest.unsent = bytearray()
    assert guest.on_its_way() == 0
    guest.send(bytes(1000))
    assert guest.on_its_way() == 1000
    guest.send_some()
    assert not guest.unsent and guest.on_its_way() >= 1000
    other.recv(999)
    assert guest.on_its_way() > 0
    other.recv(1)
    assert guest.on_its_way() == 0
    guest.console.close(), other.close()


def test_noise_before_and_between():
    left, right = frames.End(), frames.End()
    left.put(frames.STDIN, b"one")
    assert right.feed(b"BdsDxe: loading ~ Boot0001\r\n" * 200 + left.take(0), 0) == [(frames.STDIN, b"one")]


@pytest.mark.parametrize("body", [b"", b"\x7d", b"\x00" * 8, b"\x00" * 5000])
def test_what_is_no_frame(body):
    assert frames.decode(body) is None


@pytest.mark.parametrize("pieces, died", [
    ([b"cpu: x\nroot: pan", b"ic: vm: needs 3000 KB\nkernel: ", b"thread 10"], "root: panic: vm: needs 3000 KB"),
    ([b"kernel: thread 10 (keeper) of task 6 (keeper) halted by exception 6\n"], "kernel: thread 10 (keeper) of task 6 (keeper) halted by exception 6"),
    ([b"vm: panic: it comes back\nkernel: thread 12 () of task 8 (vm) halted by exception 6\n", b"root: panic: unfinished"], None),
])
def test_a_root_task_that_stopped_ends_the_guest(pieces, died):
    class Guest:
        stopped = False

        def stop(self):
            self.stopped = True

    guest = Guest()
    command = exec.Command(guest)
    for piece in pieces:
        command.log(piece)
    assert command.died == died and guest.stopped == (died is not None)
