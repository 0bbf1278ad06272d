# SPDX-License-Identifier: BSD-2-Clause
"""docs/figures.md says what is measured: the kernel's table within 2 %, on both CPUs. `./axo bench kernel --docs` writes it again."""
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import bench, document, figures, paths, say  # noqa: E402

NEAR = 0.02
PAGE = "a\n<!-- one -->\n| id | what | max | min |\n|---|---|---:|---:|\n| `f` \\* | does | 1,234 | 1.5 |\n| `g` | | ENOSYS | |\n<!-- /one -->\nb\n"


def column(figure):
    return f"KPTI {figure['cpu']}" if figure["system"] == "kpti" else figure["cpu"]


def differences(written, found):
    """Figures that the page does not give, or gives otherwise."""
    return {figure["id"]: (said, figure["value"]) for figure in found
            for said in [written.get(figures.name_of(figure), {}).get(column(figure), 0)] if abs(said - figure["value"]) > NEAR * figure["value"]}


@pytest.mark.parametrize("cpu", figures.CPUS)
@pytest.mark.parametrize("kpti", [False, True])
def test_the_page_says_what_is_measured(files, cpu, kpti):
    files = paths.Build(files.folder, kpti)
    found = bench.measure(files, files.native / "bench" / "kernel.cpio", cpu=cpu)
    written = document.rows(document.PAGE.read_text(), "kernel")
    assert differences(written, found) == {}, "run ./axo bench kernel --docs"
    assert written.keys() == figures.rows(found).keys()


def test_a_wrong_page_is_found():
    def of(value):
        return [{"id": "f.qemu64", "cpu": "qemu64", "system": "axolotl", "value": value}]
    assert differences({"f": {"qemu64": 100}}, of(101)) == {}
    assert differences({"f": {"qemu64": 100}}, of(103)) == {"f.qemu64": (100, 103)}
    assert differences({"f": {"max": 100}}, of(100)) == differences({}, of(100)) == {"f.qemu64": (0, 100)}


def test_tables_are_read_and_replaced():
    assert document.rows(PAGE, "one") == {"f": {"max": 1234, "min": 1.5}, "g": {}}
    text = document.put(PAGE, "one", ["", "x", "y"])
    assert text == "a\n<!-- one -->\nx\ny\n<!-- /one -->\nb\n"
    with pytest.raises(say.Failure):
        document.put(PAGE, "two", [])


def test_every_group_has_its_place():
    text = document.PAGE.read_text()
    assert all(document.section(group).search(text) for group in ("kernel", bench.PROGRAMS, bench.LAT, bench.LATENCY))
