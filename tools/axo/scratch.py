# SPDX-License-Identifier: BSD-2-Clause
"""scratch.py: temporary folders, which do not outlive who made them.

Each holds a file `.lock` that its maker keeps locked as long as it lives, and whose lock the kernel gives up for the dead. A process removes its own
folders at its end; what one that was killed left behind goes when the next makes its first. Rule: only who holds the lock of a
folder removes it, and a folder is in use only by who holds the lock of the file that stands in it now."""
import atexit
import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from pathlib import Path

PREFIX, LOCK = "axo-", ".lock"
OURS = re.compile(PREFIX + r"[a-z0-9_]{8}")     # as tempfile names them
made = set()                                    # Folders of this process


def lock(folder, flags=0):
    """The descriptor of the folder's lock, held; None: another one holds it, or the folder has gone."""
    descriptor = None
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.lstat(folder / LOCK)):
            return descriptor
    except OSError:
        pass
    if descriptor is not None:
        os.close(descriptor)
    return None


def sweep(place):
    """Remove what the dead left in `place`. Folders of other users, and of versions without locks, are let alone."""
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if not OURS.fullmatch(entry.name) or not entry.is_dir(follow_symlinks=False) or entry.stat(follow_symlinks=False).st_uid != os.getuid():
                continue
            descriptor = lock(Path(entry.path))
            if descriptor is not None:
                shutil.rmtree(entry.path, ignore_errors=True)
                os.close(descriptor)
            else:
                with contextlib.suppress(OSError):
                    os.rmdir(entry.path)        # its maker died before it had a lock, or finds it gone and makes another


class Folder:
    """One temporary folder, at `path`, until `close`."""

    def __init__(self):
        if not made:
            atexit.register(close_all)
            sweep(tempfile.gettempdir())
        self.held = None
        while self.held is None:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            made.add(self)
            self.held = lock(self.path, os.O_CREAT | os.O_EXCL)

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)
        if self.held is not None:
            os.close(self.held)
            self.held = None
        made.discard(self)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        self.close()


def close_all():
    for folder in list(made):
        folder.close()
