# SPDX-License-Identifier: BSD-2-Clause
"""What comes out is what was reviewed: test/idl/golden, written anew by test/idl/regenerate.py."""
import re
from pathlib import Path

import pytest

import regenerate

GOLDEN = Path(__file__).parent / "golden"
GOOD, BAD = regenerate.good(), regenerate.bad()


@pytest.mark.parametrize("name", sorted({**GOOD, **BAD}))
def test_comes_out_as_reviewed(name):
    assert {**GOOD, **BAD}[name] == (GOLDEN / name).read_text(), "run test/idl/regenerate.py if this is meant"


def test_golden_has_nothing_else():
    files = {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*") if path.is_file()}
    assert files == {*GOOD, *BAD}


@pytest.mark.parametrize("name", sorted(set(BAD) - {"bad/vm.txt", "bad/far.txt", "bad/twice_a.txt", "bad/twice_b.txt"}))
def test_every_bad_file_gets_a_line_and_a_fix(name):
    assert re.fullmatch(r"(bad/[\w/]+\.idl:\d+: .+\n    fix: .+\n)+", BAD[name])
    assert "Traceback" not in BAD[name] and "Token" not in BAD[name]


# The rows of the language's table of errors, each by its words.
TABLE = ["has no bound", "words back, a message has 63", "are both number 1", "is retired",
         "the kernel remembers no answers", 
         "which a remembered answer cannot hold", "state cannot hold a capability", "would send a ref to another task",
         "which is no record",
         "answers `f`, which is retry", "sends window bytes", "sends a capability", "no way leads to step",
         "never comes to an end",
         "has no method `frok`", "mixes && and ||", "are both protocol 0x1002", "wait for each other"]


@pytest.mark.parametrize("words", TABLE)
def test_table_of_errors(words):
    assert any(words in text for text in BAD.values())


def test_generated_code_is_house_style():
    for name, text in GOOD.items():
        if name.endswith(".h"):
            assert "#define" not in text and "\t" not in text
            assert all(line == line.rstrip() for line in text.split("\n")), name
