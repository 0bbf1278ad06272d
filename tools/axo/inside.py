# SPDX-License-Identifier: BSD-2-Clause
"""inside.py: sourced by gdb: the command `waits`, which prints every thread of the kernel and whom it waits for."""
import gdb

STATES = ["stopped", "ready", "sending to", "awaiting", "receiving", "halted"]
FAULT, EXCEPTION = 1 << 11, 1 << 12        # enum thread_state


def linked(head, kind, member):
    """What the kernel's list `head` links, as pointers to struct `kind`, through its member `member`."""
    kind = gdb.lookup_type(f"struct {kind}")
    offset = next(field.bitpos // 8 for field in kind.fields() if field.name == member)
    node = head["next"]
    while node != head.address:
        yield gdb.Value(int(node) - offset).cast(kind.pointer())
        node = node["next"]


def text(characters):
    return characters.string(length=16).split("\0")[0]


def name(pointer):
    return f" {int(pointer['object']['id'])} {text(pointer['object']['name'])}".rstrip() if pointer else ""


def threads():
    """Every thread. Threads without a task wait for nobody."""
    for task in linked(gdb.parse_and_eval("task_all"), "task", "in_all"):
        for thread in linked(task["threads"], "thread", "in_task"):
            yield task, thread


def line(task, thread):
    hot = int(thread["hot"])
    state = STATES[hot & 7]
    why = " (exception)" if hot & EXCEPTION else " (page fault)" if hot & FAULT else ""
    on = {"sending to": thread["at_gate"], "awaiting": thread["partner"]}.get(state)
    return (f"thread{name(thread)} of task{name(task)}, priority {int(thread['priority'])}: {state}{name(on)}"
            f"{why}, rip {int(thread['frame']['rip']):#x}")


class Waits(gdb.Command):
    """Who waits for whom: every thread, its state, the gate or thread that it waits for, and where it is."""

    def __init__(self):
        super().__init__("waits", gdb.COMMAND_STATUS)

    def invoke(self, arguments, from_tty):
        try:
            found = list(threads())
        except gdb.MemoryError:
            raise gdb.GdbError("the kernel does not run yet; `break entry_idle` and `continue` first") from None
        for task, thread in found:
            print(line(task, thread))


Waits()
