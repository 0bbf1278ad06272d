# SPDX-License-Identifier: BSD-2-Clause
"""together.py: mistakes that show only over several files, and against the lock."""
from idlc import lock
from idlc.model import Problem


def problems(loaded, frozen):
    """Of all `loaded` units; `frozen` is the lock's text or None. Each problem once, by file and line."""
    out = [p for unit in loaded for p in unit.problems]
    out += protocols(loaded) + servers(loaded) + calls(loaded)
    if frozen is not None:
        locks = lock.read(frozen)
        sound = [u for u in loaded if u.interface and not u.problems]
        out += [p for u in sound if u.interface.name in locks for p in lock.problems(u, locks[u.interface.name])]
    return sorted(out, key=lambda p: (p.path, p.line))


def protocols(loaded):
    out, seen = [], {}
    for unit in sorted((u for u in loaded if u.interface), key=lambda u: u.path):
        number = unit.interface.protocol
        if number in seen:
            other = seen[number]
            out.append(Problem(unit.path, unit.interface.line,
                               f"`{unit.interface.name}` and `{other.interface.name}` are both protocol 0x{number:x}", 
                               f"give the newer one another number ({other.path}:{other.interface.line} has this one)"))
        seen.setdefault(number, unit)
    return out


def servers(loaded):
    out, seen = [], {}
    for unit in sorted((u for u in loaded if u.server), key=lambda u: u.path):
        name = unit.server.name
        if name in seen:
            out.append(Problem(unit.path, unit.server.line, f"there are two servers `{name}`",
                               f"rename one ({seen[name].path}:{seen[name].server.line} is the other)"))
        seen.setdefault(name, unit)
    return out


def calls(loaded):
    """Calls go down only: no server may come back to itself over `uses`."""
    serves = {i: u for u in loaded if u.server for i in u.server.serves}
    out = []
    for unit in sorted((u for u in loaded if u.server), key=lambda u: u.path):
        for use in unit.server.uses:
            chain = way_back(unit, use.name, serves, [unit.server.name])
            if chain:
                out.append(Problem(unit.path, use.line, "servers would wait for each other: " + " -> ".join(chain),
                                   "calls go down only: let the lower one raise an event and the upper one ask"))
    return out


def way_back(start, interface, serves, chain):
    """Servers from `start` over `interface` back to `start`, or None."""
    unit = serves.get(interface)
    if unit is None or unit.server.name in chain[1:]:
        return None
    chain = [*chain, unit.server.name]
    if unit is start:
        return chain
    return next((found for use in unit.server.uses if (found := way_back(start, use.name, serves, chain))), None)
