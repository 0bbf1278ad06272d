# SPDX-License-Identifier: BSD-2-Clause
"""elf.py: what is needed of a 64-bit little-endian ELF file: segments, sections, names of functions."""
import bisect
import struct
from pathlib import Path

LOAD, SYMTAB, NOTYPE, FUNCTION = 1, 2, 0, 2


class Elf:
    def __init__(self, path):
        self.path, self.data = Path(path), Path(path).read_bytes()
        if self.data[:6] != b"\x7fELF\2\1":
            raise ValueError(f"{path} is no 64-bit ELF file")
        part_at, section_at = struct.unpack_from("<QQ", self.data, 32)
        part_size, parts, section_size, sections, names = struct.unpack_from("<HHHHH", self.data, 54)
        parts = [struct.unpack_from("<IIQQQQQQ", self.data, part_at + i * part_size) for i in range(parts)]
        self.segments = [(address, offset, size) for kind, _, offset, address, _, size, _, _ in parts if kind == LOAD]
        self.headers = [struct.unpack_from("<IIQQQQIIQQ", self.data, section_at + i * section_size) for i in range(sections)]
        strings = self.body(self.headers[names]) if sections else b""
        self.sections = {string(strings, header[0]): self.body(header) for header in self.headers}
        self.starts, self.names = self.functions()

    def body(self, header):
        return self.data[header[4]:header[4] + header[5]] if header[1] != 8 else b""        # 8: no bits

    def functions(self):
        """([address], [name]), ordered: functions and the labels of assembler text."""
        found = {}
        for header in self.headers:
            if header[1] == SYMTAB:
                strings = self.body(self.headers[header[6]])
                for name, info, _, section, address, size in struct.iter_unpack("<IBBHQQ", self.body(header)):
                    text = 0 < section < len(self.headers) and self.headers[section][2] & 4
                    if text and info & 15 in (NOTYPE, FUNCTION) and name:
                        rank = (info & 15 == FUNCTION, info >> 4, size)     # the better name for an address: a function, global
                        found[address] = max(found.get(address, (rank, "")), (rank, string(strings, name)))
        ordered = sorted(found)
        return ordered, [found[address][1] for address in ordered]

    def function(self, address):
        """(name, offset) or None."""
        at = bisect.bisect_right(self.starts, address) - 1
        return (self.names[at], address - self.starts[at]) if at >= 0 else None

    def address(self, name):
        return self.starts[self.names.index(name)]

    def at(self, address, size):
        """The bytes that the file puts there, fewer where a segment ends, none where it has nothing."""
        for start, offset, length in self.segments:
            if start <= address < start + length:
                return self.data[offset + address - start:offset + min(address - start + size, length)]
        return b""


def string(table, at):
    return table[at:table.index(b"\0", at)].decode()
