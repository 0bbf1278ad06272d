# SPDX-License-Identifier: BSD-2-Clause
"""archive.py: the one boot archive: cpio newc in which every member's data starts at a multiple of 4096.

The order is the contract: kernel, sigma0, keeper, then modules. A dummy member `pad…` before a member would be read by
everyone, so the padding sits in the name instead: NAME, a zero byte, more zero bytes; readers of C strings see NAME.
The size of an archive is a multiple of 4096, so that the memory behind it belongs to nobody's page."""
import argparse
import sys
from pathlib import Path

PAGE = 4096
HEADER = 110
MAGIC = b"070701"
TRAILER = "TRAILER!!!"


def round_up(number, unit):
    return (number + unit - 1) // unit * unit


def header(name_bytes, data_bytes, mode, inode):
    fields = [inode, mode, 0, 0, 1, 0, data_bytes, 0, 0, 0, 0, name_bytes, 0]
    return MAGIC + b"".join(b"%08x" % field for field in fields)


def member(offset, name, data, mode, inode):
    """Bytes of one member that begins at `offset` (a multiple of 4)."""
    shortest = HEADER + len(name.encode()) + 1
    start = round_up(offset + shortest, PAGE)
    name_field = name.encode().ljust(start - offset - HEADER, b"\0")
    body = data.ljust(round_up(len(data), 4), b"\0")
    return header(len(name_field), len(data), mode, inode) + name_field + body


def pack(members):
    """members: [(name, bytes)] or [(name, bytes, mode)]; the archive's bytes."""
    names = [entry[0] for entry in members]
    if len(set(names)) != len(names):
        raise ValueError("two members have one name: " + ", ".join(sorted(n for n in set(names) if names.count(n) > 1)))
    out = bytearray()
    for inode, entry in enumerate(members, 1):
        name, data = entry[0], entry[1]
        out += member(len(out), name, data, entry[2] if len(entry) > 2 else 0o100755, inode)
    out += (header(len(TRAILER) + 1, 0, 0, 0) + TRAILER.encode() + b"\0").ljust(round_up(HEADER + len(TRAILER) + 1, 4), b"\0")
    return bytes(out.ljust(round_up(len(out), PAGE), b"\0"))


def read(data):
    """[(name, offset of the data, bytes, mode)] up to the trailer. Raises ValueError on a malformed archive."""
    found, at = [], 0
    while True:
        if data[at:at + 6] != MAGIC:
            raise ValueError(f"no cpio header at byte {at}")
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_bytes = fields[1], fields[6], fields[11]
        name = data[at + HEADER:at + HEADER + name_bytes].split(b"\0", 1)[0].decode()
        start = round_up(at + HEADER + name_bytes, 4)
        if name == TRAILER:
            return found
        if start + size > len(data):
            raise ValueError(f"{name} ends behind the archive")
        found.append((name, start, data[start:start + size], mode))
        at = round_up(start + size, 4)


def main(words):
    parser = argparse.ArgumentParser(description="Pack or list a boot archive.")
    parser.add_argument("archive", type=Path)
    parser.add_argument("members", nargs="*", metavar="NAME=FILE", help="without any: list the archive")
    options = parser.parse_args(words)
    if options.members:
        pairs = [word.split("=", 1) for word in options.members]
        options.archive.write_bytes(pack([(name, Path(file).read_bytes()) for name, file in pairs]))
        return 0
    for name, start, data, mode in read(options.archive.read_bytes()):
        print(f"{start:10d} {len(data):10d} {mode:06o} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
