# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: axo itself, and a build folder that holds the fake guest instead of a system."""
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("axo", deadline=None, max_examples=50, database=None)
settings.load_profile("axo")
TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))


@pytest.fixture
def axo():
    """axo(words…) -> what it said and left."""
    def call(*words, **settings):
        settings.setdefault("stdin", subprocess.DEVNULL)
        if "input" in settings:
            del settings["stdin"]
        return subprocess.run([str(TOP / "axo"), *map(str, words)], capture_output=True, text=True, timeout=120, **settings)
    return call


@pytest.fixture(scope="session")
def fake_build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    (folder / "native" / "boot").mkdir(parents=True)
    here = Path(__file__).resolve().parent / "guest"
    subprocess.run(["x86_64-linux-gnu-gcc", "-m32", "-O1", "-ffreestanding", "-nostdlib", "-static", "-no-pie", "-fno-pic",
                    "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-Wall", "-Wextra",
                    "-Werror", "-Wl,-Ttext=0x100000", "-Wl,-e,start", "-Wl,--build-id=none",
                    str(here / "guest.c"), "-o", str(folder / "native" / "boot" / "loader")], check=True)
    (folder / "native" / "system.cpio").write_bytes(b"\0" * 4096)
    return folder
