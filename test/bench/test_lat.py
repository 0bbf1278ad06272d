# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel and the runtime decide takes fewer instructions than on Linux, but for what lat/rows.txt lists as not yet; and what it lists
is so: a row that gets below has to leave the list."""
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import figures, lat, paths, programs, say  # noqa: E402

SAID = b"stat 100.5 ns n=7 tsc=100.0\r\nfile_read_4k 9.0 ns n=7 tsc=8.5 MB/s=1.0\nunix_rtt FAIL 38 a(b): No\npipe_rtt FAIL 0 it: ok\npipe"


@pytest.fixture(scope="module")
def measured(files):
    return [figure for cpu in figures.CPUS for figure in lat.measure(files, cpu, ["decided", "cpu_xorshift"])]


def test_decided_rows_are_below_linux(measured):
    listed = {name: cpus for name, (_, cpus, _) in lat.rows().items() if cpus}
    assert lat.not_below(measured) == listed, "\n".join(figures.table(measured))


def test_yardstick(measured):
    ours = [figure["value"] for figure in measured if figure["id"].startswith("cpu_xorshift")]
    assert len(ours) == 4 and all(abs(value - 12) < 0.1 for value in ours)


def test_rows_are_lats_own(files):
    said = subprocess.run([lat.program(files), "-l"], capture_output=True, text=True, check=True, timeout=30).stdout
    assert said.split() == list(lat.rows())


def test_reads_what_lat_says():
    assert lat.values(SAID) == {"stat": 100.0, "file_read_4k": 8.5, "unix_rtt": "ENOSYS", "pipe_rtt": "wrong"}


def test_what_is_not_below_is_told():
    def listed(own, other):
        return lat.gather({"null_getpid": own, "stat": own}, "max", "axolotl") + lat.gather({"null_getpid": other, "stat": other}, "max", "linux")
    assert lat.not_below(listed(1.0, 1.1)) == {}
    for pair in ((1.1, 1.1), (2.0, 1.0), ("died", 1.0), (1.0, "ENOSYS")):
        assert lat.not_below(listed(*pair)) == {"null_getpid": ["max"]}


def test_goes_on_behind_a_row_that_says_nothing(monkeypatch):
    def system(files, folder, order, cpu, heard):
        names = order.words[order.words.index("-H") + 2:]
        told.append(names)
        end = min(names.index(name) for name in (*names[-1:], "stat", "lseek") if name in names)
        said = "".join(f"{name} 1.0 ns n=1 tsc=1.0\n" for name in names[:end]).encode()
        heard(said)
        return programs.Run(said, "a sentence", is_late=names[end] == "stat")
    told, files = [], paths.Build("nowhere")
    monkeypatch.setattr(programs, "SYSTEMS", {"axolotl": system})
    found = lat.results(files, "axolotl", "max", ["null_getpid", "stat", "fstat", "lseek", "dup_close"])
    assert found == {"null_getpid": 1.0, "stat": "hung", "fstat": 1.0, "lseek": "died", "dup_close": "died"}
    assert [names[0] for names in told] == ["null_getpid", "fstat", "dup_close"]


def test_rows_are_picked():
    assert lat.choose(["ring_*", "stat"]) == ["stat", "ring_hop_2p", "ring_hop_4p", "ring_hop_8p", "ring_hop_16p"]
    assert "fork_exec_wait" in lat.choose(["decided"]) and "stat" not in lat.choose(["decided"])
    with pytest.raises(say.Failure, match="no row 'none'"):
        lat.choose(["none"])
