# SPDX-License-Identifier: BSD-2-Clause
"""clean.py: `axo clean`: removes the build folder, once nobody builds in it."""
import shutil

from . import build, paths, say


def command(options):
    folder = paths.Build(options.build_dir)
    if not folder.folder.exists():
        return 0
    if not folder.native.exists() and not folder.lock.exists():
        raise say.usage_failure(f"{folder.folder} is no build folder of axo")
    with build.locked(folder):
        shutil.rmtree(folder.folder)
    return 0
