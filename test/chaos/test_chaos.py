# SPDX-License-Identifier: BSD-2-Clause
"""Random system calls by a Linux program, several processes at once and signals in the middle: nothing dies that should not, nothing is lost,
and afterwards everything is as it was. The test chaos-all makes 100,000 of them and tries every attack. AXO_CHAOS_SEED and AXO_CHAOS_CALLS
choose another run; with --icount it is the same each time.

A failing run: `chaos --seed N --generation G --print` makes the calls of one family alone and says each."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
NATIVE = Path(os.environ["AXO_NATIVE"])
SEED, CALLS = int(os.environ.get("AXO_CHAOS_SEED", 1)), int(os.environ.get("AXO_CHAOS_CALLS", 10000))
PROGRAMS = ("chaos", "capacity", "wounds", "attack")
WAYS = ("invoke", "overwrite", "window", "files", "pipes", "log", "secret")
REFUSED = {"ptrace"}            # EPERM for everybody, always; docs/security.md


@pytest.fixture(scope="module")
def root():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x").mkdir()
        for name in PROGRAMS:
            shutil.copy(NATIVE / "bin" / f"linux-{name}", Path(folder) / "x" / name)
        yield folder


def axolotl(root, command, seconds=1500):
    run = subprocess.run([TOP / "axo", "run", "--no-build", "--no-install", "--build-dir", NATIVE.parent, "--icount", "--timeout", str(seconds),
                          "--root", root, "--exec", command], stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds + 30)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr
    print(run.stderr.decode())
    log = (NATIVE.parent / "last-boot.log").read_text(errors="replace")
    # A thread that an attacker sends nowhere is halted, and the kernel says so: that is its own affair.
    wrong = re.findall(r"^.*(?:panic|defect|assert|poison|not mapped).*$", log, re.M)
    assert not wrong, "\n".join(wrong[:20])
    return run.stdout.decode()


def services_are_well(text):
    rows = re.findall(r"^(\w+) +(up|down|dead) +(\d+) +(\d+) +(\d+)", text, re.M)
    assert {"rs", "ds", "vm", "serial", "tty", "tmpfs", "procfs", "vfs", "pm"} <= {row[0] for row in rows}
    bad = [row for row in rows if row[1] != "down" and (row[1] != "up" or row[2:] != ("1", "0", "0"))]
    assert not bad, bad


LOOK = "echo ---; cat /proc/axo/memory; echo ---"


def memory_is_back(before, after):
    """Frames, kernel memory, objects, what processes and each service hold: to the byte."""
    assert re.search(r"^frames \d+ free \d+ anonymous \d+ objects \d+\nkernel \d+ of \d+ bytes, \d+ objects$", before, re.M)
    assert {"tty", "procfs", "vfs", "tmpfs", "pm", "vm"} <= set(re.findall(r"^(\w+) \d+ of \d+$", before, re.M))
    lost = [f"{was} -> {now}" for was, now in zip(before.splitlines(), after.splitlines()) if was != now]
    assert after == before, "\n".join(lost)


def everybody_was_there(full):
    """All processes and all threads that there is room for lived at once: every window of theirs is mapped wherever it may be."""
    processes, threads = map(int, re.search(r"^chain (\d+) threads (\d+), then Resource temporarily unavailable$", full, re.M).groups())
    assert processes > 100 and threads == 3 * processes


def test_random_calls(root):
    # Every table is filled once and every program used once, so that what servers make at first use and keep is there before the first look.
    out = axolotl(root, f"/x/capacity; /x/chaos --seed 77 --calls 500 > /dev/null; {LOOK}; /x/chaos --seed {SEED} --calls {CALLS}; {LOOK}; "
                        "/x/capacity; service list; echo $((6*7))")
    full, before, mix, after, rest = out.split("---\n")
    print(mix)
    everybody_was_there(full)
    memory_is_back(before, after)
    assert full and rest.startswith(full), "a table has fewer free entries than before"
    services_are_well(rest)
    assert rest.endswith("42\n")
    calls = {name: (int(tried), int(good)) for name, tried, good in re.findall(r"^call (\w+) tried (\d+) succeeded (\d+)", mix, re.M)}
    done, good, wrong = map(int, re.search(r"^calls (\d+) succeeded (\d+) unknown \d+ wrong (\d+)", mix, re.M).groups())
    table = re.findall(r"^CALL\(\d+, (\w+),", (TOP / "personality/runtime/calls.def").read_text(), re.M)
    assert sorted(calls) == sorted(table)
    assert CALLS <= done < CALLS + 100 and wrong == 0
    assert good * 100 >= done * 30
    assert max(count for _, count in calls.values()) * 100 <= 5 * good
    if CALLS >= 100000:
        assert {name for name, (_, count) in calls.items() if count == 0} == REFUSED


def cases():
    listed = subprocess.run([NATIVE / "bin" / "linux-wounds"], capture_output=True, text=True)
    return listed.stdout.split()


@pytest.mark.parametrize("case", cases())
def test_wound(root, case):
    """What chaos once found, against the host's Linux."""
    with tempfile.TemporaryDirectory() as folder:
        want = subprocess.run([NATIVE / "bin" / "linux-wounds", Path(folder) / "w", case], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
    got = axolotl(root, f"/x/wounds /tmp/w {case} 2>&1; service list; echo $((6*7))", 100)
    answer, services = got.split("service  ", 1)
    assert answer == want.stdout + want.stderr
    services_are_well(services)


@pytest.mark.parametrize("way", WAYS)
def test_attack(root, way):
    """A program that turns on its own runtime and on the servers harms nobody else. What is not defended: docs/security.md."""
    out = axolotl(root, f"/x/capacity chain; /x/attack {way} 9 > /dev/null; {LOOK}; /x/attack {way} {SEED} || exit 9; {LOOK}; service list; "
                        "echo $((6*7))", 600)
    full, before, said, after, rest = out.split("---\n")
    assert re.search(r"others were harmed 0 times", said)
    everybody_was_there(full)
    memory_is_back(before, after)
    services_are_well(rest)
    assert rest.endswith("42\n")
