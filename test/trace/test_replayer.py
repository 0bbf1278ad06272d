# SPDX-License-Identifier: BSD-2-Clause
"""The replayer alone, under traces that hypothesis makes up: what holds after every trace, whatever is in it."""
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import replay, ring, snapshot  # noqa: E402

TASK, OTHER, THREAD, FACTORY = 3, 5, 9, 4       # ids; slots of the first task: 1 itself, 2 the other one, 3 the factory
SLOTS, PAGES = 40, 0x400000
WINDOW = [(order, SLOTS + at) for order in range(4) for at in range(0, 16, 1 << order)]
Capability, Mapping = snapshot.Capability, snapshot.Mapping


def start():
    """Two tasks; the first holds both, a factory, and pages, one of them large; the second one page below the first's."""
    first, second = snapshot.Task(), snapshot.Task()
    first.capabilities = {1: Capability("task", TASK, 0, 127, 1, 0, FACTORY), 2: Capability("task", OTHER, 0, 127, 2, 0, FACTORY),
                          3: Capability("factory", FACTORY, 0, 127, 3, 0, FACTORY)}
    first.memory = {PAGES + 4096 * i: Mapping(0x100000 + 4096 * i, 12, 7, TASK << 36 | (PAGES >> 12) + i, 0) for i in range(8)}
    first.memory[0x800000] = Mapping(0x800000, 21, 7, TASK << 36 | 0x800, 0)
    second.memory = {PAGES: Mapping(0x100000, 12, 3, OTHER << 36 | PAGES >> 12, TASK << 36 | PAGES >> 12)}
    return snapshot.Snapshot("start", {TASK: first, OTHER: second}, 100, 20, 30)


def caps_page(window):
    return window[1] << 12 | window[0] << 6 | replay.CAPS << 4


def memory_page(order, page):
    at = PAGES + (page % 8 << 12) if order < 21 else 0x800000
    return at >> order << order | order << 6 | 7


slot, task = st.integers(SLOTS, SLOTS + 15), st.sampled_from([(1, TASK), (2, OTHER)])
caps, memory = st.sampled_from(WINDOW).map(caps_page), st.builds(memory_page, st.sampled_from([12, 13, 14, 21]), st.integers(0, 7))
rights = st.integers(0, 127)


def invoke(number, kind, held, thing, *words):
    """(tag, kind, slot, object, words)"""
    return number, kind, held, thing, [*words, 0, 0, 0][:4]


make = st.builds(lambda number, to: invoke(number, 1, 3, FACTORY, to), st.sampled_from([0x101, 0x102, 0x103, 0x104]), slot)
map_caps = st.builds(lambda to, source, what, at, may: invoke(replay.MAP, 2, to[0], to[1], source[0], what, at, may), task, task, caps, slot, rights)
map_pages = st.builds(lambda method, to, source, what, at, may: invoke(method, 2, to[0], to[1], source[0], what, at << 12, may),
                      st.sampled_from([replay.MAP, replay.COPY]), task, task, memory, st.integers(0x400, 0x40F) | st.just(0xA00), rights)
unmap = st.builds(lambda of, what, taken, below: invoke(replay.UNMAP, 2, *of, what, taken, below), task, caps | memory, rights | st.just(127), st.booleans())
steps = st.lists(st.one_of(make, map_caps, map_pages, unmap), max_size=40)
many = settings(max_examples=100, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def record(number, step):
    tag, kind, held, thing, words = step
    event = {**dict.fromkeys(ring.FIELDS, 0), "sequence": number, "event": ring.INVOKE, "thread": THREAD, "task": TASK, "tag": tag, "kind": kind,
             "label": held, "object": thing, "lost": 0}
    return {**event, **{f"word{i}": word for i, word in enumerate(words)}}


def trace_of(chosen):
    """One after the other, as far as each may be: a make goes into an empty slot, for the records say that it succeeded."""
    return [record(101 + i, step) for i, step in enumerate(chosen)]


def possible(chosen):
    """The steps that the kernel would not have refused: without them, as refused, the trace is the same."""
    state, kept = replay.State(start()), []
    for step in chosen:
        is_make = step[1] == 1
        if is_make and state.slot(TASK, step[4][0]) is not None:
            continue
        kept.append(step)
        state = replay.State(start())
        replay.Replay(state, trace_of(kept)).carry_out()
    return kept


def nodes(shot):
    for number, holds in shot.tasks.items():
        for at, what in (*holds.capabilities.items(), *holds.memory.items(), *holds.ports.items()):
            yield number, at, what


def held(shot):
    return {number: (holds.capabilities, holds.memory, holds.ports) for number, holds in shot.tasks.items()}


def test_nothing_done_changes_nothing():
    assert held(replay.after(start(), [])) == held(start())


@many
@given(steps)
def test_parents_are_there_and_have_the_rights(chosen):
    shot = replay.after(start(), trace_of(possible(chosen)))
    by_name = {what.lineage: what for _, _, what in nodes(shot)}
    assert len(by_name) == len(list(nodes(shot)))
    for _, _, what in nodes(shot):
        assert what.parent == 0 or what.parent in by_name
        if what.parent:
            assert not what.rights & ~by_name[what.parent].rights
            chain, at = set(), what
            while at.parent:
                assert at.lineage not in chain
                chain.add(at.lineage)
                at = by_name[at.parent]


@many
@given(steps)
def test_what_is_revoked_leaves_nothing(chosen):
    """All pages that were derived are taken back, all slots emptied: what there is, is what there was at first, or less."""
    back = [invoke(replay.UNMAP, 2, 1, TASK, caps_page((4, 32 + 16 * i)), 127, 0) for i in range(2)]
    back += [invoke(replay.UNMAP, 2, 1, TASK, memory_page(12, i), 7, 1) for i in range(8)] + [invoke(replay.UNMAP, 2, 1, TASK, memory_page(21, 0), 7, 1)]
    shot = replay.after(start(), trace_of(possible(chosen) + back))
    before = {(number, at): what for number, at, what in nodes(start())}
    for number, at, what in nodes(shot):
        if number == TASK and at in range(SLOTS, SLOTS + 8):
            raise AssertionError("a slot is not empty")
        if what.parent == 0:
            assert before[number, at].object == what.object if isinstance(what, Capability) else before[number, at].frame == what.frame
    assert set(shot.tasks) == {TASK, OTHER}


@many
@given(steps, st.data())
def test_in_two_parts_it_is_the_same(chosen, data):
    events = trace_of(possible(chosen))
    cut = data.draw(st.integers(0, len(events)))
    middle = replay.after(start(), events[:cut])
    middle.events = 100 + cut
    assert held(replay.after(middle, events[cut:])) == held(replay.after(start(), events))


@settings(database=None)
@given(st.integers(1, 5), st.integers(0, 3))
def test_what_is_lost_is_not_guessed(count, at):
    events = trace_of([invoke(0x103, 1, 3, FACTORY, SLOTS + i) for i in range(6)])
    events[at]["lost"] = count
    with pytest.raises(replay.Unknown):
        replay.after(start(), events)
    with pytest.raises(replay.Unknown):
        replay.after(start(), events[count:])


def test_an_answer_that_does_not_follow_is_told():
    events = trace_of([invoke(replay.UNMAP, 2, 1, TASK, memory_page(13, 0), 7, 0)])
    run = {**events[0], "sequence": 102, "event": ring.RUN, "tag": 1 << 32, "object": 0, "status": ring.SYSCALL}
    replay.after(start(), [events[0], {**run, "word0": 3}])
    with pytest.raises(replay.Differs):
        replay.after(start(), [events[0], {**run, "word0": 2}])


# ---- monitors: SERVER serves gate 11 in task OTHER, WATCHER its monitor, gate 12, in the first task ----
SERVER, WATCHER, GATE, WATCH_GATE = 10, 13, 11, 12
WINDOW_CAPS = 64 << 12 | 4 << 6 | replay.CAPS << 4


def with_gates():
    shot = start()
    own = shot.tasks[TASK].capabilities
    own[4] = Capability("gate", GATE, 0, 127, 4, 0, FACTORY)
    own[5] = Capability("gate", WATCH_GATE, 0, 127, 5, 0, FACTORY)
    own[6] = Capability("door", GATE, 7, 3, 6, 4, FACTORY)
    return shot


def story(*rows):
    """Records: (event, thread, task, further fields)."""
    return [{**dict.fromkeys(ring.FIELDS, 0), "sequence": 101 + i, "event": event, "thread": thread, "task": task, "lost": 0, **more}
            for i, (event, thread, task, more) in enumerate(rows)]


CALL = (ring.INVOKE, THREAD, TASK, {"kind": ring.DOOR, "object": GATE, "label": 6, "tag": 0x22000 | 1 << 38})
ITEM = (ring.ITEM, THREAD, TASK, {"word0": 3 << 12 | replay.CAPS << 4, "word1": 1 << 12 | 127})     # slot 3, the factory, to slot 1 of the window
SEEN = (ring.RUN, WATCHER, TASK, {"object": THREAD, "lineage": WINDOW_CAPS, "status": ring.SYSCALL, "tag": 0x22000 | 1 << 38})
PASSES = (ring.INVOKE, WATCHER, TASK, {"kind": 4, "object": GATE, "label": 4, "tag": replay.PASS})
PASSED = (ring.RUN, WATCHER, TASK, {"status": ring.SYSCALL})
GOT = (ring.RUN, SERVER, OTHER, {"object": THREAD, "lineage": WINDOW_CAPS, "status": ring.SYSCALL, "tag": 0x22000 | 1 << 38})
REFUSES = (ring.INVOKE, WATCHER, TASK, {"kind": ring.REPLY, "tag": 0xffffffd2})
REFUSED = (ring.RUN, THREAD, TASK, {"status": ring.SYSCALL, "tag": 0xffffffd2})


def put_on(monitor):
    return ((ring.INVOKE, THREAD, TASK, {"kind": 4, "object": GATE, "label": 4, "tag": replay.MONITOR, "word0": monitor}),
            (ring.RUN, THREAD, TASK, {"status": ring.SYSCALL}))


def places_of_the_factory(shot):
    return sorted((number, slot) for number, task in shot.tasks.items() for slot, c in task.capabilities.items() if c.kind == "factory")


def test_an_item_goes_to_the_server_when_the_monitor_passes_it_on():
    for rows in (CALL, ITEM, SEEN, PASSES, PASSED, GOT), (*put_on(5), CALL, ITEM, SEEN, PASSES, GOT, PASSED), (CALL, ITEM, GOT), (*put_on(4), CALL, ITEM, GOT):
        assert places_of_the_factory(replay.after(with_gates(), story(*rows))) == [(TASK, 3), (OTHER, 65)]


def test_of_what_is_refused_nobody_gets_an_item():
    rows = CALL, ITEM, SEEN, REFUSES, REFUSED
    assert places_of_the_factory(replay.after(with_gates(), story(*put_on(5), *rows))) == [(TASK, 3)]
    assert places_of_the_factory(replay.after(with_gates(), story(*rows), monitored={GATE})) == [(TASK, 3)]


def test_a_pass_that_is_refused_passes_nothing():
    rows = CALL, ITEM, SEEN, PASSES, (*PASSED[:3], {"status": ring.SYSCALL, "tag": 0xffffffd6, "object": THREAD})
    assert places_of_the_factory(replay.after(with_gates(), story(*put_on(5), *rows))) == [(TASK, 3)]


def test_a_monitor_that_goes_is_unknown():
    drop = (ring.INVOKE, THREAD, TASK, {"kind": 2, "object": TASK, "label": 1, "tag": replay.UNMAP, "word0": caps_page((0, 5)), "word1": 127})
    with pytest.raises(replay.Unknown):
        replay.after(with_gates(), story(*put_on(5), drop))
    replay.after(with_gates(), story(*put_on(5), *put_on(4), drop))


def test_methods_have_the_numbers_of_their_interfaces():
    assert (replay.MAP, replay.UNMAP, replay.PASS, replay.KEEP) == (0x201, 0x203, 0x407, 0x601) and len(replay.MAKES) == 6
