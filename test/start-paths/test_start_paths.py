# SPDX-License-Identifier: BSD-2-Clause
"""Each way, board and CPU, and each end of the memory sizes, at least once with each way; the smallest machine with each of them."""
import pytest
from conftest import start

STARTS = [
    ("direct", "pc", "max", "64"),
    ("direct", "q35", "qemu64", "128"),
    ("direct", "pc", "qemu64", "4G"),
    ("iso", "q35", "max", "64"),
    ("iso", "pc", "qemu64", "4G"),
    ("uefi", "q35", "max", "64"),
    ("uefi", "q35", "qemu64", "4G"),
]


@pytest.mark.parametrize("way, board, cpu, memory", STARTS, ids=["-".join(start) for start in STARTS])
def test_start(way, board, cpu, memory):
    start(way, board, cpu, memory, by_qemu=way == "direct")
