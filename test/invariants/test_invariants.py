# SPDX-License-Identifier: BSD-2-Clause
"""Every invariant that the kernel's comments name is checked by kernel/check in debug builds, or by a test that kernel/check/README.md names
for what only a machine can show; and nothing is checked whose name is stated nowhere."""
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
KERNEL = TOP / "kernel"
CHECK = KERNEL / "check"
STATED = re.compile(r"INVARIANT (\w+):")
CHECKED = re.compile(r'INVARIANT\("(\w+)"')
BY_TEST = re.compile(r"^\| (\w+) \| (.+) \|$", re.M)
WALKS = {"space_check", "cap_check", "factory_check", "memory_check", "threads_check"}


def places(pattern, files):
    """{name: files that match}"""
    found = {}
    for path in files:
        for name in pattern.findall(path.read_text()):
            found.setdefault(name, set()).add(path.name)
    return found


def stated():
    files = [path for path in KERNEL.rglob("*") if path.suffix in (".c", ".h", ".S") and CHECK not in path.parents]
    assert len(files) > 60
    return places(STATED, files)


def checked():
    return places(CHECKED, CHECK.glob("*.c"))


def shown():
    """{name: the tests that the README names}"""
    return {name: re.findall(r"`([^`]+)`", text) for name, text in BY_TEST.findall((CHECK / "README.md").read_text())
            if name != "invariant"}


def test_each_that_is_stated_is_checked():
    assert len(stated()) > 20
    missing = set(stated()) - set(checked()) - set(shown())
    assert not missing, f"stated in a comment, but neither kernel/check nor a test of kernel/check/README.md checks it: {missing}"


def test_each_that_is_checked_is_stated():
    unknown = (set(checked()) | set(shown())) - set(stated())
    assert not unknown, f"checked, but no comment of the kernel states `INVARIANT {unknown.pop()}: …`"


def test_each_is_checked_in_one_place():
    both = set(checked()) & set(shown())
    assert not both, f"kernel/check checks it, so its README needs no test for it: {both}"


def test_the_tests_exist():
    for name, tests in shown().items():
        assert tests, f"{name}: no test is named"
        for test in tests:
            assert (TOP / "test" / test).exists() or (TOP / "test" / "kernel" / test).is_dir(), f"{name}: there is no test {test}"


def test_every_walk_runs_after_each_fuzzed_step():
    declared = set(re.findall(r"(\w+_check)\(", (CHECK / "check.h").read_text()))
    assert declared == WALKS
    called = set(re.findall(r"(\w+_check)\(", (TOP / "test" / "fuzz-kernel" / "peek.c").read_text()))
    within = set(re.findall(r"^\s+(\w+_check)\(", (CHECK / "check.c").read_text(), re.M))     # factory_check calls them of tasks
    assert declared <= called | within, f"never called: {declared - called - within}"
