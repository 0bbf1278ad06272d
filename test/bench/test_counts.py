# SPDX-License-Identifier: BSD-2-Clause
"""The benches' counts are true and always the same: the plugin counts as many instructions as the guest does, and neither another run nor
another way to start the machine changes one of them. The medians and the least samples of all operations are compared."""
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import bench, count, figures  # noqa: E402

ANOTHER = ("direct", "q35")


@pytest.fixture(scope="module", params=figures.CPUS)
def cpu(request):
    return request.param


@pytest.fixture(scope="module")
def counted(files, cpu):
    return bench.counted(files, "kernel", [files.native / "bench" / "kernel.cpio"], cpu)


def medians(found):
    assert len(found) > 20 and all("min" in figure for figure in found)
    return {figure["id"]: (figure["value"], figure["min"]) for figure in found}


def on(files, cpu, way, board):
    return medians(bench.measure(files, files.native / "bench" / "kernel.cpio", cpu=cpu, way=way, board=board))


def test_counted_from_outside(counted):
    found, windows = counted
    assert count.compare(found, windows) == []
    for figure in found:
        assert (figure["value"], figure["min"]) == (figure["counted"], figure["counted_min"])


def test_program_counted_from_outside(files, cpu):
    found, windows = bench.counted(files, bench.PROGRAMS, [], cpu)
    assert count.compare(found, windows) == []
    assert [figure["id"] for figure in found if "counted" not in figure] == [found[0]["id"]], "all but the boot is counted"


def test_calibration(counted):
    calibration = next(figure for figure in counted[0] if figure["id"].startswith("k_calibration"))
    assert calibration["value"] == 2001


@pytest.mark.parametrize("spoil", ["value", "min"])
def test_difference_is_told(counted, spoil):
    found, windows = counted
    wrong = [dict(figure) for figure in found]
    wrong[5][spoil] += 1
    (sentence,) = count.compare(wrong, windows)
    assert sentence.startswith(wrong[5]["id"]) and str(wrong[5][spoil]) in sentence
    assert count.compare(found, windows[1:]), "a group without a figure"


def test_same_on_another_run(files, cpu, counted):
    assert on(files, cpu, "direct", "pc") == medians(counted[0])


def test_same_on_another_path(files, cpu, counted):
    assert on(files, cpu, *ANOTHER) == medians(counted[0])
