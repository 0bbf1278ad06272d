# SPDX-License-Identifier: BSD-2-Clause
"""root.py: the root image, member `root` of the boot archive: what tmpfs holds at its first start.

A cpio newc like the boot archive, every member's data at a multiple of 4096, so that tmpfs adopts the pages. Its first member, `.index`,
tells all of it in the form of personality/tmpfs/image.h, the only part that tmpfs reads at its start. A tree is made of layers: the default
root (busybox and its links, /etc), then folders or single files laid over it."""
import argparse
import os
import stat
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

if __package__:
    from . import archive
else:                       # as a command of the build
    import archive

PAGE = archive.PAGE
MAGIC = 0x31746F6F726F7861
HEAD = struct.Struct("<QQQQII")
ENTRY = struct.Struct("<10I3Q")
INDEX = ".index"
NAME_MOST, TARGET_MOST, NAMES_MOST, FILE_MOST = 255, 4095, 65000, 1 << 30

PASSWD = ("root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
          "user:x:1000:1000:user:/home/user:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
GROUP = "root:x:0:\ndaemon:x:1:\ntty:x:5:\nuser:x:1000:\nnogroup:x:65534:\n"
PROFILE = "export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=${HOME:-/root}\nPS1='\\w \\$ '\n"
FILES = {"etc/passwd": PASSWD, "etc/group": GROUP, "etc/hostname": "axolotl\n", "etc/hosts": "127.0.0.1 localhost axolotl\n",
         "etc/profile": PROFILE, "etc/shells": "/bin/sh\n/bin/ash\n", "etc/fstab": "tmpfs / tmpfs rw 0 0\nproc /proc proc rw 0 0\n"}
FOLDERS = {"bin": 0o755, "dev": 0o755, "etc": 0o755, "etc/axo": 0o755, "home": 0o755, "mnt": 0o755, "proc": 0o555, "root": 0o700,
           "sbin": 0o755, "sys": 0o555, "tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755, "usr/sbin": 0o755, "var": 0o755,
           "var/tmp": 0o1777}


class RootError(Exception):
    """What a person must be told: a sentence."""


@dataclass
class Inode:
    mode: int
    data: bytes = b""           # a file's bytes, or a link's target
    source: Path = None         # a file on the host instead of `data`
    size: int = 0
    mtime: int = 0              # nanoseconds
    uid: int = 0
    gid: int = 0
    entries: dict = field(default_factory=dict)     # of a directory

    def is_directory(self):
        return stat.S_ISDIR(self.mode)

    def is_file(self):
        return stat.S_ISREG(self.mode)


class Tree:
    """Directories, files and links by name. What is laid over something replaces it; directories are merged."""

    def __init__(self, mtime=0):
        self.root = Inode(stat.S_IFDIR | 0o755, mtime=mtime)
        self.mtime = mtime

    def folder(self, path):
        """The directory at `path`; what is missing is made. A link to a directory in the tree is followed, as with the usr-merge."""
        return self._folder([part for part in path.split("/") if part and part != "."], 0)

    def _folder(self, parts, links):
        at, done = self.root, []
        for i, part in enumerate(parts):
            below = at.entries.get(part)
            if below is not None and stat.S_ISLNK(below.mode) and links < 20:
                target = os.fsdecode(below.data)
                base = [] if target.startswith("/") else done
                whole = os.path.normpath("/" + "/".join([*base, target])).split("/")
                return self._folder([p for p in [*whole, *parts[i + 1:]] if p], links + 1)
            if below is None or not below.is_directory():
                below = at.entries[part] = Inode(stat.S_IFDIR | 0o755, mtime=self.mtime)
            at, done = below, [*done, part]
        return at

    def _place(self, path):
        head, _, name = path.strip("/").rpartition("/")
        if not name:
            raise RootError("a file needs a name")
        return self.folder(head), name

    def add_folder(self, path, mode):
        found = self.folder(path)
        found.mode = stat.S_IFDIR | mode

    def add_file(self, path, data, mode=0o644):
        folder, name = self._place(path)
        folder.entries[name] = Inode(stat.S_IFREG | mode, data=data, size=len(data), mtime=self.mtime)

    def add_link(self, path, target):
        folder, name = self._place(path)
        folder.entries[name] = Inode(stat.S_IFLNK | 0o777, data=os.fsencode(target), mtime=self.mtime)

    def add_hard_link(self, path, inode):
        folder, name = self._place(path)
        folder.entries[name] = inode

    def find(self, path):
        at = self.root
        for part in path.strip("/").split("/"):
            at = at.entries.get(part) if at is not None else None
        return at

    def overlay(self, top):
        """Lay a folder's contents over the tree: owner root; modes, set-id bits, times, hard and symbolic links kept."""
        top = Path(top)
        if not top.is_dir():
            raise RootError(f"--root {top} is no directory")
        known, displaced = {}, []

        def fail(error):
            raise RootError(f"--root: cannot read {error.filename}: {error.strerror}")

        for base, folders, files in os.walk(top, onerror=fail):
            inside = os.path.relpath(base, top)
            info = os.lstat(base)
            here = self.folder("" if inside == "." else inside)
            for name in sorted(folders) + sorted(files):
                path = os.path.join(base, name)
                if os.path.isdir(path) and not os.path.islink(path):
                    self.folder(name if inside == "." else inside + "/" + name)
                    continue
                made, was = self._read(path, known), here.entries.get(name)
                if was is not None and was.is_directory() and stat.S_ISLNK(made.mode):
                    displaced.append((name if inside == "." else inside + "/" + name, was))
                here.entries[name] = made
            if inside != ".":
                here.mode, here.mtime = stat.S_IFDIR | stat.S_IMODE(info.st_mode), info.st_mtime_ns

        for path, was in displaced:         # /bin became a link to usr/bin: what was in it is there
            now = self.folder(path)
            for name, inode in was.entries.items():
                now.entries.setdefault(name, inode)

    @staticmethod
    def _read(path, known):
        try:
            info = os.lstat(path)
            if info.st_ino in known and known[info.st_ino][0] == info.st_dev:
                return known[info.st_ino][1]
            if stat.S_ISLNK(info.st_mode):
                made = Inode(stat.S_IFLNK | 0o777, data=os.fsencode(os.readlink(path)), mtime=info.st_mtime_ns)
            elif stat.S_ISREG(info.st_mode):
                if not os.access(path, os.R_OK):
                    raise RootError(f"--root: cannot read {path}: Permission denied")
                made = Inode(info.st_mode, source=Path(path), size=info.st_size, mtime=info.st_mtime_ns)
            else:
                kind = {stat.S_IFSOCK: "socket", stat.S_IFIFO: "named pipe"}.get(stat.S_IFMT(info.st_mode), "device file")
                raise RootError(f"--root: {path} is a {kind}; only directories, files and links can be laid over the root")
        except OSError as error:
            raise RootError(f"--root: cannot read {path}: {error.strerror}") from None
        if info.st_nlink > 1:
            known[info.st_ino] = (info.st_dev, made)
        return made


# ---- the image ----
def members(tree):
    """[(path, parent's number, name, inode, number, is it the first name)], each directory before what is in it."""
    found, numbers = [], {id(tree.root): 1}
    found.append(("", 1, b"", tree.root, 1, True))

    def walk(folder, path, number):
        below = []
        for name in sorted(folder.entries):
            inode = folder.entries[name]
            first = id(inode) not in numbers
            mine = numbers.setdefault(id(inode), len(numbers) + 1)
            raw = os.fsencode(name)
            if len(raw) > NAME_MOST:
                raise RootError(f"the name {path}{name} is longer than {NAME_MOST} bytes")
            found.append((path + name, number, raw, inode, mine, first))
            if inode.is_directory():
                below.append((inode, path + name + "/", mine))
        for entry in below:
            walk(*entry)

    sys.setrecursionlimit(10000)
    walk(tree.root, "", 1)
    if len(found) > NAMES_MOST:
        raise RootError(f"the root has {len(found)} names, and tmpfs room for {NAMES_MOST}")
    return found


def header_end(at, name):
    """Where the data of a member begins whose header lies at `at`."""
    return archive.round_up(at + archive.HEADER + len(os.fsencode(name)) + 1, PAGE)


def layout(found, index_bytes):
    """{number: offset of its data}, and where the trailer lies."""
    at, offsets = archive.round_up(header_end(0, INDEX) + index_bytes, 4), {}
    for path, _, _, inode, number, first in found[1:]:
        if first and inode.is_file() and inode.size:
            at = header_end(at, path)
            offsets[number] = at
            at = archive.round_up(at + inode.size, 4)
        else:
            at = archive.round_up(at + archive.HEADER + len(os.fsencode(path)) + 1, 4)
            at = archive.round_up(at + (len(inode.data) if stat.S_ISLNK(inode.mode) else 0), 4)
    return offsets, at


def index_of(found, index_bytes, offsets):
    texts, entries = bytearray(), bytearray()
    start = PAGE + ENTRY.size * len(found)
    for path, parent, name, inode, number, _ in found:
        target = inode.data if stat.S_ISLNK(inode.mode) else b""
        if len(target) > TARGET_MOST or (inode.is_file() and inode.size > FILE_MOST):
            raise RootError(f"{path} is too big for tmpfs")
        at = len(texts)
        texts += name + target
        entries += ENTRY.pack(number, parent, inode.mode, inode.uid, inode.gid, 0, at, len(name), at + len(name), len(target),
                              inode.size if inode.is_file() else 0, offsets.get(number, 0), inode.mtime)
    inodes = max(entry[4] for entry in found)
    head = HEAD.pack(MAGIC, index_bytes, start, len(texts), len(found), inodes)
    return (head.ljust(PAGE, b"\0") + entries + texts).ljust(index_bytes, b"\0")


def copy_file(inode, out):
    if inode.source is None:
        out.write(inode.data)
        return
    left = inode.size
    with open(inode.source, "rb") as file:
        while left:
            data = file.read(min(left, 1 << 20))
            if not data:
                raise RootError(f"{inode.source} became shorter while it was read")
            out.write(data)
            left -= len(data)


def cpio_header(name_bytes, data_bytes, inode, number, links):
    fields = [number, inode.mode, inode.uid, inode.gid, links, inode.mtime // 10**9 & 0xFFFFFFFF, data_bytes, 0, 0, 0, 0, name_bytes, 0]
    return archive.MAGIC + b"".join(b"%08x" % value for value in fields)


def image_bytes(tree):
    """How big the image is, without writing it."""
    return _plan(tree)[3]


def _plan(tree):
    found = members(tree)
    texts = sum(len(name) + (len(inode.data) if stat.S_ISLNK(inode.mode) else 0) for _, _, name, inode, _, _ in found)
    index_bytes = archive.round_up(PAGE + ENTRY.size * len(found) + texts, PAGE)
    offsets, end = layout(found, index_bytes)
    trailer = archive.HEADER + len(archive.TRAILER) + 1
    return found, index_bytes, offsets, archive.round_up(end + trailer, PAGE)


def write(tree, out):
    """The image, into a file that is open for writing."""
    found, index_bytes, offsets, total = _plan(tree)
    start = out.tell()

    def pad(to):
        out.write(b"\0" * (start + to - out.tell()))

    def at():
        return out.tell() - start

    links = {}
    for _, _, _, _, number, _ in found:
        links[number] = links.get(number, 0) + 1
    index_inode = Inode(stat.S_IFREG | 0o600)
    begin = header_end(0, INDEX)
    out.write(cpio_header(begin - archive.HEADER, index_bytes, index_inode, len(found) + 1, 1) + INDEX.encode())
    pad(begin)
    out.write(index_of(found, index_bytes, offsets))
    for path, _, _, inode, number, first in found[1:]:
        pad(archive.round_up(at(), 4))
        name = os.fsencode(path)
        if first and number in offsets:
            out.write(cpio_header(offsets[number] - at() - archive.HEADER, inode.size, inode, number, links[number]) + name)
            pad(offsets[number])
            copy_file(inode, out)
            continue
        data = inode.data if stat.S_ISLNK(inode.mode) else b""
        out.write(cpio_header(len(name) + 1, len(data), inode, number, links[number]) + name + b"\0")
        pad(archive.round_up(at(), 4))
        out.write(data)
    pad(archive.round_up(at(), 4))
    out.write(archive.header(len(archive.TRAILER) + 1, 0, 0, 0) + archive.TRAILER.encode() + b"\0")
    pad(total)
    return total


# ---- the default root ----
def default_tree(busybox, extra=(), mtime=0):
    """busybox and a link for each of its applets, /etc, empty /dev and /proc. `extra`: (path, file, mode)."""
    tree = Tree(mtime)
    for path, mode in FOLDERS.items():
        tree.add_folder(path, mode)
    for path, text in FILES.items():
        tree.add_file(path, text.encode())
    applets = subprocess.run([str(busybox), "--list-full"], capture_output=True, text=True, check=True).stdout.split()
    tree.add_file("bin/busybox", Path(busybox).read_bytes(), 0o755)
    for applet in applets:
        if applet.rpartition("/")[2] == "busybox":
            continue
        tree.add_link(applet, "/bin/busybox")
        short = applet.removeprefix("usr/")         # scripts look for it there, too
        if tree.find(short) is None:
            tree.add_link(short, "/bin/busybox")
    for path, file, mode in extra:
        tree.add_file(path, Path(file).read_bytes(), mode)
    tree.add_folder("home/user", 0o755)
    user = tree.find("home/user")
    user.uid = user.gid = 1000
    return tree


# ---- reading one back ----
def read(data):
    """[(path, Inode, number)] from an image's index; raises ValueError on a bad one."""
    magic, index_bytes, texts, text_bytes, count, _ = HEAD.unpack_from(data, PAGE)
    if magic != MAGIC:
        raise ValueError("no root image")
    base, found, paths = PAGE + texts, [], {}
    for i in range(count):
        entry = ENTRY.unpack_from(data, 2 * PAGE + i * ENTRY.size)
        number, parent, mode, uid, gid, _, name, name_bytes, target, target_bytes, size, offset, mtime = entry
        path = (paths[parent] + "/" if paths.get(parent) else "") + os.fsdecode(data[base + name:base + name + name_bytes]) if i else ""
        if stat.S_ISDIR(mode):
            paths[number] = path
        body = data[offset:offset + size] if stat.S_ISREG(mode) else data[base + target:base + target + target_bytes]
        found.append((path, Inode(mode, data=bytes(body), size=size, mtime=mtime, uid=uid, gid=gid), number))
    return found


def tree_of(data):
    """The tree of an image: what a run lays its folder over."""
    tree, numbers = Tree(), {}
    for path, inode, number in read(data):
        if not path:
            tree.root = numbers[number] = inode
            continue
        inode = numbers.setdefault(number, inode)
        tree.add_hard_link(path, inode)
    return tree


# ---- the archive of one run ----
def for_run(system, out, folder=None, files=()):
    """Write the boot archive `system` to the path `out` with `folder` and `files` [(path, bytes, mode)] laid over its root. The root's
    bytes, so that the machine gets as much memory as it takes."""
    members_of = archive.read(Path(system).read_bytes())
    images = [data for name, _, data, _ in members_of if name == "root"]
    if not images:
        raise RootError("the system has no root to lay a folder over")
    tree = tree_of(images[0])
    if folder is not None:
        tree.overlay(folder)
    for path, data, mode in files:
        tree.add_file(path, data, mode)
    size = image_bytes(tree)
    with open(out, "wb") as file:
        rest = [(name, data, mode) for name, _, data, mode in members_of if name != "root"]
        number = 0
        for number, (name, data, mode) in enumerate(rest, 1):
            file.write(archive.member(file.tell(), name, data, mode, number))
        start = header_end(file.tell(), "root")
        head = archive.header(start - file.tell() - archive.HEADER, size, 0o100644, number + 1) + b"root"
        file.write(head.ljust(start - file.tell(), b"\0"))
        write(tree, file)
        file.write(archive.header(len(archive.TRAILER) + 1, 0, 0, 0) + archive.TRAILER.encode() + b"\0")
        file.write(b"\0" * (-file.tell() % PAGE))
    return size


def main(words):
    parser = argparse.ArgumentParser(description="Make the default root image, or list one.")
    parser.add_argument("image", type=Path)
    parser.add_argument("--busybox", type=Path, help="make it, of this program")
    parser.add_argument("--add", action="append", default=[], metavar="PATH=FILE", help="a program more")
    parser.add_argument("--over", action="append", default=[], type=Path, help="a folder to lay over it")
    options = parser.parse_args(words)
    if not options.busybox:
        for path, inode, number in read(options.image.read_bytes()):
            print(f"{number:6d} {stat.filemode(inode.mode)} {inode.uid:5d} {inode.size:10d} /{path}")
        return 0
    try:
        tree = default_tree(options.busybox, [(*pair.split("=", 1), 0o755) for pair in options.add], options.busybox.stat().st_mtime_ns)
        for folder in options.over:
            tree.overlay(folder)
        with open(options.image, "wb") as out:
            write(tree, out)
    except RootError as error:
        print(f"root.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
