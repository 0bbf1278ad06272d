# SPDX-License-Identifier: BSD-2-Clause
"""check.py: what a manifest may not say, and the numbers that follow from it: slots, labels, ranks.

Rules. A call goes down: whoever is called has a lower rank, so no two services ever wait for each other. Whoever is called
runs at least as high as its caller. Every door in a server's `uses` is there. Nothing is handed out twice."""
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "idl"))

from idlc.model import load, rights_mask  # noqa: E402

SLOT_NAMED, SLOTS_NAMED = 16, 240       # libl4/include/l4/start.h, manifest.h: doors, then lines; the rest is keeper's
IRQ_PEER = 1 << 63
IRQ_OWN = IRQ_PEER | 0x8000             # doors that are no `uses`: + their ordinal
KEEPER_PRIORITY = 61
GENERATION = 1 << 16                    # the manifest's labels are the first generation
LABEL_OWN = 1 << 61                     # libl4/include/l4/server.h: in labels of a monitor's own clients
KEEPER_OBJECTS = 2 << 20                # what keeper keeps of kernel memory for what it makes itself (process.c)
PROCESS_OBJECTS = 5 << 20               # and what a shell and its children need, where processes are served
LINES_MOST = 24                         # of the one I/O APIC that a PC is sure to have


class Interfaces:
    """Every interface file, by the names of servers in them."""

    def __init__(self, folder=TOP / "idl" / "interfaces"):
        cache = {}
        self.units = [load(str(path), cache) for path in sorted(Path(folder).glob("*.idl"))]
        self.problems = [p for unit in self.units for p in unit.problems]
        self.servers = {u.server.name: u.server for u in self.units if u.server}
        self.interfaces = {u.interface.name: u.interface for u in self.units if u.interface}

    def rights(self, interface):
        """Rights that some method of the interface asks for."""
        found = self.interfaces.get(interface)
        return sum({1 << bit for m in found.methods for bit in range(8) if rights_mask(m.needs) >> bit & 1}) if found else 0


def near(name, names):
    return ", ".join(sorted(names)) or "none"


def letters(mask):
    return "".join(letter for letter, bit in zip("RWXOIMC", (1, 2, 4, 8, 16, 32, 64)) if mask & bit)


def resolve(system, known):
    """Doors lead somewhere; servers are known."""
    names = {s.name for s in system.services} | {"keeper"}
    for service in system.services:
        if service.server and service.server not in known.servers:
            system.problem(service.where("server"), f"no interface file has a server `{service.server}`",
                           "servers: " + near(service.server, known.servers))
        for door in service.doors:
            if door.service not in names:
                system.problem(door.line, f"there is no service `{door.service}`", "services: " + near(door.service, names))
            elif door.service == service.name:
                system.problem(door.line, f"`{service.name}` has a door to itself: it would wait for itself for ever",
                               "call the function instead, and leave the door out")
    monitors(system, names)


def monitors(system, names):
    """Who is monitored is there, by one monitor that has none itself: the kernel sends no message round two corners."""
    by = {}
    for service in (s for s in system.services if s.monitors):
        line, monitored = service.where("monitors"), system.service(service.monitors)
        if service.monitors == "keeper":
            system.problem(line, "keeper cannot be monitored: it starts the monitor", "name a service; services: " + near("", names - {"keeper"}))
        elif monitored is None:
            system.problem(line, f"there is no service `{service.monitors}`", "services: " + near("", names - {"keeper"}))
        elif monitored is service:
            system.problem(line, f"`{service.name}` monitors itself", "name the service that it stands in front of")
        elif monitored.name in by:
            system.problem(line, f"`{monitored.name}` has a monitor already: `{by[monitored.name].name}`, in line "
                           f"{by[monitored.name].where('monitors')}", "let one service monitor it, with both policies")
        elif monitored.monitors:
            system.problem(line, f"`{monitored.name}` monitors `{monitored.monitors}`, and a monitor has none itself",
                           f"let `{service.name}` monitor `{monitored.monitors}`, with both policies, or leave this line out")
        elif not monitored.server:
            system.problem(line, f"`{monitored.name}` serves no interface: nothing comes to its gate", f"write `server NAME` below service {monitored.name}")
        elif not service.server:
            system.problem(line, f"`{service.name}` monitors `{monitored.name}`, but no server is named that could judge",
                           f"write `server NAME` below service {service.name}; personality/policy is one")
        own = next((d for d in service.doors if d.service == service.monitors), None)
        if own and monitored is not service:
            system.problem(own.line, f"`{service.name}` calls `{monitored.name}`, which it monitors: its call would come to itself",
                           "leave the door out; what it passes on needs none")
        by.setdefault(service.monitors, service)


def monitor_of(system, name):
    return next((s for s in system.services if s.monitors == name), None)


def serves(system, known, name):
    server = known.servers.get("keeperd" if name == "keeper" else system.service(name).server)
    return server.serves if server else []


def last_op(server, interface):
    """The highest number of an op with a step at `interface`: ops are numbered from 1 in order, each uses the slot of its number."""
    number = last = 0
    for op in server.ops:
        number += op.count
        if any(step.use == interface for step in op.steps):
            last = number
    return last


def place(system, known, service):
    """Slots of doors: those that the server `uses` in its order, the others behind, by name."""
    taken, own = {}, 0
    server = known.servers.get(service.server)
    wanted, end = [], SLOT_NAMED
    for use in server.uses if server else []:
        wanted.append((use, end))
        end += max(use.count, 1)
    for door in service.doors:
        if door.name in taken:
            system.problem(door.line, f"two doors of `{service.name}` are called `{door.name}`, the first in line "
                           f"{taken[door.name].line}", "write `as OTHER` behind one of them")
        taken[door.name] = door
        if door.service != "keeper" and not serves(system, known, door.service):
            system.problem(door.line, f"`{door.service}` serves no interface", f"write `server NAME` below service {door.service}")
    for use, at in wanted:
        found = [d for d in service.doors if use.name in serves(system, known, d.service) and not d.slot]
        if not found and not use.count:
            system.problem(service.where("server"), f"`{service.server}` uses {use.name}, but `{service.name}` has no door to one",
                           f"write `door SERVICE {letters(known.rights(use.name)) or 'R'}` with a service that serves {use.name}")
        for index, door in enumerate(found[:max(use.count, 1)]):
            door.slot, door.event = at + index, IRQ_PEER | at + index - SLOT_NAMED
            door.name = use.name if index == 0 else door.name
            callee = known.servers.get("keeperd" if door.service == "keeper" else system.service(door.service).server)
            last = last_op(server, use.name)
            if last >= callee.slots:
                system.problem(door.line, f"op {last} of `{service.server}` calls `{door.service}` in slot {last}, which has {callee.slots}",
                               f"raise `slots` in the state of {callee.name}, or move the op forward in {service.server}")
    for door in service.doors:
        if not door.slot:
            door.slot, door.event, own = end + own, IRQ_OWN | own, own + 1
        allowed = sum({1 << b for i in serves(system, known, door.service) for b in range(8) if known.rights(i) >> b & 1})
        if door.rights & ~allowed:
            system.problem(door.line, f"no method of `{door.service}` asks for right {letters(door.rights & ~allowed)}",
                           f"leave it out; it knows {letters(allowed) or 'none'}")
    for index, line in enumerate(service.lines):
        line.slot, line.label = end + own + index, line.number + 1
        if line.name in taken:
            system.problem(line.line, f"a door and a line of `{service.name}` are both called `{line.name}`", "write `as OTHER`")
    if end + own + len(service.lines) > SLOT_NAMED + SLOTS_NAMED:
        system.problem(service.line, f"`{service.name}` has more than {SLOTS_NAMED} named capabilities", "split the service")


def label(system, known):
    """A client's index at each server, in the order of the text."""
    clients = {}
    for service in system.services:
        for door in service.doors:
            index = clients.get(door.service, 0)
            clients[door.service] = index + 1
            own = door.service != "keeper" and system.service(door.service).monitors
            door.label = (LABEL_OWN if own else 0) | GENERATION | index
            name = "keeperd" if door.service == "keeper" else system.service(door.service).server
            server = known.servers.get(name)
            if server and server.clients and index >= server.clients:
                system.problem(door.line, f"`{door.service}` has room for {server.clients} clients, this is one more",
                               f"raise `clients` in the state of {name}, or leave a door out")


def calls(system, service):
    """Whom a service may wait for, and the door: who is behind it, and who monitors that one."""
    for door in service.doors:
        yield door, door.service
        monitor = monitor_of(system, door.service)
        if monitor:
            yield door, monitor.name


def rank(system):
    """Ranks by the longest way down; a circle has none."""
    ranks, above = {"keeper": 0}, []

    def visit(service):
        if service.name in ranks:
            return ranks[service.name]
        above.append(service)
        below = 0
        for door, called in calls(system, service):
            names = [s.name for s in above]
            if called in names:
                circle = names[names.index(called):] + [called]
                if called != service.name:
                    system.problem(door.line, "calls go round: " + " -> ".join(circle) + ": they could all wait for each other",
                                   "let one of them raise an event, and the other come and ask")
                continue
            below = max(below, visit(system.service(called)) if called != "keeper" else 0)
        above.pop()
        ranks[service.name] = service.rank = below + 1
        return service.rank

    for service in system.services:
        visit(service)


def priorities(system):
    for service in system.services:
        if service.priority >= KEEPER_PRIORITY:
            system.problem(service.where("priority"), f"`{service.name}` would run as high as keeper ({KEEPER_PRIORITY})",
                           f"write at most {KEEPER_PRIORITY - 1}")
        for door in service.doors:
            server, monitor = system.service(door.service), monitor_of(system, door.service)
            if monitor and monitor.priority < service.priority and not door.downward:
                system.problem(monitor.where("priority"), f"`{service.name}` ({service.priority}) calls `{door.service}`, whose monitor `{monitor.name}` "
                               f"has {monitor.priority}", f"write priority {service.priority} or more below service {monitor.name}")
            if monitor and service.boot and not monitor.boot:
                system.problem(monitor.where("monitors"), f"`{service.name}` is started by keeper, calls `{door.service}`, and `{monitor.name}` would not "
                               "be there yet", f"write `boot` below service {monitor.name}")
            if server and server.priority < service.priority and not door.downward:
                system.problem(door.line, f"`{service.name}` ({service.priority}) calls down in priority: `{server.name}` has "
                               f"{server.priority}", f"raise {server.name} to {service.priority}, or mark the door `downward`")
    watchers = [s for s in system.services if s.watcher]
    if len(watchers) > 1:
        system.problem(watchers[1].where("watcher"), f"`{watchers[0].name}` watches already", "let one service watch")
    for service in system.services:
        if watchers and service is not watchers[0] and (service.ports or service.lines) and service.priority >= watchers[0].priority:
            system.problem(service.where("priority"), f"driver `{service.name}` ({service.priority}) runs as high as "
                           f"`{watchers[0].name}` ({watchers[0].priority}): hung, it could not be stopped",
                           f"write at most {watchers[0].priority - 1}")
        if service.heartbeat and service.budget < 100 and service.period > service.heartbeat:
            system.problem(service.where("budget"), f"`{service.name}` may rest for {service.period} ms, longer than its heartbeat of "
                           f"{service.heartbeat} ms: it would be taken for hung", f"write a period of at most {service.heartbeat}")
        if service.heartbeat and not watchers:
            system.problem(service.where("heartbeat"), f"nobody watches the heartbeat of `{service.name}`", "let a service be the watcher")


def authority(system, known):
    """Rights on the kernel's own objects: no more than some method asks for."""
    for service in system.services:
        beyond = service.debug & ~known.rights("debug")
        if beyond:
            system.problem(service.where("debug"), f"no method of the kernel's debug object asks for right {letters(beyond)}",
                           f"leave it out; it knows {letters(known.rights('debug'))}")


def spend(system, known):
    """What all may have together fits into the smallest machine that the system names."""
    has_processes = any("pm" in serves(system, known, s.name) for s in system.services)
    spent = {"memory": 0, "objects": KEEPER_OBJECTS + (PROCESS_OBJECTS if has_processes else 0)}
    for service in system.services:
        wanted = {"memory": service.memory, "objects": service.objects + system.objects * service.share // 100}
        for setting, size in wanted.items():
            there, before = getattr(system, setting), spent[setting]
            spent[setting] += size
            if spent[setting] > there >= before:
                system.problem(service.where(setting), f"up to here services may take {spent[setting] >> 10}K of {setting}, "
                               f"the system has {there >> 10}K", f"give them less, or write a larger `{setting}` below `system`")


def resources(system):
    lines, ports = {}, []
    for service in system.services:
        for setting in ("memory", "objects"):
            size = getattr(service, setting)
            if size % 4096 or size == 0:
                system.problem(service.where(setting), f"{size} bytes are no number of pages", "write a multiple of 4K")
        for line in service.lines:
            if line.number >= LINES_MOST:
                system.problem(line.line, f"there is no line {line.number}", f"write 0 to {LINES_MOST - 1}")
            if line.number in lines:
                system.problem(line.line, f"line {line.number} belongs to `{lines[line.number]}`", "let one driver have it")
            lines[line.number] = service.name
        for range_ in service.ports:
            if range_.count == 0 or range_.first + range_.count > 0x10000:
                system.problem(range_.line, "these are no ports", "write first and count below 0x10000")
            for other, name in ports:
                if range_.first < other.first + other.count and other.first < range_.first + range_.count:
                    system.problem(range_.line, f"port {max(range_.first, other.first):#x} belongs to `{name}`", "let one driver have it")
            ports.append((range_, service.name))


def members(system, modules):
    if modules is None:
        return
    for service in system.services:
        if service.program not in modules:
            system.problem(service.where("program"), f"the archive has no module `{service.program}`",
                           "build it with axo_server(… MODULE), or mend the name; modules: " + near("", modules))


def check(system, known=None, modules=None):
    """Fill in what follows from the text; system.problems tells whether it may be used."""
    known = known or Interfaces()
    if known.problems:              # a wrong interface file has no server: nothing can be said of who serves it
        system.problems = list(known.problems)
        return system
    resolve(system, known)
    if not system.problems:
        for service in system.services:
            place(system, known, service)
        label(system, known)
        rank(system)
        priorities(system)
        authority(system, known)
        spend(system, known)
        resources(system)
    members(system, modules)
    system.problems.sort()
    return system
