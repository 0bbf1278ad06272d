# SPDX-License-Identifier: BSD-2-Clause
"""names.py: what everybody needs to know about all interfaces: a C table of names, who may call what, errors and kinds."""
import json

from idlc.c_text import environment


def interfaces(units):
    return sorted((u.interface for u in units if u.interface), key=lambda f: f.protocol)


def system_headers(unit, faces):
    """What kernel and user code share beside messages: the system's errors, and the kinds of kernel objects."""
    kernel = [face for face in faces if face.kernel]
    return {f"abi/{name}": environment().get_template(f"{name}.j2").render(unit=unit, faces=kernel)
            for name in ("error.h", "error.def", "kind.h")}


def names_header(units):
    return environment().get_template("names.h.j2").render()


def names_source(units):
    return environment().get_template("names.c.j2").render(faces=interfaces(units))


def calls_json(units):
    """`interfaces`: every method and what it needs; `servers`: what each serves, and every method that it may call."""
    faces = {f.name: {"protocol": f.protocol, "version": f.version, "kernel": f.kernel,
                      "methods": [method_facts(m) for m in sorted(f.methods,
                                                                  key=lambda m: m.number)]} for f in interfaces(units)}
    servers = {u.server.name: {"serves": u.server.serves, "uses": [use.name for use in u.server.uses],
                               "calls": calls(u.server)} for u in units if u.server}
    return json.dumps({"interfaces": faces, "servers": servers}, indent=1, sort_keys=True) + "\n"


def method_facts(method):
    hands_out = [{"kind": p.type.kind, "what": p.type.name,
                  "rights": p.type.rights} for p in method.outs if p.type.is_item]
    takes = [{"kind": p.type.kind, "what": p.type.name, "rights": p.type.rights} for p in method.ins if p.type.is_item]
    return {"number": method.number, "name": method.name, "word": method.word, "needs": method.needs, "takes": takes,
            "hands_out": hands_out}


def calls(server):
    """(protocol, method, in_op) of everything that it may send; in_op: an op of it does."""
    steps = {(step.use, step.method) for op in server.ops for step in op.steps}
    return [{"interface": use.name, "protocol": use.unit.interface.protocol, "method": m.number, "name": m.name,
             "in_op": (use.name, m.name) in steps}
            for use in server.uses for m in use.unit.interface.methods]
