# SPDX-License-Identifier: BSD-2-Clause
"""methods.py: numbers of the kernel's methods, as the interface files say."""
import sys

from . import paths

sys.path.insert(0, str(paths.TOP / "idl"))

from idlc.model import load  # noqa: E402


def numbers(*names):
    """Bits 0-31 of requests, of names as `task.map`."""
    cache = {}
    faces = {face: load(str(paths.TOP / "idl" / "interfaces" / f"{face}.idl"), cache).interface for face in {name.split(".")[0] for name in names}}
    return [faces[face].tag(faces[face].method(method)) for face, method in (name.split(".") for name in names)]
