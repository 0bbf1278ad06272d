# SPDX-License-Identifier: BSD-2-Clause
"""Files that are nearly programs: execve on Axolotl says of each what the host's Linux says, and nobody but the caller notices."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import corrupt
from test_chaos import NATIVE, axolotl, services_are_well

FOLDER = "/tmp/axolotl-corrupt"         # scripts name it: it is the same on both

# Where the answers must differ, what ours is instead.
OURS = (
    # Linux's addresses end where the runtime begins: docs/personality.md. The lowest ones depend on vm.mmap_min_addr.
    (r"segment-\d-vaddr-(7f80\w{8}|7fffffff0000|7ffffffff000|1000|0|1|2|3|fff)", {"signal 11"}),
    # How much of what is promised must be there is the host's policy of overcommitting.
    (r"segment-\d-memsz-(100000000|10000000000|400000000000)", {"signal 11", "exit 42"}),
    # A linker that is there: dynamic programs do not run yet.
    (r"interpreter-(good|itself|short-elf)", {"errno 8"}),
    # Instructions that are not the program's own.
    (r"header-entry-40[12]\w{3}", {"signal 4", "signal 11", "signal 5", "exit 42"}),
)


def ours(name):
    return next((allowed for pattern, allowed in OURS if re.fullmatch(pattern, name)), None)


def answers(text):
    return dict(line.split(": ", 1) for line in text.splitlines() if re.search(r": (errno|signal|exit) \d+$", line))


def linux():
    run = subprocess.run([NATIVE / "bin" / "linux-execall", FOLDER], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    return answers(run.stdout)


def test_corrupt_elf():
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "x").mkdir()
        shutil.copy(NATIVE / "bin" / "linux-execall", Path(root) / "x" / "execall")
        target = Path(root) / FOLDER[1:]
        target.mkdir(parents=True)
        target.parent.chmod(0o1777)
        target.chmod(0o755)
        count = corrupt.make(NATIVE / "bin" / "linux-good", target, FOLDER)
        out = axolotl(root, f"/x/execall {FOLDER}; service list; echo $((6*7))", 400)
        shutil.copytree(target, FOLDER, symlinks=True)
    try:
        want = linux()
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    services_are_well(out)
    assert out.endswith("42\n")
    got = answers(out)
    assert count > 1000 and len(want) > count and got.keys() == want.keys()
    wrong = [f"{name}: {got[name]}, on Linux {want[name]}" for name in want
             if got[name] != want[name] and got[name] not in (ours(name) or ())]
    print(f"{len(want)} files and arguments, {sum(ours(name) is not None for name in want)} of them with an answer of ours")
    assert not wrong, "\n".join(wrong)
