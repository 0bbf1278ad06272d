# SPDX-License-Identifier: BSD-2-Clause
"""stubs.py: runs idlc over all interfaces and keeps the time of every file that comes out as it was.

stubs.py IDL OUT: IDL holds interfaces/ and the Python package idlc. OUT/idl.stamp, which every object file depends on,
changes when a header or a source did."""
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def take_over(fresh, out):
    """Copy what differs, remove what is gone; whether anything that is compiled changed."""
    changed = False
    names = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    old = {path.relative_to(out) for path in out.rglob("*") if path.is_file()} - {Path("idl.stamp")}
    for name in names:
        target = out / name
        if not target.exists() or not filecmp.cmp(fresh / name, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh / name, target)
            changed |= name.suffix in (".h", ".c", ".def")
    for name in old - names:
        (out / name).unlink()
        changed = True
    return changed


def main(idl, out):
    idl, out = Path(idl), Path(out)
    files = sorted(str(path.relative_to(idl.parent)) for path in (idl / "interfaces").glob("*.idl"))
    with tempfile.TemporaryDirectory() as fresh:
        status = subprocess.run([sys.executable, "-m", "idlc", "build", "--out", fresh, *files], cwd=idl.parent,
                                env=dict(os.environ, PYTHONPATH=str(idl), PYTHONDONTWRITEBYTECODE="1")).returncode
        if status:
            return status
        out.mkdir(parents=True, exist_ok=True)
        stamp = out / "idl.stamp"
        if take_over(Path(fresh), out) or not stamp.exists():
            stamp.write_text("")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
