# SPDX-License-Identifier: BSD-2-Clause
"""Every way on every board with every CPU and memory size, a quarter of an hour."""
import pytest
from conftest import WAYS, start


@pytest.mark.parametrize("memory", ["64", "80", "96", "128", "256", "512", "1G", "2G", "3G", "4G"])
@pytest.mark.parametrize("cpu", ["max", "qemu64"])
@pytest.mark.parametrize("board", ["pc", "q35"])
@pytest.mark.parametrize("way", list(WAYS))
def test_start(way, board, cpu, memory):
    start(way, board, cpu, memory)
