# SPDX-License-Identifier: BSD-2-Clause
"""paths.py: where things are, in the tree and in a build folder."""
import os
from pathlib import Path

from . import say

TOP = Path(__file__).resolve().parents[2]
PACKAGES = TOP / "tools" / "packages.txt"


def version():
    return (TOP / "VERSION").read_text().strip()


def check_writable(flag, name):
    """A wrong file is told before the work whose result it is to take."""
    path = Path(name)
    problem = (f"there is no directory {path.parent}" if not path.parent.is_dir() else "it is a directory" if path.is_dir()
               else "" if os.access(path if path.exists() else path.parent, os.W_OK) else "permission denied")
    if problem:
        raise say.usage_failure(f"{flag}: cannot write {name}: {problem}")


class Build:
    """One build folder: build/ unless --build-dir says otherwise. `kpti`: with the kernel that user mode cannot see."""

    def __init__(self, folder, kpti=False):
        self.kpti, suffix = kpti, "-kpti" if kpti else ""
        self.folder = Path(folder).resolve() if folder else TOP / "build"
        self.native = self.folder / "native"            # CMake's
        self.boot = self.native / "boot"                # stripped images, as they go into archives
        self.symbols = self.native / "bin"              # the same with symbols
        self.loader = self.boot / "loader"
        self.kernel = self.symbols / f"kernel{suffix}"
        self.system = self.native / f"system{suffix}.cpio"      # what `axo run` boots
        self.last_log = self.folder / "last-boot.log"
        self.build_log = self.folder / "build.log"
        self.lock = self.folder / ".lock"
