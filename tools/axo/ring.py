# SPDX-License-Identifier: BSD-2-Clause
"""ring.py: records of the kernel's trace ring (idl/interfaces/debug.idl) as data.

A ring holds the last of them, each in its place; its numbers tell what is lost."""
import struct

RECORD = struct.Struct("<7Q I 4B 8Q")
FIELDS = ("sequence", "ns", "thread", "task", "object", "lineage", "door", "status", "event", "kind", "state", "restarted", "progress",
          "label", "tag", "number", "word0", "word1", "word2", "word3")
EVENTS = ("invoke", "item", "fault", "run")     # from 1
STATES = ("stopped", "ready", "sending", "awaiting", "receiving", "halted")
INVOKE, ITEM, FAULT, RUN = range(1, 5)
SYSCALL, DOOR, REPLY = 257, 15, 6
FIRST_METHOD = 0x100                            # what is sent to a reply with a smaller status is an answer


def records(data):
    """What is written in the ring's memory, in order, as {field: number}; `lost`: how many events are missing before one."""
    found = sorted((row for row in RECORD.iter_unpack(data) if row[0]), key=lambda row: row[0])
    events, last = [], None
    for row in found:
        event = dict(zip(FIELDS, row))
        event["lost"] = 0 if last is None else row[0] - last - 1
        last = row[0]
        events.append(event)
    return events


def status_of(event):
    """What a message says as an answer: 0 or an error."""
    low = event["tag"] & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def words_of(event):
    return [event[f"word{i}"] for i in range(4)]
