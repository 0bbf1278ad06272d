# SPDX-License-Identifier: BSD-2-Clause
"""The manifest compiler: each of its messages, with the line it names; and the table it writes."""
import copy
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "bootstrap" / "manifest"
sys.path[:0] = [str(FOLDER), str(TOP / "tools")]

import check  # noqa: E402
import syntax  # noqa: E402
import table  # noqa: E402
from axo import build  # noqa: E402

KNOWN = check.Interfaces()
DS = "service ds\n  server dsd\n  priority 60\n"
MONITORED = "system s\n" + DS


def problems(text, modules=None):
    return check.check(syntax.read("m", text), KNOWN, modules).problems


# what is wrong, in which line, in which words, and a word of the fix
CASES = [
    ("service a\n", 1, "the system has no name", "system NAME"),
    ("system s\nsystem t\n", 2, "has its name already", "leave"),
    ("system s\nservise a\n", 2, "`servise` begins no block", "service NAME"),
    ("system s\n  priority 3\n", 2, "`priority` belongs to no service", "service NAME"),
    ("system s\nservice A\n", 2, "`A` is no service's name", "small letters"),
    ("system s\nservice abcdefghijklmnop\n", 2, "is no service's name", "at most 15"),
    ("system s\nservice a\nservice a\n", 3, "two services `a`, the first in line 2", "another name"),
    ("system s\nservice keeper\n", 2, "keeper is no service", "leave the block out"),
    ("system s\nservice a\n  prioritie 3\n", 3, "no setting `prioritie`", "priority"),
    ("system s\nservice a\n  priority 3\n  priority 4\n", 4, "`priority` is said twice, first in line 3", "one of them"),
    ("system s\nservice a\n  priority\n", 3, "`priority` takes one word", "priority"),
    ("system s\nservice a\n  priority many\n", 3, "`many` is no number", "decimal"),
    ("system s\nservice a\n  priority 64\n", 3, "more than 0x3f", "at most"),
    ("system s\nservice a\n  boot now\n", 3, "`boot` stands alone", "own"),
    ("system s\nservice a\n  at noon\n", 3, "keeper does at a defect", "at defect ask"),
    ("system s\nservice a\n  arguments " + "x" * 300 + "\n", 3, "300 bytes long", "255"),
    ("system s\nservice a\n  door ds\n" + DS, 3, "needs a service and rights", "door SERVICE RIGHTS"),
    ("system s\nservice a\n  door ds RZ\n" + DS, 3, "`RZ` is no set of rights", "R W X O I"),
    ("system s\nservice a\n  door ds R as\n" + DS, 3, "`as` without a name", "as NAME"),
    ("system s\nservice a\n  door ds R quickly\n" + DS, 3, "did not expect `quickly`", "leave"),
    ("system s\nservice a\n  ports 0x3f8\n", 3, "ports need the first and how many", "0x3f8 8"),
    ("system s\nservice a\n  line\n", 3, "a line needs its number", "line 4"),
    ("system s\nservice a\n  door dz R\n" + DS, 3, "there is no service `dz`", "ds"),
    ("system s\nservice a\n  server dsx\n", 3, "no interface file has a server `dsx`", "dsd"),
    ("system s\nservice a\n  server dsd\n  door a R\n", 4, "has a door to itself", "call the function"),
    ("system s\nservice b\nservice a\n  door b R\n", 4, "`b` serves no interface", "server NAME"),
    ("system s\nservice a\n  door ds R\n  door ds W\n" + DS, 4, "two doors of `a` are called `ds`, the first in line 3", "as OTHER"),
    ("system s\nservice a\n  door ds R\n  line 4 as ds\n" + DS, 4, "both called `ds`", "as OTHER"),
    ("system s\nservice a\n  door ds RX\n" + DS, 3, "no method of `ds` asks for right X", "RW"),
    ("system s\nservice r\n  server rsd\n  door keeper R\n", 3, "`rsd` uses ds, but `r` has no door to one", "door SERVICE RW"),
    ("system s\nservice p\n  priority 30\n  door ds R\n" + DS.replace("60", "20"), 4, "calls down in priority: `ds` has 20", "downward"),
    ("system s\nservice p\n  priority 61\n", 3, "as high as keeper", "at most 60"),
    ("system s\nservice a\n  watcher\nservice b\n  watcher\n", 5, "`a` watches already", "one service"),
    ("system s\nservice w\n  watcher\n  priority 30\nservice d\n  priority 30\n  line 4\n", 6, "driver `d` (30)", "at most 29"),
    ("system s\nservice a\n  heartbeat 100\n", 3, "nobody watches the heartbeat of `a`", "watcher"),
    ("system s\nservice a\n  budget 20%\n", 3, "`20%` is no budget", "budget 20% of 10"),
    ("system s\nservice a\n  budget 101% of 10\n", 3, "`101% of 10` is no budget", "1 to 100"),
    ("system s\nservice w\n  watcher\n  server dsd\nservice a\n  heartbeat 100\n  budget 1% of 101\n", 7, "may rest for 101 ms", "at most 100"),
    ("system s\nservice a\n  memory 5000\n", 3, "no number of pages", "multiple of 4K"),
    ("system s\n  memory 1M\nservice a\n  memory 512K\nservice b\n  memory 1M\n", 6, "1536K of memory, the system has 1024K", "larger `memory`"),
    ("system s\n  objects 4M\nservice a\n  objects 1M + 10%\nservice b\n  objects 512K + 10%\n", 6, "4403K of objects, the system has 4096K", "larger `objects`"),
    ("system s\nservice a\n  objects 1M + much\n", 3, "`1M + much` is no share", "256K + 10%"),
    ("system s\nservice a\n  objects 1M + 101%\n", 3, "101% is more than there is", "at most 100%"),
    ("system s\nservice a\n  debug RX\n", 3, "debug object asks for right X", "RW"),
    ("system s\nservice a\n  debug\n", 3, "`debug` takes one word", "debug"),
    ("system s\nservice a\n  line 24\n", 3, "there is no line 24", "0 to 23"),
    ("system s\nservice a\n  line 4\nservice b\n  line 4\n", 5, "line 4 belongs to `a`", "one driver"),
    ("system s\nservice a\n  ports 0xfff8 16\n", 3, "these are no ports", "0x10000"),
    ("system s\nservice a\n  ports 0x3f8 8\nservice b\n  ports 0x3fc 2\n", 5, "port 0x3fc belongs to `a`", "one driver"),
    (MONITORED + "service m\n  server dsd\n  monitors dz\n", 7, "there is no service `dz`", "ds, m"),
    (MONITORED + "service m\n  server dsd\n  monitors keeper\n", 7, "keeper cannot be monitored", "ds, m"),
    (MONITORED + "service m\n  server dsd\n  monitors m\n", 7, "`m` monitors itself", "in front of"),
    (MONITORED + "service m\n  server dsd\n  monitors\n", 7, "`monitors` takes one word", "monitors"),
    (MONITORED + "service m\n  server dsd\n  monitors ds\n  monitors ds\n", 8, "`monitors` is said twice, first in line 7", "one of them"),
    (MONITORED + "service m\n  monitors ds\n", 6, "no server is named that could judge", "personality/policy"),
    ("system s\nservice a\nservice m\n  server dsd\n  monitors a\n", 5, "`a` serves no interface", "`server NAME` below service a"),
    (MONITORED + "service m\n  server dsd\n  monitors ds\nservice n\n  server dsd\n  monitors ds\n", 10,
     "`ds` has a monitor already: `m`, in line 7", "both policies"),
    (MONITORED + "service m\n  server dsd\n  monitors ds\nservice n\n  server dsd\n  monitors m\n", 10,
     "`m` monitors `ds`, and a monitor has none itself", "let `n` monitor `ds`"),
    (MONITORED + "service m\n  server dsd\n  priority 60\n  monitors ds\n  door ds R\n", 9, "which it monitors: its call would come to itself", "leave the door out"),
    (MONITORED + "service a\n  priority 30\n  door ds R\nservice m\n  server dsd\n  monitors ds\n  priority 29\n", 11,
     "`a` (30) calls `ds`, whose monitor `m` has 29", "priority 30 or more below service m"),
    (MONITORED + "service a\n  boot\n  door ds R\nservice m\n  server dsd\n  monitors ds\n", 10, "`m` would not be there yet", "`boot` below service m"),
    (MONITORED + "service a\n  server dsd\n  door ds R\nservice m\n  server dsd\n  monitors ds\n  door a R\n", 11,
     "calls go round: a -> m -> a", "raise an event"),
]


@pytest.mark.parametrize("text, line, what, fix", CASES, ids=[case[2][:40] for case in CASES])
def test_message(text, line, what, fix):
    found = problems(text)
    assert found, "nothing was found"
    first = found[0]
    assert (first.line, what in first.what, fix in first.fix) == (line, True, True), str(first)
    assert str(first).startswith(f"m:{line}: ") and "\n    fix: " in str(first)


def test_circle():
    text = ("system s\nservice a\n server dsd\n door b R\nservice b\n server dsd\n door c R\n"
            "service c\n server dsd\n door a R\n")
    found = problems(text)
    assert [p.line for p in found] == [10]
    assert "calls go round: a -> b -> c -> a" in found[0].what


def test_missing_module():
    found = problems("system s\nservice a\n  program b\n", modules={"a", "c"})
    assert found[0].line == 3 and "no module `b`" in found[0].what and "a, c" in found[0].fix


def test_too_many_clients():
    text = "system s\n" + DS + "".join(f"service c{i}\n  memory 4K\n  door ds R\n" for i in range(33))
    found = problems(text)
    assert len(found) == 1 and "room for 32 clients" in found[0].what


def test_too_many_named():
    clients = "".join(f"  door s{i} R\n" for i in range(238)) + "  line 1\n  line 2\n  line 3\n"
    text = "system s\nservice a\n" + clients + "".join(f"service s{i}\n  server dsd\n  memory 4K\n  objects 4K\n" for i in range(238))
    assert [(p.line, p.what) for p in problems(text)] == [(2, "`a` has more than 240 named capabilities")]
    assert not problems(text.replace("  line 3\n", ""))


def test_op_beyond_slots():
    known = copy.copy(KNOWN)
    known.servers = {**KNOWN.servers, "keeperd": replace(KNOWN.servers["keeperd"], slots=1)}
    text = "system s\nservice r\n  server rsd\n  door keeper RW\n  door ds RW\n" + DS
    found = check.check(syntax.read("m", text), known).problems
    assert found[0].line == 4 and "of `rsd` calls `keeper` in slot" in found[0].what and "which has 1" in found[0].what
    assert "raise `slots` in the state of keeperd" in found[0].fix


def test_a_wrong_interface_is_named_instead(tmp_path):
    (tmp_path / "purse.idl").write_text("interface purse protocol 0x1001 version 1;\nerror { a = 1 b = 2 }\nserver pursed version 1 serves purse;\n")
    found = check.check(syntax.read("m", "system s\nservice purse\n  server pursed\n"), check.Interfaces(tmp_path)).problems
    assert [(Path(p.path).name, p.line) for p in found] == [("purse.idl", 2)]


def test_console_names_the_line():
    """What `axo` shows of a failed build is the first line that build.py takes for a mistake."""
    found = problems("system s\nservice a\n  program b\n", modules={"a"})
    shown = ["FAILED: boot/manifest\n", "cd /somewhere && python3 compile.py m --modules a\n", str(found[0]) + "\n"]
    told = [line for line in shown if build.MISTAKE.search(line) and not line.startswith(build.COMMAND)]
    assert told[0].startswith("m:3: the archive has no module `b`")


def test_uses_first_then_names():
    system = check.check(syntax.read("m", "system s\n" + DS + "service r\n  server rsd\n  priority 50\n  door ds R as spare\n"
                                     "  door ds RW\n  door keeper RW\n  line 3\n"), KNOWN)
    assert not system.problems
    slots = {d.name: d.slot for d in system.service("r").doors}
    assert slots == {"keeper": 16, "ds": 18}     # uses keeper, ds; then the second door to ds
    assert [d.slot for d in system.service("r").doors] == [17, 18, 16]
    assert system.service("r").lines[0].slot == 19
    assert system.service("r").rank == 2 and system.service("ds").rank == 1


def test_labels_differ():
    system = check.check(syntax.read("m", "system s\n" + DS + "".join(f"service c{i}\n  door ds R\n" for i in range(5))), KNOWN)
    labels = [s.doors[0].label for s in system.services if s.doors]
    assert labels == [1 << 16 | i for i in range(5)]


def test_monitor():
    """Its own clients' labels differ from those that come through the gate that it monitors; its callers stand above it."""
    system = check.check(syntax.read("m", "system s\n" + DS + "service a\n  door ds R\n  door m R\nservice m\n  server dsd\n  monitors ds\n"), KNOWN)
    assert not system.problems
    assert [d.label for d in system.service("a").doors] == [1 << 16, 1 << 61 | 1 << 16]
    assert (system.service("a").rank, system.service("m").rank) == (2, 1)
    data = table.table(system)
    monitors = [table.SERVICE.unpack_from(data, table.HEAD.size + n * table.SERVICE.size)[18] for n in range(3)]
    assert monitors == [0, 0, 1]


def test_ports_are_flexpages():
    for first, count in ((0x3f8, 8), (0x3f9, 7), (0, 3), (0, 0x10000), (0x60, 5)):
        covered = []
        for at, size in table.pieces(first, count):
            assert size & size - 1 == 0 and at % size == 0
            covered += range(at, at + size)
        assert covered == list(range(first, first + count))


def test_table():
    system = check.check(syntax.read(FOLDER / "systems" / "default.manifest"), KNOWN)
    assert not system.problems
    data = table.table(system)
    magic, version, services, doors, ports, lines, _, name, size = table.HEAD.unpack_from(data)
    assert (magic, version, name.rstrip(b"\0"), size) == (table.MAGIC, table.VERSION, b"default", len(data))
    first = table.SERVICE.unpack_from(data, table.HEAD.size)
    assert first[0].rstrip(b"\0") == system.services[0].name.encode()
    assert len(data) == 64 + 384 * services + 56 * doors + 8 * ports + 48 * lines
    assert struct.unpack_from("<8s", data)[0] == b"manifest"


def test_every_system_compiles():
    for path in sorted(FOLDER.glob("systems/*.manifest")):
        assert not check.check(syntax.read(path), KNOWN).problems, path


def test_command(tmp_path):
    bad = tmp_path / "bad.manifest"
    bad.write_text("system s\nservice a\n  priority 99\n")
    run = subprocess.run([sys.executable, FOLDER / "compile.py", bad, tmp_path / "out"], capture_output=True, text=True)
    assert run.returncode == 1 and run.stderr.startswith(f"{bad}:3: ") and not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [None, b"system s\xff\n"], ids=["missing", "no text"])
def test_unreadable(tmp_path, content):
    file = tmp_path / "a.manifest"
    if content is not None:
        file.write_bytes(content)
    run = subprocess.run([sys.executable, FOLDER / "compile.py", file], capture_output=True, text=True)
    assert run.returncode == 1 and f"{file}: cannot be read: " in run.stderr and "\n    fix: " in run.stderr and "Traceback" not in run.stderr
