# SPDX-License-Identifier: BSD-2-Clause
"""check_server.py: what a server may not say: its state, invariants, waits and ops. Also resolves what needs imports:
`Server.served`, `Use.unit`, `Step.unit`, `Step.call`, `Op.method`."""
from collections import Counter

from idlc import check as contract
from idlc.model import Binary, Count, Group, Name

CLIENTS_MAX, SLOTS_MAX = 65535, 65535       # 16 bits each in labels and numbers


def check_state_field(unit, server, field, where):
    kind = field.type.kind
    if kind == "cap":
        unit.problem(field.line, "state cannot hold a capability: it dies with the task",
                     "keep (label, rights), or a durable slot that the manifest names")
    elif kind in ("map", "grant"):
        unit.problem(field.line, "state cannot hold a flexpage: it means nothing after a restart",
                     "keep (address, order), and map again in start()")
    elif kind == "ref" and field.type.decl is None:
        no_record(unit, server, field.line, f"`{field.name}` refers to", field.type.name)
    elif kind in ("string", "bytes") and field.dim is None:
        unit.problem(field.line, f"`{field.name}` has no size", f"write its size: {field.name}[256]")
    if field.type.window:
        unit.problem(field.line, f"`{field.name}` is `window` inside {where}",
                     "windows are beside the state: `clients ... window 4K`")


def no_record(unit, server, line, what, name):
    unit.problem(line, f"{what} `{name}`, which is no record",
                 f"records here: {contract.listed([r.name for r in server.records])}")


def check_server_head(unit, server):
    if server.version < 1:
        unit.problem(server.line, "versions begin at 1", "write `version 1`")
    for name, count in Counter([*server.serves, *(u.name for u in server.uses)]).items():
        if count > 1:
            unit.problem(server.line, f"`{server.name}` names `{name}` twice",
                         "name it once: a server cannot call itself")
    for name in server.serves:
        if unit.interface and unit.interface.name == name:
            server.served.append(unit)
        elif name in unit.imports:
            server.served.append(unit.imports[name])
        else:
            unit.problem(server.line, f"server `{server.name}` serves `{name}`, which is not imported",
                         f"write `import {name};` at the top")
    for use in server.uses:
        use.unit = unit.imports.get(use.name)
        if use.unit is None:
            unit.problem(use.line, f"server `{server.name}` uses `{use.name}`, which is not imported",
                         f"write `import {use.name};` at the top")
    if any(u.interface and u.interface.kernel for u in server.served):
        unit.problem(server.line, f"server `{server.name}` serves a kernel interface",
                     "the kernel does; leave out `kernel` there")


def check(unit, server):
    check_server_head(unit, server)
    methods = [m for u in server.served if u.interface for m in u.interface.methods]
    if not server.has_state and any(m.has_session for m in methods):
        unit.problem(server.line, f"`{server.name}` has methods with sessions and no state to remember answers in",
                     "write `state { clients 16 slots 4; }`")
    if server.has_state:
        check_state(unit, server, methods)
    check_waits(unit, server, methods)
    for after in server.afters:
        for param in after.params:
            if param.type.kind == "ref" and server.record(param.type.name) is None:
                no_record(unit, server, param.line, f"`{param.name}` refers to", param.type.name)
            elif param.type.kind not in ("int", "bool", "enum", "ref") or param.dim is not None:
                unit.problem(param.line, f"`{param.name}` of `{after.name}` is more than one word",
                             "pass a ref to the record that holds it")
    contract.distinct(unit, server.ops, "op")
    for op in server.ops:
        check_op(unit, server, op, methods)


# ---------------------------------------------------------------- state
def check_state(unit, server, methods):
    for what, value, most in (("clients", server.clients, CLIENTS_MAX), ("slots", server.slots, SLOTS_MAX)):
        if not 0 < value <= most:
            unit.problem(server.line, f"`{what} {value}` is outside 1 to {most}",
                         f"write a number of {what} from 1 to {most}")
    need = max([m.window for m in methods], default=0)
    if server.window < need:
        unit.problem(server.line, f"the window has {server.window} bytes, a method needs {need}",
                     f"write `window {(need + 4095) // 4096 * 4}K` after `slots`")
    contract.distinct(unit, [*server.words, *server.records, *server.lists, *server.bulks], "state")
    contract.distinct(unit, server.checks, "invariant")
    for field in server.words:
        check_state_field(unit, server, field, "the state")
    for part in (*server.records, *server.ops):
        contract.distinct(unit, part.fields, "field")
        for field in part.fields:
            check_state_field(unit, server, field, f"`{part.name}`")
    for chain in server.lists:
        for name in (chain.of, chain.per):
            if name and server.record(name) is None:
                no_record(unit, server, chain.line, f"list `{chain.name}` names", name)
    for bulk in server.bulks:
        if bulk.type.kind not in ("int", "bool", "enum", "struct"):
            unit.problem(bulk.line, f"bulk `{bulk.name}` is of `{bulk.type.name}`",
                         "bulk holds u8 to u64, i8 to i64, enums or structs")
    for rule in server.checks:
        check_rule(unit, server, rule)


def check_rule(unit, server, rule):
    word = "audit" if rule.audit else "invariant"
    if rule.each and server.record(rule.each) is None:
        no_record(unit, server, rule.line, f"{word} `{rule.name}` is about each", rule.each)
        return
    if rule.expr is None:
        return
    if mixes(rule.expr):
        unit.problem(rule.line, f"{word} `{rule.name}` mixes && and ||", "put parentheses round one of them")
    for name in names(rule.expr):
        check_name(unit, server, rule, name)


def operators(expr):
    """Operators outside of parentheses."""
    return {expr.op} | operators(expr.left) | operators(expr.right) if isinstance(expr, Binary) else set()


def mixes(expr):
    if {"&&", "||"} <= operators(expr):
        return True
    inner = [expr.inner] if isinstance(expr, Group) else [expr.left, expr.right] if isinstance(expr, Binary) else []
    return any(mixes(e) for e in inner)


def names(expr):
    """All names and counts in an expression, those inside an index too."""
    if isinstance(expr, Group):
        yield from names(expr.inner)
    elif isinstance(expr, Binary):
        yield from names(expr.left)
        yield from names(expr.right)
    elif isinstance(expr, (Name, Count)):
        yield expr
        if isinstance(expr, Name) and expr.index is not None:
            yield from names(expr.index)


def check_name(unit, server, rule, expr):
    if isinstance(expr, Count):
        if server.record(expr.record) is None:
            no_record(unit, server, expr.line, f"`{rule.name}` counts", expr.record)
        return
    if expr.index is not None and server.record(expr.name):
        fields = server.record(expr.name).fields
        if not expr.path:
            unit.problem(expr.line, f"`{rule.name}` compares a whole `{expr.name}`", "name a field of it after a dot")
            return
        check_path(unit, rule, expr, fields, expr.path)
        return
    here = [*(server.record(rule.each).fields if rule.each else []), *server.words]
    files = [unit, *unit.imports.values()]
    known = {c.name for u in files for c in u.consts} | {m.name for u in files for e in u.enums for m in e.members}
    if any(f.name == expr.name for f in here):
        check_path(unit, rule, expr, here, [expr.name, *expr.path])
    elif expr.name not in known or expr.path or expr.index is not None:
        fields = [f.name for f in here]
        unit.problem(expr.line, f"`{rule.name}` names `{expr.name}`, which is no field, word, const or enum member",
                     f"fields and words here: {contract.listed(fields)}")


def check_path(unit, rule, expr, fields, path):
    """`a.b.c`: each a field of the one before."""
    for i, part in enumerate(path):
        field = next((f for f in fields if f.name == part), None)
        if field is None:
            unit.problem(expr.line, f"`{rule.name}` names `{part}`, which is no field there",
                         f"fields there: {contract.listed([f.name for f in fields])}")
            return
        if i + 1 == len(path):
            return
        if field.type.kind != "struct":
            unit.problem(expr.line, f"`{rule.name}` looks into `{part}`, which is no struct",
                         "write RECORD[" + part + "].FIELD to follow a ref")
            return
        fields = field.type.decl.fields


# ---------------------------------------------------------------- waiting
def check_waits(unit, server, methods):
    contract.distinct(unit, server.waits, "wait")
    for wait in server.waits:
        if server.record(wait.record) is None and not wait.record.isdigit():
            no_record(unit, server, wait.line, f"`{wait.name}` waits on", wait.record)
    if any(m.parks for m in methods) and not server.waits:
        unit.problem(server.line, f"`{server.name}` has methods that park and nothing to wait for",
                     "write `wait NAME[RECORD];`")


# ---------------------------------------------------------------- ops
def check_op(unit, server, op, methods):
    end = "answer" if op.answers else "done"
    contract.distinct(unit, op.steps, "step")
    if op.answers:
        op.method = next((m for m in methods if m.name == op.answers), None)
        if op.method is None:
            unit.problem(op.line, f"op `{op.name}` answers `{op.answers}`, which is no method",
                         f"methods here: {contract.listed([m.name for m in methods])}")
        elif op.method.word != "once":
            unit.problem(op.line, f"op `{op.name}` answers `{op.answers}`, which is {op.method.word}",
                         "only a once method has a slot where the answer can wait: make it once")
    for step in op.steps:
        check_step(unit, server, op, step)
        for way in step.ways:
            if way in ("answer", "done") and way != end:
                whom = f"`{op.answers}`" if op.answers else "nobody"
                unit.problem(step.line, f"op `{op.name}` answers {whom}, and step `{step.name}` leads to `{way}`",
                             f"write `{end}`" + ("" if op.answers else f", or `answers METHOD` in line {op.line}"))
            elif way != end and way not in [s.name for s in op.steps]:
                unit.problem(step.line, f"step `{step.name}` goes on to `{way}`, which is no step",
                             f"steps here: {contract.listed([s.name for s in op.steps] + [end])}")
    check_ways(unit, op, end)


def check_step(unit, server, op, step):
    if step.name in ("answer", "done"):
        unit.problem(step.line, f"a step is called `{step.name}`",
                     "that is the end of an op: give the step another name")
    use = next((u for u in server.uses if u.name == step.use), None)
    if use is None:
        unit.problem(step.line, f"step `{step.name}` calls `{step.use}`, which `{server.name}` does not use",
                     f"write `uses {step.use}` in line {server.line}")
        return
    if step.many and use.dim is None:
        unit.problem(step.line, f"step `{step.name}` picks among `{step.use}`, of which there is one",
                     f"write `{step.use}.{step.method}`")
    elif use.dim is not None and not step.many:
        unit.problem(step.line, f"step `{step.name}` does not say which `{step.use}` it calls",
                     f"write `{step.use}[].{step.method}`: the sender picks")
    step.unit = use.unit
    if step.unit is None or step.unit.interface is None:
        return
    step.call = step.unit.interface.method(step.method)
    if step.call is None:
        unit.problem(step.line, f"`{step.use}` has no method `{step.method}`",
                     f"methods there: {contract.listed([m.name for m in step.unit.interface.methods])}")
        return
    if step.call.word == "replay":
        unit.problem(step.line, f"step `{step.name}` calls a replay method", "attach sessions in start(), not in an op")
    if any(p.type.window for p in (*step.call.ins, *step.call.outs)):
        unit.problem(step.line, f"step `{step.name}` sends window bytes, which a kept message cannot hold",
                     "keep them in bulk and let the callee pull")
    if step.call.items_in or step.call.items_out:
        thing = "a capability" if any(p.type.kind == "cap" for p in (*step.call.ins, *step.call.outs)) else "memory"
        unit.problem(step.line, f"step `{step.name}` sends {thing}, which a kept message cannot hold",
                     "let keeper fill a named slot")


def check_ways(unit, op, end):
    """Each step is reached from the first and comes to an end."""
    ways = {s.name: s.ways for s in op.steps}

    def reachable(start):
        seen, todo = set(), [start]
        while todo:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                todo += ways.get(here, [])
        return seen
    reached = reachable(op.steps[0].name)
    for step in op.steps:
        if step.name not in reached:
            unit.problem(step.line, f"no way leads to step `{step.name}`", "name it after a `->`")
        if not reachable(step.name) & {"answer", "done"}:
            unit.problem(step.line, f"step `{step.name}` never comes to an end", f"let one way lead to `{end}`")
