# SPDX-License-Identifier: BSD-2-Clause
"""conftest.py: one start by `axo run --exec` and what it must say."""
import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["AXO_NATIVE"]).parent
WAYS = {"direct": [], "iso": ["--iso"], "uefi": ["--uefi"]}


def start(way, board, cpu, memory, by_qemu=False):
    """`by_qemu`: the board is named behind `--`, as QEMU's own argument."""
    words = [TOP / "axo", "run", "--no-build", "--no-install", "--build-dir", BUILD, *WAYS[way], "--cpu", cpu, "--mem", memory,
             *([] if by_qemu else ["--machine", board]), "--exec", "echo hi", *(["--", "-M", board] if by_qemu else [])]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=150)
    assert (run.stdout, run.stderr, run.returncode) == (b"hi\n", b"", 0)
