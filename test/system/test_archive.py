# SPDX-License-Identifier: BSD-2-Clause
"""The boot archive: what goes in comes out, in order, each member's data on a page of its own."""
import subprocess

import pytest
from hypothesis import given, strategies as st

from axo import archive

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=300).filter(
    lambda name: name != archive.TRAILER)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=9000)), unique_by=lambda entry: entry[0], max_size=8))
def test_read_back(members):
    packed = archive.pack(members)
    assert len(packed) % archive.PAGE == 0
    found = archive.read(packed)
    assert [(name, data) for name, _, data, _ in found] == members
    assert all(start % archive.PAGE == 0 for _, start, _, _ in found)
    assert all(packed[start:start + len(data)] == data for _, start, data, _ in found)


def test_two_of_one_name():
    with pytest.raises(ValueError, match="one name: a"):
        archive.pack([("a", b"1"), ("b", b"2"), ("a", b"3")])


def test_truncated():
    packed = archive.pack([("kernel", b"x" * 5000)])
    with pytest.raises(ValueError):
        archive.read(packed[:6000])


def test_cpio_reads_it(tmp_path):
    packed = archive.pack([("kernel", b"k" * 5000), ("sigma0", b"s")])
    answer = subprocess.run(["cpio", "-it", "--quiet"], input=packed, capture_output=True)
    assert answer.stdout.split() == [b"kernel", b"sigma0"]
