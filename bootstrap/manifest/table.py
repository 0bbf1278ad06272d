# SPDX-License-Identifier: BSD-2-Clause
"""table.py: a checked manifest as the bytes that keeper reads: the structs of bootstrap/include/boot/manifest.h."""
import struct

MAGIC, VERSION = 0x74736566696e616d, 5
HEAD = struct.Struct("<Q6I24sQ")
SERVICE = struct.Struct("<24s24sQQ16I256s")
DOOR = struct.Struct("<IIQQQ24s")
PORTS = struct.Struct("<II")
LINE = struct.Struct("<IIQQ24s")
assert [s.size for s in (HEAD, SERVICE, DOOR, PORTS, LINE)] == [64, 384, 56, 8, 48]
BOOT, WATCHER, ASK, FPU, DOWN = 1, 2, 4, 8, 16


def pieces(first, count):
    """Naturally aligned powers of two that cover the ports, as flexpages must be."""
    while count:
        size = first & -first or 0x10000
        while size > count:
            size >>= 1
        yield first, size
        first, count = first + size, count - size


def flags(service):
    return (BOOT * service.boot | WATCHER * service.watcher | ASK * service.ask | FPU * service.fpu | DOWN * service.down)


def table(system):
    """The bytes of a system that check.py found nothing wrong with."""
    numbers = {"keeper": 0, **{s.name: n for n, s in enumerate(system.services, 1)}}
    services, doors, ports, lines = [], [], [], []
    for s in system.services:
        own = [piece for p in s.ports for piece in pieces(p.first, p.count)]
        services.append(SERVICE.pack(s.name.encode(), s.program.encode(), s.memory, s.objects, flags(s), s.priority, s.rank,
                                     s.heartbeat, len(doors), len(s.doors), len(ports), len(own), len(lines), len(s.lines), s.debug, s.share,
                                     s.period * 10 * s.budget, s.period * 1000, numbers.get(s.monitors, 0), 0,
                                     s.arguments.encode()))
        doors += [DOOR.pack(numbers[d.service], d.rights, d.slot, d.label, d.event, d.name.encode()) for d in s.doors]
        ports += [PORTS.pack(*piece) for piece in own]
        lines += [LINE.pack(i.number, i.level, i.slot, i.label, i.name.encode()) for i in s.lines]
    body = b"".join(services + doors + ports + lines)
    return HEAD.pack(MAGIC, VERSION, len(services), len(doors), len(ports), len(lines), 0, system.name.encode(),
                     HEAD.size + len(body)) + body
