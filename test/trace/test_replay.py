# SPDX-License-Identifier: BSD-2-Clause
"""A trace replayed onto the snapshot from which it goes on gives the snapshot at its end: capability by capability, page by page, lineages and all."""
import os
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import area, qemu, replay, ring  # noqa: E402

NATIVE = Path(os.environ.get("AXO_NATIVE", TOP / "build" / "native"))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """[(snapshot before, its events, snapshot after)]"""
    folder = tmp_path_factory.mktemp("scenes")
    machine = qemu.Machine(loader=NATIVE / "boot" / "loader", archive=NATIVE / "test" / "scenes.cpio", icount=True)
    area.share(machine, folder / "memory")
    with qemu.Guest(machine) as guest:
        assert guest.watch(lambda data: None, lambda data: None, 60) == qemu.PASS
    shots, events = area.read(folder / "memory")
    assert events[0]["sequence"] == 1 and not any(event["lost"] for event in events)
    return [(before, [event for event in events if before.events < event["sequence"] <= after.events], after)
            for before, after in zip(shots, shots[1:])]


def differences(one, other):
    """What one snapshot has and the other has not, in words."""
    found = []
    for number in sorted(one.tasks.keys() | other.tasks.keys()):
        a, b = one.tasks.get(number), other.tasks.get(number)
        if a is None or b is None:
            found.append(f"task {number}: {a is not None} {b is not None}")
            continue
        for what in "capabilities", "memory", "ports":
            for at in sorted(getattr(a, what).keys() | getattr(b, what).keys()):
                if getattr(a, what).get(at) != getattr(b, what).get(at):
                    found.append(f"task {number}, {what} {at:#x}: {getattr(a, what).get(at)} {getattr(b, what).get(at)}")
    if (one.last_object, one.last_lineage) != (other.last_object, other.last_lineage):
        found.append(f"given: {one.last_object} {one.last_lineage}, {other.last_object} {other.last_lineage}")
    return found


def test_the_scenes_are_many(scenes):
    assert len(scenes) == 12 and all(len(events) > 500 for _, events, _ in scenes)
    kinds = {(event["event"], event["kind"]) for _, events, _ in scenes for event in events}
    assert {(ring.INVOKE, ring.DOOR), (ring.INVOKE, 2), (ring.ITEM, 0), (ring.FAULT, ring.DOOR), (ring.RUN, 0)} <= kinds
    assert all(differences(before, after) for before, _, after in scenes)
    passes = [sum(event["event"] == ring.INVOKE and event["tag"] & 0xffffffff == replay.PASS for event in events) for _, events, _ in scenes]
    assert all((count > 10) == (number % 3 > 0) for number, count in enumerate(passes)), passes


@pytest.mark.parametrize("number", range(12))
def test_replayed_it_is_the_same(scenes, number):
    """In one scene of three the gate had its monitor before the snapshot, of which a trace tells only when that one passes something on."""
    before, events, after = scenes[number]
    passed = {event["object"] for event in events if event["event"] == ring.INVOKE and event["tag"] & 0xffffffff == replay.PASS}
    assert not differences(replay.after(before, events, monitored=passed if number % 3 == 1 else ()), after)
