# SPDX-License-Identifier: BSD-2-Clause
"""area.py: a trace ring and snapshots out of a machine's memory, which is a file here (personality/trace/area.h)."""
import mmap
import struct

from . import ring, say, snapshot

MARK = struct.pack("<4Q", *((i + 1) * 0x9E3779B97F4A7C15 % (1 << 64) for i in range(4)))
HEAD, RUN = struct.Struct("<2Q"), struct.Struct("<2Q")
ENTRY = struct.Struct("<4Q4I2Q")
END, TASK, MEMORY, PORT, CAPABILITY = range(5)
PAGE = 4096
HOLE = 3 << 30          # behind so much, memory lies elsewhere than in the file: the machine's devices are between


def share(machine, path):
    """Let the machine's memory be this file."""
    if machine.mem << 20 > HOLE:
        raise say.usage_failure(f"--mem {machine.mem}: a trace is read in at most {HOLE >> 20} MB")
    machine.extra = [*machine.extra, "-object", f"memory-backend-file,id=ram,size={machine.mem}M,mem-path={path},share=on",
                     "-machine", "memory-backend=ram"]


def snapshots(data):
    """Those that lie one behind the other."""
    found, shot = [], None
    for task, at, thing, label, node, kind, rights, order, lineage, parent in ENTRY.iter_unpack(data):
        if node == END and shot is None:
            break
        shot = shot or snapshot.Snapshot(str(len(found)))
        if node == END:
            shot.events, shot.last_object, shot.last_lineage = at, thing, lineage
            found.append(shot)
            shot = None
            continue
        holds = shot.tasks.setdefault(task, snapshot.Task())
        if node == CAPABILITY:
            holds.capabilities[at] = snapshot.Capability(snapshot.KINDS[kind], thing, label, rights, lineage, parent, order)
        elif node != TASK:
            (holds.memory if node == MEMORY else holds.ports)[at] = snapshot.Mapping(thing if node == MEMORY else at, order, rights, lineage, parent)
    return found


def read(path):
    """(snapshots, records); None: nobody has opened an area."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        at = data.find(MARK)
        if at < 0:
            return None
        records, entries = HEAD.unpack_from(data, at + len(MARK))
        size, wanted = records * ring.RECORD.size, (records * ring.RECORD.size + entries * ENTRY.size) // PAGE
        memory = bytearray()
        for frame, pages in RUN.iter_unpack(data[at + len(MARK) + HEAD.size:at + PAGE]):
            memory += data[frame:frame + pages * PAGE] if len(memory) < wanted * PAGE else b""
    return snapshots(memory[size:]), ring.records(memory[:size])
