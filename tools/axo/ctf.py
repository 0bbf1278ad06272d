# SPDX-License-Identifier: BSD-2-Clause
"""ctf.py: a trace as Common Trace Format 1.8: a folder with `metadata` and one binary stream, as babeltrace2 and Trace Compass read it.

A packet holds at most PACKET bytes of events; what was lost before it is in its context (events_discarded), as CTF has it."""
import struct

MAGIC, PACKET = 0xC1FC1FC1, 1 << 16
HEAD = struct.Struct("<II QQ QQ Q")         # magic, stream; times of the first and last event; bits of content and packet; discarded
EVENT = struct.Struct("<QI")                # time, id
NUMBERS = ("sequence", "thread", "task", "object", "lineage", "door", "progress", "label", "tag", "number", "word0", "word1", "word2", "word3")
SMALL = ("status", "kind", "state", "restarted")
TEXTS = ("name", "method")
FIELDS = struct.Struct(f"<{len(NUMBERS)}Q{len(SMALL)}I")


def metadata(names):
    """The description of the stream; event number i is names[i]."""
    fields = "".join(f"        hex64 {name};\n" for name in NUMBERS) + "".join(f"        u32 {name};\n" for name in SMALL)
    fields += "".join(f"        string {name};\n" for name in TEXTS)
    events = "".join(f'event {{\n    name = "{name}";\n    id = {number};\n    stream_id = 0;\n    fields := struct {{\n{fields}    }};\n}};\n\n'
                     for number, name in enumerate(names))
    return f"""/* CTF 1.8 */

typealias integer {{ size = 32; align = 8; signed = false; }} := u32;
typealias integer {{ size = 64; align = 8; signed = false; }} := u64;
typealias integer {{ size = 64; align = 8; signed = false; base = 16; }} := hex64;

trace {{
    major = 1;
    minor = 8;
    byte_order = le;
    packet.header := struct {{ u32 magic; u32 stream_id; }};
}};

env {{
    domain = "kernel";
    tracer_name = "axolotl";
}};

clock {{
    name = "boot";
    description = "nanoseconds since boot";
    freq = 1000000000;
}};

typealias integer {{ size = 64; align = 8; signed = false; map = clock.boot.value; }} := time;

stream {{
    id = 0;
    packet.context := struct {{ time timestamp_begin; time timestamp_end; u64 content_size; u64 packet_size; u64 events_discarded; }};
    event.header := struct {{ time timestamp; u32 id; }};
}};

{events}"""


def event_bytes(event, names):
    words = [event[name] for name in NUMBERS] + [event[name] for name in SMALL]
    texts = b"".join(event[name].encode() + b"\0" for name in TEXTS)
    return EVENT.pack(event["ns"], names.index(event["event"])) + FIELDS.pack(*words) + texts


def packets(events, names):
    """The stream, packet by packet."""
    body, first, last, lost = b"", 0, 0, 0

    def packet():
        bits = 8 * (HEAD.size + len(body))
        return HEAD.pack(MAGIC, 0, first, last, bits, bits, lost) + body

    for event in events:
        data = event_bytes(event, names)
        if body and (event["lost"] or len(body) + len(data) > PACKET):
            yield packet()
            body = b""
        lost += event["lost"]
        first = first if body else event["ns"]
        last, body = event["ns"], body + data
    if body:
        yield packet()


def write(events, names, folder):
    """The folder as a trace; it must not hold another."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metadata").write_text(metadata(names))
    with open(folder / "stream", "wb") as stream:
        for data in packets(events, names):
            stream.write(data)
