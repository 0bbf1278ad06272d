# SPDX-License-Identifier: BSD-2-Clause
"""trace.py: `axo trace`: runs a command while every thread of the system is traced, and tells what all did: a summary, JSON, or CTF.

The service `trace` (personality/trace) has the kernel trace into a ring of its memory. The guest's memory is a file of the host's, so the ring is
read there, by no help of the guest's, when it has ended (area.py). Events get the names of their tasks, from
keeper's slots, and of methods, from the interfaces."""
import collections
import json
import os
import shlex
import sys
from pathlib import Path

from . import archive, area, build, ctf, exec, paths, ring, run, say, scratch, snapshot


def method_names(interfaces):
    """{protocol << 8 | method: "interface.method"}"""
    return {face["protocol"] << 8 | method["number"]: f"{name}.{method['name']}"
            for name, face in interfaces.items() for method in face["methods"]}


def method_of(event, methods):
    what = event["tag"] & 0xFFFFFFFF
    is_answer = event["kind"] == ring.REPLY and ring.status_of(event) < ring.FIRST_METHOD
    if event["event"] == ring.FAULT or (event["event"] == ring.INVOKE and not is_answer):
        return methods.get(what, f"{what:#x}")
    return "answer" if event["event"] == ring.INVOKE else ""


def named(shot, events, services, methods):
    """Events with names: of the event, its task and its method. Tasks that came later are told by their numbers."""
    tasks = snapshot.task_names(shot, services)
    return [{**event, "event": ring.EVENTS[event["event"] - 1], "name": tasks.get(event["task"], f"task {event['task']}"),
             "method": method_of(event, methods)} for event in events]


def wrapped(command):
    """The command, traced from before its beginning: nobody of its priority runs before the trace has begun."""
    return f"service up trace >/dev/null && sleep 0.2; sh -c {shlex.quote(command)}"


def summary(events, lost):
    count = collections.Counter((event["name"], event["method"] or event["event"]) for event in events if event["event"] in ("invoke", "fault"))
    print(f"{len(events)} records, {lost} lost")
    for (task, what), number in sorted(count.items(), key=lambda entry: (-entry[1], entry[0])):
        print(f"{number:8d}  {task:12s} {what}")


def tell(options, events, lost):
    if options.ctf:
        ctf.write(events, ring.EVENTS, Path(options.ctf))
        say.error(f"{len(events)} events in {options.ctf}, {lost} lost before them; read them with `babeltrace2 {options.ctf}`")
    if options.json:
        text = json.dumps(events, indent=1) + "\n"
        sys.stdout.write(text) if options.json == "-" else Path(options.json).write_text(text)
    if not options.ctf and not options.json:
        summary(events, lost)


def command(options):
    say.quiet = True
    if options.ctf:
        if os.path.isdir(options.ctf) and os.listdir(options.ctf):
            raise say.usage_failure(f"--ctf {options.ctf}: the folder is not empty")
        paths.check_writable("--ctf", options.ctf if not os.path.isdir(options.ctf) else os.path.join(options.ctf, "metadata"))
    if options.json and options.json != "-":
        paths.check_writable("--json", options.json)
    machine = run.machine_of(options, paths.Build(options.build_dir))
    files = build.build_all(options, "run", targets=["system", "archive-trace"])
    run.check_served(files, "trace")
    files.system = files.native / "trace.cpio"
    wanted, options.exec, options.strace, options.root = options.exec, wrapped(options.exec), None, None
    with scratch.Folder() as place:
        folder = Path(place)
        run.lay_over(machine, options, files, folder / "archive", run.start_file(options))
        area.share(machine, folder / "memory")
        status = exec.run(machine, files.last_log, options.timeout, None if sys.stdin is None else 0, copies=(2, 2) if options.json == "-" else (1, 2))
        found = area.read(folder / "memory")
        services = snapshot.service_names({name: data for name, _, data, _ in archive.read(machine.archive.read_bytes())}["manifest"])
    if found is None or not found[0] or not found[1]:
        raise say.guest_failure(f"nothing was traced while `{wanted}` ran")
    interfaces = json.loads((files.native / "generated" / "interfaces.json").read_text())["interfaces"]
    (shot, *_), events = found
    lost = events[0]["sequence"] - shot.events - 1 + sum(event["lost"] for event in events)
    tell(options, named(shot, events, services, method_names(interfaces)), lost)
    return status
