# SPDX-License-Identifier: BSD-2-Clause
"""`axo trace`: babeltrace2 reads as many events as were recorded, in order, with what was lost; and what is in a trace of a real run."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tools"), str(TOP / "bootstrap" / "manifest")]

import check  # noqa: E402
import syntax  # noqa: E402
import table  # noqa: E402
from axo import ctf, ring, say, snapshot, trace  # noqa: E402

BUILD = Path(os.environ.get("AXO_NATIVE", TOP / "build" / "native")).parent
DEFAULT = TOP / "bootstrap" / "manifest" / "systems" / "default.manifest"


def axo(*words):
    return subprocess.run([str(TOP / "axo"), "trace", "--no-install", "--no-build", "--build-dir", str(BUILD), *map(str, words)],
                          capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)


def babeltrace(folder):
    """(its lines, its warnings)"""
    answer = subprocess.run(["babeltrace2", str(folder)], capture_output=True, text=True, timeout=240)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines(), answer.stderr


def row(number, event=ring.INVOKE, **fields):
    return ring.RECORD.pack(*({**dict.fromkeys(ring.FIELDS, 0), "sequence": number, "event": event, **fields}[name] for name in ring.FIELDS))


def made_up(count, lost=()):
    skipped, rows = 0, []
    for i in range(count):
        skipped += dict(lost).get(i, 0)
        rows.append(row(1 + i + skipped, 1 + i % 4, ns=1000 + 3 * i, thread=i << 40 | i, status=i & 0xFFFF))
    events = ring.records(b"".join(rows))
    return [{**event, "event": ring.EVENTS[event["event"] - 1], "name": "a \"task\"", "method": "x" * (i % 99)} for i, event in enumerate(events)]


@pytest.mark.parametrize("count", [1, 2, 400, 5000])
def test_as_many_events_as_were_written(tmp_path, count):
    ctf.write(made_up(count), ring.EVENTS, tmp_path / "ctf")
    lines, warnings = babeltrace(tmp_path / "ctf")
    assert len(lines) == count and "discarded" not in warnings
    assert f"sequence = 0x{count:X}," in lines[-1] and f"thread = 0x{count - 1 << 40 | count - 1:X}," in lines[-1]


def test_what_was_lost_is_told(tmp_path):
    ctf.write(made_up(1000, [(500, 7)]), ring.EVENTS, tmp_path / "ctf")
    lines, warnings = babeltrace(tmp_path / "ctf")
    assert len(lines) == 1000 and "discarded 7 events" in warnings


def test_a_ring_that_went_round():
    rows = [row(9), row(10), row(7), bytes(ring.RECORD.size), row(4), row(5)]
    events = ring.records(b"".join(rows))
    assert [event["sequence"] for event in events] == [4, 5, 7, 9, 10]
    assert [event["lost"] for event in events] == [0, 0, 1, 1, 0]


def test_methods_and_answers():
    methods = {0x201: "task.map"}
    invoke = dict(zip(ring.FIELDS, ring.RECORD.unpack(row(1, kind=2, tag=0x201))))
    assert trace.method_of(invoke, methods) == "task.map"
    assert trace.method_of({**invoke, "tag": 0x777}, methods) == "0x777"
    for status in 0, 0xFFFFFFFF:
        assert trace.method_of({**invoke, "kind": ring.REPLY, "tag": status}, methods) == "answer"
    assert trace.method_of({**invoke, "event": ring.RUN}, methods) == ""


def test_services_have_their_names():
    """The sizes of a compiled manifest are known here, too."""
    system = check.check(syntax.read(DEFAULT, DEFAULT.read_text()))
    assert snapshot.service_names(table.table(system)) == [service.name for service in system.services]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One traced run of a real system: (axo's answer, the events, the CTF folder)."""
    folder = tmp_path_factory.mktemp("run")
    answer = axo("--exec", "echo hello; ls /bin | wc -l; exit 3", "--json", folder / "trace.json", "--ctf", folder / "ctf")
    assert (folder / "trace.json").exists(), answer.stderr
    return answer, json.loads((folder / "trace.json").read_text()), folder / "ctf"


def test_the_command_is_as_it_is(run):
    assert run[0].returncode == 3 and run[0].stdout.startswith("hello\n")


def test_babeltrace_reads_what_was_recorded(run):
    lines, warnings = babeltrace(run[2])
    assert len(lines) == len(run[1]) > 1000 and "discarded" not in warnings


def test_what_was_done_is_in_it(run):
    events = run[1]
    assert all(a["sequence"] + 1 == b["sequence"] and a["ns"] <= b["ns"] for a, b in zip(events, events[1:]))
    methods = {(event["name"], event["method"]) for event in events}
    assert ("keeper", "thread.bind") in methods
    assert any(task == "vm" and method in ("task.map", "task.copy") for task, method in methods)
    assert {"vfs", "pm", "vm", "tmpfs", "tty"} <= {event["name"] for event in events}
    assert any(event["event"] == "fault" for event in events)
    assert "trace" not in {event["name"] for event in events}


def test_whoever_is_called_gets_what_was_sent(run):
    """Each run of a server that has a request was a call or fault of the thread that it names, with the same words."""
    sent, seen = {}, 0
    for event in run[1]:
        if event["event"] in ("invoke", "fault"):
            sent[event["thread"]] = event
        elif event["event"] == "run" and event["object"] and event["status"] == ring.SYSCALL and event["object"] in sent:
            request = sent[event["object"]]
            if event["label"] == request["door"] and event["tag"] & 0xFFFFFFFF == request["tag"] & 0xFFFFFFFF:
                assert [event[f"word{i}"] for i in range(3)] == [request[f"word{i}"] for i in range(3)]
                seen += 1
    assert seen > 500


def test_mistakes_are_one_sentence(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    for words in (["--exec", "true", "--json", "/nowhere/x"], ["--exec", "true", "--ctf", "/nowhere/x/y"], ["--exe", "true"],
                  ["--exec", "true", "--ctf", tmp_path / "full"], ["--exec", "true", "--mem", "4G"]):
        answer = axo(*words)
        assert answer.returncode == say.USAGE and len(answer.stderr.splitlines()) == 1
