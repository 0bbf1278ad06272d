# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's operations take as many instructions however the machine was started: directly, by GRUB and BIOS, or by GRUB and UEFI, on either
board and CPU. The loaders leave the memory map, the archive and the ACPI tables in different places, so this holds that none of them matters."""
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import bench, figures  # noqa: E402

STARTS = [("direct", "q35"), ("iso", "pc"), ("iso", "q35"), ("uefi", "pc"), ("uefi", "q35")]


def counts(files, cpu, way, board):
    found = bench.measure(files, files.native / "bench" / "kernel.cpio", cpu=cpu, way=way, board=board)
    assert len(found) > 20
    return {figure["id"]: (figure["value"], figure["min"]) for figure in found}


@pytest.fixture(scope="module", params=figures.CPUS)
def direct(request, files):
    return request.param, counts(files, request.param, "direct", "pc")


@pytest.mark.parametrize("way, board", STARTS)
def test_same_counts(files, direct, way, board):
    cpu, expected = direct
    found = counts(files, cpu, way, board)
    assert {name: found[name] for name in found if found[name] != expected[name]} == {}, {name: expected[name] for name in found if found[name] != expected[name]}
