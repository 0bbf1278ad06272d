# SPDX-License-Identifier: BSD-2-Clause
"""What a higher version may change, and what it may not."""
import pytest

from idlc import lock, output, together
from idlc.model import load

OLD = """/// A thing.
interface thing protocol 0x1000 version 2;
error { lost = 1 }
enum mode { off = 0, on = 1 }
struct pair { u32 a, b; }
1 once put(u32 key, bytes value[64]) -> (pair now) needs RW;
2 retry get(u32 key, mode how) -> (bytes value[64]) parks;
event 0 changed;
retired 3;
"""
NEW = OLD.replace("version 2", "version 3")


def compare(tmp_path, new, old=OLD):
    file = tmp_path / "thing.idl"
    file.write_text(old)
    frozen = output.frozen([load(file)], None)
    file.write_text(new)
    unit = load(file)
    assert not unit.problems
    return [str(p).replace(str(tmp_path) + "/", "") for p in together.problems([unit], frozen)]


@pytest.mark.parametrize("old, new", [
    ("u32 key, bytes", "u32 name_of_it, bytes"),
    ("put(", "store("),
    ("needs RW", "needs W"),
    (" needs RW", ""),
    ("lost = 1", "lost = 1, gone = 2"),
    ("on = 1", "on = 1, both = 2"),
    ("event 0 changed;", "event 0 changed; event 1 more;"),
    ("retired 3;", "4 retry look() -> () since 3; retired 3;"),
    ("2 retry get(u32 key, mode how) -> (bytes value[64]) parks;", "retired 2;"),
    ("/// A thing.", "/// Another word for it."),
])
def test_compatible(tmp_path, old, new):
    assert old in NEW
    assert compare(tmp_path, NEW.replace(old, new)) == []


@pytest.mark.parametrize("old, new, words", [
    ("u32 key, bytes", "u64 key, bytes", "method 1 is not what version 2 froze"),
    ("u32 a, b;", "u32 a; u64 b;", "method 1 is not what version 2 froze"),
    ("value[64]) -> (pair", "value[65]) -> (pair", "method 1 is not what version 2 froze"),
    ("1 once", "1 retry", "method 1 is not what version 2 froze"),
    ("needs RW", "needs RWX", "method 1 is not what version 2 froze"),
    ("[64]) parks", "[64])", "method 2 is not what version 2 froze"),
    ("2 retry get(u32 key, mode how) -> (bytes value[64]) parks;", "", "method 2 `get` of version 2 is gone"),
    ("retired 3;", "", "method number 3 was retired"),
    ("lost = 1", "found = 2", "error `lost` = 1 of version 2 is gone"),
    ("on = 1", "on = 2", "enum `on` = 1 of enum `mode` of version 2 is gone"),
    ("event 0 changed;", "", "event `changed` = 0 of version 2 is gone"),
    ("protocol 0x1000", "protocol 0x1001", "protocol 0x1001 is not what version 2 froze"),
    ("version 3", "version 1", "version 1 is older"),
    ("retired 3;", "4 retry look() -> (); retired 3;", "`look` is not in the frozen version 2"),
])
def test_incompatible(tmp_path, old, new, words):
    assert old in NEW
    problems = compare(tmp_path, NEW.replace(old, new))
    assert any(words in p for p in problems) and all("fix: " in p for p in problems)


def test_new_things_need_a_new_version(tmp_path):
    problems = compare(tmp_path, OLD.replace("lost = 1", "lost = 1, gone = 2"))
    assert len(problems) == 1 and "the version is still 2" in problems[0]


def test_nothing_new_needs_nothing(tmp_path):
    assert compare(tmp_path, OLD) == []


def test_freeze_keeps_what_is_not_given(tmp_path):
    file = tmp_path / "thing.idl"
    file.write_text(OLD)
    other = "other 0x2 version 1\n"
    text = output.frozen([load(file)], lock.HEADER + other)
    assert other in text and output.frozen([load(file)], text) == text
