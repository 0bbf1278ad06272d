# SPDX-License-Identifier: BSD-2-Clause
"""document.py: emits NAME.md, an interface as its users read it, and the picture of each op's ways (mermaid)."""
from idlc import lock
from idlc.c_text import environment


def document(unit, units):
    face = unit.interface
    users = sorted(u.server.name for u in units if u.server and face.name in [use.name for use in u.server.uses])
    servers = [u.server for u in units if u.server and face.name in u.server.serves]
    ops = [op for server in servers for op in server.ops]
    return environment().get_template("interface.md.j2").render(
        unit=unit, face=face, users=users, servers=servers, ops=ops, picture=picture, signature=signature,
        consts=unit.owned("consts", face.name), enums=unit.owned("enums", face.name), structs=unit.owned("structs",
                                                                                                         face.name),
        promise={"retry": "may be sent again", "once": "executed exactly once",
                 "replay": "sent again to a restarted server"})


def signature(method):
    """As the author wrote it, bounds as numbers."""
    ways = []
    for side in (method.ins, method.outs):
        ways.append("(" + ", ".join(shown(p) for p in side) + ")")
    return f"{method.name}{ways[0]} -> {ways[1]}"


def shown(p):
    kind = p.type.name if p.type.kind in ("struct", "enum") else lock.written(p.type)
    window = "window " if p.type.window and p.type.kind in ("struct", "enum") and not kind.startswith("window") else ""
    return f"{window}{kind.removeprefix('enum ')} {p.name}" + (f"[{p.count}]" if p.count else "")


def picture(op):
    """The ways of an op as a mermaid state diagram, which code hosts and editors draw."""
    out = ["stateDiagram-v2", f"    [*] --> {op.steps[0].name}"]
    for step in op.steps:
        out.append(f"    {step.name} : {step.name}\\n{step.use}{'[]' if step.many else ''}.{step.method}")
        out += [f"    {step.name} --> {'[*]' if way in ('answer', 'done') else way}" for way in step.ways]
    return "\n".join(out)
