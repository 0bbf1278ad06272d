# SPDX-License-Identifier: BSD-2-Clause
"""The command: status 0, 1 or 2, and words for a person."""
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def idlc(*args):
    return subprocess.run([str(ROOT / "idl/idlc/idlc"), *map(str, args)], cwd=ROOT, capture_output=True, text=True)


def test_help_has_examples():
    run = idlc("--help")
    assert run.returncode == 0 and "examples:" in run.stdout and "freeze" in run.stdout


@pytest.mark.parametrize("args",
                         [[], ["build", "x.idl"], ["check"], ["check", "--fast", "x.idl"], ["dance"],
                          ["check", "none.idl"]])
def test_wrong_command_is_one_sentence(args):
    run = idlc(*args)
    assert run.returncode == 2 and run.stderr.startswith("idlc: ") and run.stderr.count("\n") == 1


def test_bad_interface_is_status_1(tmp_path):
    run = idlc("build", "--out", tmp_path / "out", "test/idl/bad/no_bound.idl")
    assert run.returncode == 1 and "no_bound.idl:3: `name` has no bound" in run.stderr
    assert not (tmp_path / "out").exists()


def test_build_keeps_the_time_of_what_stays_the_same(tmp_path):
    assert idlc("build", "--out", tmp_path, "test/idl/samples/block.idl").returncode == 0
    before = (tmp_path / "block.h").stat().st_mtime_ns
    assert idlc("build", "--out", tmp_path, "test/idl/samples/block.idl").returncode == 0
    assert (tmp_path / "block.h").stat().st_mtime_ns == before


def test_the_system_s_own_interfaces_are_good():
    run = idlc("check", *sorted((ROOT / "idl/interfaces").glob("*.idl")))
    assert run.returncode == 0, run.stderr


def test_the_system_s_errors_and_kinds(tmp_path):
    (tmp_path / "system.idl").write_text('errors { lost = 1, /// it is "gone"\n late = 2 }\n')
    (tmp_path / "bell.idl").write_text("/// A bell. It rings.\nkernel interface bell protocol 0x5 version 1;\n1 retry ring() -> ();\n")
    assert idlc("build", "--out", tmp_path / "out", tmp_path / "system.idl", tmp_path / "bell.idl").returncode == 0
    made = {name: (tmp_path / "out/abi" / name).read_text() for name in ("error.h", "error.def", "kind.h")}
    assert '    L4_LOST = -1,  /* it is "gone" */\n    L4_LATE = -2,\n' in made["error.h"]
    assert 'E(LOST, -1, "it is \\"gone\\"")\nE(LATE, -2, "")\n' in made["error.def"]
    assert "    L4_NOTHING = 0x0,\n    L4_BELL = 0x5,  /* A bell */\n    L4_DOOR = 0xf," in made["kind.h"]
