# SPDX-License-Identifier: BSD-2-Clause
"""The root image: what is laid over it keeps modes, links and bytes; what cannot be kept is told."""
import os
import socket
import stat
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from axo import archive, root, run, say     # noqa: E402


def image_of(tree, tmp_path):
    with open(tmp_path / "image", "wb") as out:
        size = root.write(tree, out)
    data = (tmp_path / "image").read_bytes()
    assert len(data) == size == root.image_bytes(tree) and size % archive.PAGE == 0
    return data


def small_tree():
    tree = root.Tree()
    tree.add_folder("bin", 0o755)
    tree.add_folder("tmp", 0o1777)
    tree.add_file("bin/sh", b"s" * 5000, 0o755)
    tree.add_link("bin/ash", "sh")
    return tree


def by_path(data):
    return {path: (inode, number) for path, inode, number in root.read(data)}


def test_image_is_an_archive_and_tells_all(tmp_path):
    data = image_of(small_tree(), tmp_path)
    names = [name for name, _, _, _ in archive.read(data)]
    assert names == [".index", "bin", "tmp", "bin/ash", "bin/sh"]
    found = by_path(data)
    assert found["bin/sh"][0].data == b"s" * 5000 and found["bin/ash"][0].data == b"sh"
    assert stat.S_IMODE(found["tmp"][0].mode) == 0o1777 and found[""][1] == 1
    bodies = {name: (start, body) for name, start, body, _ in archive.read(data)}
    assert bodies["bin/sh"][0] % archive.PAGE == 0 and bodies["bin/sh"][1] == b"s" * 5000


def test_a_folder_is_laid_over(tmp_path):
    top = tmp_path / "top"
    (top / "x" / "deep").mkdir(parents=True)
    (top / "x" / "prog").write_bytes(b"program")
    (top / "x" / "prog").chmod(0o4755)
    os.link(top / "x" / "prog", top / "x" / "deep" / "same")
    os.symlink("../bin/sh", top / "x" / "link")
    (top / "bin").mkdir()
    (top / "bin" / "more").write_bytes(b"")
    tree = small_tree()
    tree.overlay(top)
    found = by_path(image_of(tree, tmp_path))
    assert stat.S_IMODE(found["x/prog"][0].mode) == 0o4755 and found["x/prog"][0].data == b"program"
    assert found["x/prog"][1] == found["x/deep/same"][1] and found["x/link"][0].data == b"../bin/sh"
    assert {"bin/sh", "bin/more"} <= found.keys()
    assert {(inode.uid, inode.gid) for inode, _ in found.values()} == {(0, 0)}


def test_a_directory_that_becomes_a_link_keeps_what_was_in_it(tmp_path):
    top = tmp_path / "top"
    (top / "usr" / "bin").mkdir(parents=True)
    (top / "usr" / "bin" / "sh").write_bytes(b"theirs")
    os.symlink("usr/bin", top / "bin")
    tree = small_tree()
    tree.overlay(top)
    found = by_path(image_of(tree, tmp_path))
    assert found["bin"][0].data == b"usr/bin" and found["usr/bin/sh"][0].data == b"theirs" and found["usr/bin/ash"][0].data == b"sh"


def test_what_cannot_be_laid_over_is_told(tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    with pytest.raises(root.RootError, match="no directory"):
        small_tree().overlay(tmp_path / "none")
    os.mkfifo(top / "pipe")
    with pytest.raises(root.RootError, match="pipe is a named pipe"):
        small_tree().overlay(top)
    (top / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(top / "door"))
        with pytest.raises(root.RootError, match="door is a socket"):
            small_tree().overlay(top)


def test_an_archive_for_one_run(tmp_path):
    image = image_of(small_tree(), tmp_path)
    (tmp_path / "system").write_bytes(archive.pack([("kernel", b"k" * 5000), ("root", image), ("last", b"z")]))
    top = tmp_path / "top"
    top.mkdir()
    (top / "big").write_bytes(b"b" * 3_000_000)
    size = root.for_run(tmp_path / "system", tmp_path / "out", top, [("etc/axo/start", b"exec\0", 0o644)])
    parts = {name: (start, body) for name, start, body, _ in archive.read((tmp_path / "out").read_bytes())}
    assert parts["kernel"][1] == b"k" * 5000 and parts["last"][1] == b"z" and parts["root"][0] % archive.PAGE == 0
    found = by_path(parts["root"][1])
    assert len(parts["root"][1]) == size and len(found["big"][0].data) == 3_000_000 and found["etc/axo/start"][0].data == b"exec\0"
    assert found["bin/sh"][0].data == b"s" * 5000


def test_memory_grows_unless_it_may_not():
    assert run.memory_for(2 << 20, None) == 512
    assert run.memory_for(600 << 20, None) >= 1000
    assert run.memory_for(2 << 20, "64") == 64 or run.memory_for(2 << 20, "128") == 128
    with pytest.raises(say.Failure, match="too little"):
        run.memory_for(600 << 20, "256")
