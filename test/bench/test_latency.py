# SPDX-License-Identifier: BSD-2-Clause
"""Interrupts are never off for longer than the bound, but on the ways that latency/over.txt names; and what it names is over the bound. The
plugin that finds it counts what the other one counts."""
import sys
from collections import Counter
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import bench, count, figures, scratch, stretch  # noqa: E402

KERNEL = "bench/kernel.cpio"


@pytest.fixture(scope="module", params=figures.CPUS)
def cpu(request):
    return request.param


def test_no_stretch_is_longer_than_the_bound(files, cpu):
    results = {scene: stretch.run(files, scene, cpu) for scene in stretch.SCENES}
    told = "\n".join(stretch.report({(scene, cpu): result for scene, result in results.items()}))
    print(told)
    assert all(sum(result.lengths.values()) > 100000 for result in results.values()), told
    assert stretch.judge(results, stretch.known()) == [], told


def test_counts_what_the_other_plugin_counts(files, cpu):
    """A null call and a foreign one are a stretch each, as long as their part in the kernel is."""
    with scratch.Folder() as folder:
        stretch.archive(KERNEL)(files, folder, cpu=cpu, words=["bench"], extra=stretch.qemu_words(files, folder))
        lengths = stretch.read(folder / "stretches", files.symbols / "kernel").lengths
    found, windows = bench.counted(files, "kernel", [files.native / KERNEL], cpu)
    for figure, window in zip(found, windows):
        if figures.name_of(figure) in ("k_null", "k_reflect"):
            inside = sum(insn.image == "kernel" for insn in window.trace)
            assert lengths[inside] >= len(window.windows) == 101, (figure["id"], inside)


def result(*stretches):
    return stretch.Result(0, Counter(one.length for one in stretches), list(stretches))


def one(length, *callers):
    return stretch.Stretch(length, "system call", 0, [(callers[0], length)], set(callers))


def test_what_is_too_long_is_told():
    assert stretch.judge({"a": result(one(stretch.BOUND, "f"))}, {}) == []
    (sentence,) = stretch.judge({"a": result(one(stretch.BOUND + 1, "f", "g"))}, {})
    assert str(stretch.BOUND + 1) in sentence and "f" in sentence
    assert stretch.judge({"a": result(one(stretch.BOUND + 1, "f", "g"))}, {"g": True}) == []
    (sentence,) = stretch.judge({"a": result(one(stretch.BOUND, "f", "g"))}, {"g": True})
    assert sentence.endswith("through g")
    assert stretch.judge({"a": result(one(stretch.BOUND, "f", "g"))}, {"g": False}) == []


def test_histogram():
    lengths = Counter({1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 1024: 32, 1025: 64})
    assert stretch.histogram(stretch.Result(0, lengths, [])) == {1: 1, 2: 2, 4: 12, 8: 16, 1024: 32, 2048: 64}


def test_entries_have_names(files):
    program = stretch.elf.Elf(files.symbols / "kernel")
    vectors = program.address("entry_vectors")
    names = [stretch.entry_name(program, address) for address in (program.address("entry_system_call"), vectors + 14 * 16, vectors + 48 * 16)]
    assert names == ["system call", "exception 14", "interrupt 48"]
