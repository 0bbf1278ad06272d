# SPDX-License-Identifier: BSD-2-Clause
"""bench.py: `axo bench`: boots the bench archives under -icount, one instruction a nanosecond, and gathers the lines
`bench: ID VALUE UNIT` of the kernel's log."""
import json
import re
import sys

from . import build, qemu, say

LINE = re.compile(rb"^bench: (\S+) (-?[0-9]+(?:\.[0-9]+)?) (\S+)\r?$", re.M)
TIMEOUT = 300


def groups(files):
    """{group: [archive]} as CMake wrote it down."""
    found, listed = {}, files.native / "benches.txt"
    for line in listed.read_text().splitlines() if listed.exists() else []:
        group, archive = line.split()
        found.setdefault(group, []).append(files.native / archive)
    return found


def figures(log):
    """[{"id", "value", "unit"}] of a log, in order."""
    return [{"id": name.decode(), "value": float(value) if b"." in value else int(value), "unit": unit.decode()}
            for name, value, unit in LINE.findall(log)]


def measure(files, archive):
    machine = qemu.Machine(loader=files.loader, archive=archive, words=["bench"], icount=True)
    with qemu.Guest(machine) as guest:
        log = bytearray()
        status = guest.watch(lambda data: None, log.extend, TIMEOUT)
        guest.keep_log(files.last_log)
        if status != qemu.PASS:
            sentence, is_hosts = guest.complaint(status)
            raise (say.host_failure if is_hosts else say.guest_failure)(f"{archive.stem}: {sentence}")
    return figures(bytes(log))


def show(found, stream):
    for figure in found:
        print(f"{figure['id']:40s} {figure['value']:>12} {figure['unit']}", file=stream, flush=True)


def write(found, file):
    text = json.dumps(found, indent=1) + "\n"
    if file == "-":
        print(text, end="")
        return
    try:
        with open(file, "w") as out:
            out.write(text)
    except OSError as problem:
        raise say.host_failure(f"cannot write {file}: {problem.strerror}") from None


def command(options):
    files = build.build_all(options, "run", targets=["benches"])
    known = groups(files)
    if options.list:
        print("\n".join(sorted(known)))
        return 0
    if options.group and options.group not in known:
        raise say.usage_failure(f"there is no bench group {options.group!r}; groups: {', '.join(sorted(known)) or 'none'}")
    if not known:
        raise say.host_failure("there is nothing to measure in this tree yet")
    found = []
    for group in [options.group] if options.group else sorted(known):
        for archive in known[group]:
            fresh = measure(files, archive)
            show(fresh, sys.stderr if options.json == "-" else sys.stdout)
            found += fresh
    if options.json:
        write(found, options.json)
    return 0
