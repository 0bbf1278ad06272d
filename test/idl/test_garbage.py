# SPDX-License-Identifier: BSD-2-Clause
"""Whatever a file holds, idlc answers with file, line and a fix, never with a traceback."""
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings, strategies as st

from idlc import output
from idlc.model import load

SAMPLES = [path.read_text() for path in sorted((Path(__file__).parent / "samples").glob("*.idl"))]
WORDS = sorted({word for text in SAMPLES for word in re.findall(r"\w+|[^\w\s]", text)})
QUIET = dict(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def survives(folder, content):
    path = folder / "thing.idl"
    path.write_bytes(content)
    unit = load(path)
    for problem in unit.problems:
        assert re.match(r".+:\d+: .+\n    fix: .+", str(problem)), problem
    if not unit.problems:
        output.everything([unit])


@given(st.binary(max_size=200))
@settings(max_examples=60, **QUIET)
def test_bytes(tmp_path, content):
    survives(tmp_path, content)


@given(st.lists(st.sampled_from(WORDS), max_size=60))
@settings(max_examples=120, **QUIET)
def test_words(tmp_path, words):
    survives(tmp_path, b"/// x\ninterface thing protocol 0x1000 version 1;\n" + " ".join(words).encode())


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=200, **QUIET)
def test_one_token_changed(tmp_path, text, data):
    tokens = re.findall(r"\s+|\w+|[^\w\s]", text)
    at = data.draw(st.integers(0, len(tokens) - 1))
    tokens[at] = data.draw(st.sampled_from([*WORDS, "", "0", "4294967296", "99999999999M"]))
    survives(tmp_path, "".join(tokens).encode())


def test_deep_nesting(tmp_path):
    survives(tmp_path,
             b"/// x\ninterface thing protocol 0x1000 version 1;\nconst A = " + b"(" * 5000 + b"1" + b")" * 5000 + b";")
