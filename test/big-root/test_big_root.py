# SPDX-License-Identifier: BSD-2-Clause
"""More files than vm has objects for, a large file, every kind of name and mode."""
import os

import pytest
from conftest import guest, make_large, make_many

MANY, LARGE_MB, DEPTH = 8600, 80, 60
SUM_OF_ALL = "find /many -type f | sort | xargs cat | md5sum"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    top = tmp_path_factory.mktemp("root")
    os.chmod(top, 0o755)
    return top


def test_more_files_than_objects(folder):
    """Read twice, written to in between: what was retired meanwhile has kept its bytes."""
    total = make_many(folder, MANY)
    out, err, status = guest(folder, f"{SUM_OF_ALL}; echo more >> /many/0/0; cat /many/0/0; "
                             "printf FILE | dd of=/many/0/1 conv=notrunc 2>/dev/null; find /many -type f | wc -l; "
                             f"{SUM_OF_ALL} > /dev/null; cat /many/0/1")
    assert (err, status) == ("", 0)
    assert out.splitlines() == [f"{total}  -", "file 0", "more", str(MANY), "FILE 1", "file 1"]


def test_a_large_file(tmp_path):
    large, = make_large(tmp_path, ["large"], LARGE_MB)
    out, err, status = guest(tmp_path, "md5sum < /large; wc -c < /large; rm /large; ls /large 2>/dev/null; echo $?")
    assert (out, err, status) == (f"{large}  -\n{LARGE_MB << 20}\n1\n", "", 0)
    out, err, status = guest(tmp_path, "true", "--mem", "128")
    assert status == 126 and out == "" and err.count("\n") == 1 and err.startswith("axo: --mem 128 is too little for a root of 8")
    least = err.split()[-1]
    assert guest(tmp_path, "md5sum < /large", "--mem", least) == (f"{large}  -\n", "", 0)


def test_names_links_and_modes(tmp_path):
    deep = tmp_path.joinpath(*[f"d{i}" for i in range(DEPTH)])
    deep.mkdir(parents=True)
    (deep / "leaf").write_text("bottom\n")
    (tmp_path / "one").write_text("same\n")
    os.link(tmp_path / "one", tmp_path / "two")
    (tmp_path / "soft").symlink_to("d0/d1")
    (tmp_path / "nowhere").symlink_to("/not/there")
    modes = {"suid": 0o4711, "sgid": 0o2755, "sticky": 0o1000, "odd": 0o047, "none": 0}
    for name, mode in modes.items():
        (tmp_path / name).write_text("x")
        os.chmod(tmp_path / name, mode)
    (tmp_path / ("n" * 255)).write_text("long\n")
    (tmp_path / "with space\nand line").write_text("strange\n")
    (tmp_path / "open").mkdir(mode=0o755)
    os.chmod(tmp_path / "open", 0o2777)
    out, err, status = guest(tmp_path, "cat $(find / -name leaf); find /proc/1 -name task; stat -c '%h %i' /one /two | uniq | wc -l; echo more >> /one; cat /two; "
                             "readlink /soft; ls /soft; readlink /nowhere; stat -c '%a %u %g %n' /suid /sgid /sticky /odd /none /open; "
                             f"cat /{'n' * 255}; cat /with*")
    wanted = ["bottom", "/proc/1/task", "1", "same", "more", "d0/d1", "d2", "/not/there",
              *(f"{mode:o} 0 0 /{name}" for name, mode in modes.items()), "2777 0 0 /open", "long", "strange"]
    assert (out.splitlines(), err, status) == (wanted, "", 0)
