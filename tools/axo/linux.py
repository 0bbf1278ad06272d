# SPDX-License-Identifier: BSD-2-Clause
"""linux.py: Linux on the same machine: Debian's cloud kernel, never installed, with our root as its initramfs.

The kernel comes from its package, which is downloaded once and unpacked in the build folder. Linux is booted like the system: first
serial port the command's output, second the kernel's log, end through isa-debug-exit. linux_init.c is its first process there."""
import os
import re
import stat
import subprocess
import tempfile
from pathlib import Path

from . import archive, packages, qemu, root, say

META = "linux-image-cloud-amd64"        # depends on the package of today's kernel
WORDS = ["console=ttyS1", "quiet", "panic=-1", "rdinit=/init"]
INIT_SOURCE = Path(__file__).with_name("linux_init.c")
DEVICES = [("null", 0o666, 1, 3), ("zero", 0o666, 1, 5), ("full", 0o666, 1, 7), ("random", 0o666, 1, 8), ("urandom", 0o666, 1, 9),
           ("tty", 0o666, 5, 0), ("console", 0o600, 5, 1)]
LINKS = [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")]
SERIAL = ("axo/line", 0o600, 4, 64)     # ttyS0, by a name that is ours


# ---- the kernel ----
def package():
    """The name of the package that the kernel is in today."""
    answer = subprocess.run(["apt-cache", "depends", META], capture_output=True, text=True, env=dict(os.environ, LC_ALL="C"))
    found = re.search(r"Depends: (linux-image-\S+-cloud-amd64)\b", answer.stdout)
    return found[1] if found else None


def download(folder):
    """Unpack the kernel into `folder`."""
    name = package()
    if name is None:                    # no package lists yet
        packages.apt("update")
        name = package()
    if name is None:
        raise say.host_failure(f"apt knows no package {META}; `apt-get update` may help")
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as fetch:
        for last in (False, True):
            answer = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", name], cwd=fetch, capture_output=True,
                                    text=True, env=dict(os.environ, LC_ALL="C"))
            if answer.returncode == 0:
                break
            if last:
                raise say.host_failure(f"apt cannot download {name}: {(answer.stderr.strip().splitlines() or ['?'])[-1]}")
            packages.apt("update")      # old lists name versions that are gone
        fetched = next(Path(fetch).glob("*.deb"))
        must(["dpkg-deb", "-x", str(fetched), fetch])
        image = next(Path(fetch).glob("boot/vmlinuz-*"))
        os.replace(image, folder / image.name)


def place(files):
    """The folder for what Linux needs."""
    folder = files.folder / "linux"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def must(words):
    answer = subprocess.run(words, capture_output=True, text=True)
    if answer.returncode:
        raise say.host_failure(f"{words[0]} failed: {(answer.stderr.strip().splitlines() or ['it does not say why'])[0]}")


def kernel(files):
    """The kernel's image, fetched if need be."""
    folder = place(files)
    if not sorted(folder.glob("vmlinuz-*")):
        say.note("fetching Debian's Linux kernel for comparison")
        download(folder)
    return sorted(folder.glob("vmlinuz-*"))[-1]


# ---- its first process ----
def first_program(files):
    program = place(files) / "init"
    if not program.exists() or program.stat().st_mtime < INIT_SOURCE.stat().st_mtime:
        fresh = program.with_name(f".init.{os.getpid()}")
        must(["musl-gcc", "-static", "-Os", "-s", "-std=gnu11", "-Wall", "-o", str(fresh), str(INIT_SOURCE)])
        os.replace(fresh, program)
    return program


# ---- its root ----
def plain_cpio(tree, out):
    """The tree as Linux unpacks it: without our index, with the nodes of /dev."""
    devices = {}
    tree.add_folder("dev", 0o755)
    tree.add_folder("dev/axo", 0o700)
    for name, mode, major, minor in [*DEVICES, SERIAL]:
        tree.add_file(f"dev/{name}", b"", mode)
        node = tree.find(f"dev/{name}")
        node.mode = stat.S_IFCHR | mode
        devices[id(node)] = (major, minor)
    for name, target in LINKS:
        tree.add_link(f"dev/{name}", target)
    found = root.members(tree)
    links = {}
    for _, _, _, _, number, _ in found:
        links[number] = links.get(number, 0) + 1

    def put(name, inode, number, count, data):
        major, minor = devices.get(id(inode), (0, 0))
        fields = [number, inode.mode, inode.uid, inode.gid, count, inode.mtime // 10**9 & 0xFFFFFFFF, len(data), 0, 0, major, minor,
                  len(name) + 1, 0]
        out.write(archive.MAGIC + b"".join(b"%08x" % value for value in fields) + name + b"\0")
        out.write(b"\0" * (-out.tell() % 4) + data)
        out.write(b"\0" * (-out.tell() % 4))

    for path, _, _, inode, number, first in found:
        data = inode.data
        if inode.source is not None:
            data = inode.source.read_bytes()
        if stat.S_ISDIR(inode.mode) or not first and not stat.S_ISLNK(inode.mode):
            data = b""
        count = 2 if stat.S_ISDIR(inode.mode) else links[number]
        put(os.fsencode(path or "."), inode, number, count, data)
    put(archive.TRAILER.encode(), root.Inode(0), 0, 1, b"")


def initramfs(files, out, folder=None, extra=()):
    """Write the root of the system, with `folder` and `extra` [(path, bytes, mode)] over it, to `out` for Linux. Its bytes."""
    images = [data for name, _, data, _ in archive.read(files.system.read_bytes()) if name == "root"]
    if not images:
        raise say.host_failure("the system has no root that Linux could have, too")
    tree = root.tree_of(images[0])
    if folder is not None:
        tree.overlay(folder)
    for path, data, mode in extra:
        tree.add_file(path, data, mode)
    tree.add_file("init", first_program(files).read_bytes(), 0o755)
    with open(out, "wb") as file:
        plain_cpio(tree, file)
    return out.stat().st_size


def machine(files, image, **settings):
    """The qemu.Machine that boots Linux with this initramfs; its archive's etc/axo/start says what it runs."""
    return qemu.Machine(loader=kernel(files), archive=image, words=list(WORDS), **settings)
