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
PATIENCE_MOST = 4.0             # it doubles up to this until a frame is acknowledged that went out once
PAUSE = 0.02                    # the least time between two such repetitions

HEAD, TAIL = struct.Struct("<BI"), struct.Struct("<I")


def encode(kind, number, payload=b""):
    """A frame's bytes on the line."""
    body = HEAD.pack(kind, number) + payload
    body += TAIL.pack(zlib.crc32(body))
    return FLAG + body.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e") + FLAG


def decode(body):
    """(kind, number, payload) of what stood between two flags, or None if it is damaged."""
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
    return kind, number, body[HEAD.size:]


class End:
    """INVARIANT order: `waiting` holds the frames first, first + 1, … ; those below `first` are acknowledged."""

    def __init__(self, window=WINDOW, patience=PATIENCE):
        self.window, self.least = window, patience
        self.waiting = []               # encoded frames that the other end has not acknowledged
        self.first, self.sent = 1, 0    # number of waiting[0]; how many of them went out since the last repetition
        self.expected = 1               # the number that comes next from the other end
        self.owes_ack = False
        self.asked = False              # the other end has acknowledged something: it is there and reads
        self.trip = 0.0                 # seconds that an acknowledgement takes, from frames that went out once
        self.sample = None              # (number, when it went out) of the one being timed
        self.fresh = 1                  # the first that has never gone out
        self.progress = self.repeated = 0.0
        self.on_line, self.carrying = False, 0.0    # whether, and until when, the line was seen to hold frames that were sent last
        self.patience = patience
        self.line = bytearray()

    def put(self, kind, payload=b""):
        self.waiting.append(encode(kind, self.first + len(self.waiting), payload))

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
            elif frame[0] == ACK:
                self.acknowledged(frame[1], now)
            else:
                self.owes_ack = True
                if frame[1] == self.expected:
                    self.expected += 1
                    news.append((frame[0], frame[2]))
        return news

    def acknowledged(self, expected, now):
        """The other end expects this number next. The same as before means that something was lost."""
        done = expected - self.first
        self.asked = True
        if 0 < done <= len(self.waiting):
            del self.waiting[:done]
            self.first, self.sent, self.progress = expected, max(self.sent - done, 0), now
            if self.sample and expected > self.sample[0]:
                trip = now - self.sample[1]
                self.trip, self.sample = max(trip, (7 * self.trip + trip) / 8), None
                self.patience = self.at_least(self.least)
        elif done == 0 and self.sent:
            self.repeat(now, self.at_least(PAUSE))

    def at_least(self, seconds):
        """Two trips, so that what is heard then is about the last repetition, and not about one before."""
        return max(seconds, min(2 * self.trip or self.least, PATIENCE_MOST))     # none has been timed yet: a guess

    def repeat(self, now, pause, since=0.0):
        due = now - max(self.repeated, self.progress, since) >= pause
        if due:
            self.sent, self.repeated, self.sample = 0, now, None
        return due

    def take(self, now, carries=False):
        """Bytes to send now. `carries`: the line still holds bytes that were sent before. Frames among them are not lost, however long
        that takes; acknowledgements that follow them say nothing about frames that the line has handed over."""
        self.on_line = self.on_line and carries
        if self.on_line:
            self.carrying = now
        out = bytearray()
        if self.owes_ack:
            out += encode(ACK, self.expected)
            self.owes_ack = False
        if self.sent:
            if self.repeat(now, self.patience, self.carrying):
                self.patience = min(2 * self.patience, PATIENCE_MOST)
        elif self.waiting:
            self.progress = now
        self.on_line = self.on_line or self.sent < min(len(self.waiting), self.window)
        out += b"".join(self.waiting[self.sent:self.window])
        self.sent = max(self.sent, min(len(self.waiting), self.window))
        if self.first + self.sent > self.fresh:
            self.sample = self.sample or (self.fresh, now)
            self.fresh = self.first + self.sent
        return bytes(out)
