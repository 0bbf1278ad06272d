# SPDX-License-Identifier: BSD-2-Clause
"""frames.py: the numbered, checksummed stream of `axo run --exec` over the guest's console, as docs/exec-stream.md has it.

An End is one side of it and does no input or output itself: `put` queues a frame, `feed` takes what came over the line and
gives the frames that are news, `take` gives the bytes to send. Bytes lost, repeated or changed on the line cost time, never
content. The host's end and the tests' peer are the same class."""
import struct
import zlib

FLAG, FLIP = b"\x7e", 0x20
STDIN, STDOUT, STDERR, END_OF_FILE, STATUS, ACK, SIZE, DEAF = range(8)
PAYLOAD_MAX = 1024
WINDOW = 8                      # numbered frames on the way
PATIENCE = 0.25                 # seconds without news before everything unacknowledged is sent again
PATIENCE_MOST = 4.0             # it doubles up to this until something is heard of the last repetition
TURNS = 16                      # repetitions are told apart by this many numbers

HEAD, TAIL = struct.Struct("<BI"), struct.Struct("<I")


def encode(kind, number, payload=b"", turn=0):
    """A frame's bytes on the line."""
    body = HEAD.pack(kind | turn << 4, number) + payload
    body += TAIL.pack(zlib.crc32(body))
    return FLAG + body.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e") + FLAG


def decode(body):
    """(kind, number, payload, turn) of what stood between two flags, or None if it is damaged."""
    pieces = body.split(b"\x7d")
    if not all(pieces[1:]):
        return None             # an escape that escapes nothing
    plain = pieces[0] + b"".join(bytes([piece[0] ^ FLIP]) + piece[1:] for piece in pieces[1:])
    if not HEAD.size + TAIL.size <= len(plain) <= HEAD.size + PAYLOAD_MAX + TAIL.size:
        return None
    body, (check,) = plain[:-TAIL.size], TAIL.unpack(plain[-TAIL.size:])
    if zlib.crc32(body) != check:
        return None
    kind, number = HEAD.unpack_from(body)
    return kind & 15, number, body[HEAD.size:], kind >> 4


class End:
    """INVARIANT order: `waiting` holds the frames first, first + 1, … ; those below `first` are acknowledged.

    The line keeps its order. So an acknowledgement that has heard of a later frame of this turn than the one it expects tells
    for certain that that one is lost, and one of an earlier turn says nothing about this one."""

    def __init__(self, window=WINDOW, patience=PATIENCE):
        self.window, self.least = window, patience
        self.waiting = []               # (kind, payload) that the other end has not acknowledged
        self.first, self.sent = 1, 0    # number of waiting[0]; how many of them went out in this turn
        self.turn = 0                   # each repetition begins one
        self.expected = 1               # the number that comes next from the other end
        self.heard, self.heard_turn = 0, 0      # of its frame that came last
        self.owes_ack = False
        self.asked = False              # the other end has acknowledged something: it is there and reads
        self.trip = 0.0                 # seconds that an acknowledgement takes
        self.sample = None              # (number, when it went out in this turn) of the one being timed
        self.news = 0.0                 # when something was heard, or everything was sent again
        self.on_line, self.carrying = False, 0.0    # whether, and until when, the line was seen to hold frames that were sent last
        self.patience = patience
        self.line = bytearray()

    def put(self, kind, payload=b""):
        self.waiting.append((kind, payload))

    def put_bytes(self, kind, data):
        for at in range(0, len(data), PAYLOAD_MAX):
            self.put(kind, data[at:at + PAYLOAD_MAX])

    def is_idle(self):
        """Whether the other end has everything that was put."""
        return not self.waiting

    def feed(self, data, now):
        """[(kind, payload)] that are news. Noise between frames is passed over."""
        self.line += data
        *bodies, self.line = self.line.split(FLAG)
        if len(self.line) > 2 * (PAYLOAD_MAX + 16):
            self.line = bytearray()     # noise without an end
        news = []
        for body in bodies:
            frame = decode(bytes(body))
            if frame is None:
                self.owes_ack |= len(body) > HEAD.size      # damaged: say at once what is missing
                continue
            kind, number, payload, turn = frame
            if kind == ACK:
                self.acknowledged(number, int.from_bytes(payload, "little"), turn, now)
                continue
            self.owes_ack, self.heard, self.heard_turn = True, number, turn
            if number == self.expected:
                self.expected += 1
                news.append((kind, payload))
        return news

    def acknowledged(self, expected, heard, turn, now):
        """The other end expects this number next; the frame that came to it last was `heard`, of that turn."""
        done = expected - self.first
        self.asked, self.news = True, now
        if not 0 <= done <= len(self.waiting):
            return
        del self.waiting[:done]
        self.first, self.sent = expected, max(self.sent - done, 0)
        if turn != self.turn:
            return
        if self.sample and heard >= self.sample[0]:
            trip = now - self.sample[1]
            self.trip, self.sample = max(trip, (7 * self.trip + trip) / 8), None
            self.patience = min(max(self.least, 2 * self.trip), PATIENCE_MOST)
        if self.sent and heard >= expected:
            self.repeat(now)

    def repeat(self, now):
        self.turn = (self.turn + 1) % TURNS
        self.sent, self.sample, self.news = 0, None, now

    def take(self, now, carries=False):
        """Bytes to send now. `carries`: the line still holds bytes that were sent before. Frames among them are not lost, however long
        that takes; acknowledgements that follow them say nothing about frames that the line has handed over."""
        self.on_line = self.on_line and carries
        if self.on_line:
            self.carrying = now
        out = bytearray()
        if self.owes_ack:
            out += encode(ACK, self.expected, self.heard.to_bytes(4, "little"), self.heard_turn)
            self.owes_ack = False
        if not self.sent:
            self.news = now
        elif now - max(self.news, self.carrying) >= self.patience:
            self.repeat(now)
            self.patience = min(2 * self.patience, PATIENCE_MOST)
        last = min(len(self.waiting), self.window)
        if self.sent < last:
            self.on_line, self.sample = True, self.sample or (self.first + self.sent, now)
        for at in range(self.sent, last):
            out += encode(self.waiting[at][0], self.first + at, self.waiting[at][1], self.turn)
        self.sent = max(self.sent, last)
        return bytes(out)
