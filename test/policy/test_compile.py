# SPDX-License-Identifier: BSD-2-Clause
"""The policy compiler: each of its messages, with the line it names; and the table it writes."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "personality" / "policy"
DEFAULT = TOP / "bootstrap" / "manifest" / "systems" / "default.manifest"
sys.path.insert(0, str(FOLDER))

import compile as policy  # noqa: E402

VISITOR = "service visitor\n    priority 20\n    memory 256K\n    door tmpfs W\n"


@pytest.fixture
def manifest(tmp_path):
    file = tmp_path / "a.manifest"
    file.write_text(DEFAULT.read_text() + (FOLDER / "policy.manifest").read_text() + VISITOR)
    return file


def compiled(manifest, text, service="policy"):
    file = manifest.parent / "a.policy"
    file.write_text(text)
    return policy.compile_files(manifest, service, file)


# what is wrong, in which line, in which words, and a word of the fix
CASES = [
    ("allow write vfs\n", 1, "`allow` is no verdict", "refuse METHOD CALLER"),
    ("pass write\n", 1, "`pass write` says not of whom", "`*` is everybody"),
    ("pass write vfs access\npass * *\n", 1, "I did not expect `access` behind a `pass`", "leave it out"),
    ("refuse write vfs access now\n", 1, "I did not expect `now`", "METHOD CALLER [ERROR]"),
    ("# a comment\n\nrefuse wryte vfs\n", 3, "`tmpfs` has no method `wryte`", "unlink, write"),
    ("refuse vfs.read *\n", 1, "`tmpfs` serves no interface `vfs`", "interfaces: fs"),
    ("refuse .* *\n", 1, "`.*` without an interface", "INTERFACE.*"),
    ("refuse write pm\n", 1, "`pm` has no door to `tmpfs`", "*, vfs, visitor"),
    ("refuse write processes\n", 1, "no process has a door to `tmpfs`", "pm, vfs, vm"),
    ("refuse write vfs nonsense\n", 1, "there is no error `nonsense`", "access"),
    ("refuse write vfs pending\n", 1, "there is no error `pending`", "refused"),
    ("refuse write * " + "x" * 60 + "\n", 1, "the rule has 75 characters", "at most 63"),
    ("refuse write vfs\n", 1, "nothing is said of a message that no line fits", "refuse * *"),
    ("refuse * vfs\n", 1, "nothing is said of a message that no line fits", "pass * *"),
    ("\n", 1, "nothing is said of a message that no line fits", "pass * *"),
    ("refuse fs.* vfs\nrefuse write vfs\npass * *\n", 2, "never decides: line 1, `refuse fs.* vfs`, fits first", "above that one"),
    ("pass * *\nrefuse write vfs\n", 2, "never decides: line 1, `pass * *`, fits first", "leave it out"),
]


@pytest.mark.parametrize("text, line, what, fix", CASES, ids=[case[2][:40] for case in CASES])
def test_message(manifest, text, line, what, fix):
    _, problems = compiled(manifest, text)
    assert problems, "nothing was found"
    first = problems[0]
    assert (first.line, what in first.what, fix in first.fix) == (line, True, True), str(first)
    assert re.match(r".*a\.policy:\d+: .*\n    fix: ", str(first))


def test_too_many(manifest, monkeypatch):
    monkeypatch.setattr(policy, "RULES_MOST", 2)
    _, problems = compiled(manifest, "refuse write vfs\nrefuse link vfs\npass * *\n")
    assert [(p.line, p.what) for p in problems] == [(3, "there are more than 2 rules")]


@pytest.mark.parametrize("service, what", [("nobody", "there is no service `nobody`"), ("vfs", "`vfs` monitors nobody")])
def test_no_monitor(manifest, service, what):
    _, problems = compiled(manifest, "pass * *\n", service)
    assert problems[0].what == what and problems[0].path == str(manifest)


def test_a_wrong_manifest_is_told_first(manifest):
    manifest.write_text(manifest.read_text() + "    monitors nobody\n")
    _, problems = compiled(manifest, "nonsense\n")
    assert "there is no service `nobody`" in problems[0].what


def test_an_ambiguous_method(tmp_path):
    """vm serves two interfaces; of each libl4's own methods go by the interface's name."""
    file = tmp_path / "a.manifest"
    file.write_text(DEFAULT.read_text() + (FOLDER / "policy.manifest").read_text().replace("tmpfs", "vm").replace("priority 36", "priority 50"))
    _, problems = compiled(file, "refuse cancel *\npass * *\n")
    assert "several interfaces of `vm` have a method `cancel`" in problems[0].what and "pager.cancel, vm.cancel" in problems[0].fix
    done, problems = compiled(file, "refuse vm.cancel processes\nrefuse pager.* tmpfs\npass * *\n")
    assert not problems
    assert [(r.method, r.mask, r.first, r.last) for r in done.rules[:2]] == [(0x201f2, 0xffffffff, 16, 127), (0xa00, 0xffffff00, 0, 0)]


def test_a_caller_with_two_doors(manifest):
    """A rule of it is one of each of its doors."""
    manifest.write_text(manifest.read_text() + "    door tmpfs W as second\n")
    done, problems = compiled(manifest, "refuse write visitor\npass * *\n")
    assert not problems
    assert [(r.line, r.first, r.last) for r in done.rules] == [(1, 1, 1), (1, 2, 2), (2, 0, 0xffff)]


def test_rules(manifest):
    done, problems = compiled(manifest, "refuse write vfs access\nrefuse fs.read visitor\n# and then\npass * visitor\nrefuse * *  no_right\n")
    assert not problems
    assert [(r.line, r.method, r.mask, r.first, r.last, r.error) for r in done.rules] == [
        (1, 0x22014, 0xffffffff, 0, 0, 13), (2, 0x22003, 0xffffffff, 1, 1, -46), (4, 0, 0, 1, 1, 0), (5, 0, 0, 0, 0xffff, -34)]
    text = policy.table(done, "a.policy")
    assert '{ 0x22014, 0xffffffff, 0, 0, 13, 1, "refuse write vfs access" },' in text and '"tmpfs", 4, rules' in text


def test_the_number_of_a_policy_follows_what_it_says(manifest):
    def number(text):
        return re.search(r"policy = \{ (0x[0-9a-f]+),", policy.table(compiled(manifest, text)[0], "a"))[1]
    assert number("pass * *\n") == number("pass  *  *   # everything\n") != number("refuse * *\n")


def test_command(manifest, tmp_path):
    (tmp_path / "bad.policy").write_text("allow\n")
    run = subprocess.run([sys.executable, FOLDER / "compile.py", manifest, "policy", tmp_path / "bad.policy", tmp_path / "out.c"], capture_output=True, text=True)
    assert run.returncode == 1 and run.stderr.startswith(f"{tmp_path}/bad.policy:1: ") and not (tmp_path / "out.c").exists()
    run = subprocess.run([sys.executable, FOLDER / "compile.py", manifest, "policy", tmp_path / "none.policy"], capture_output=True, text=True)
    assert run.returncode == 1 and "none.policy: cannot be read: No such file" in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize("page", [TOP / "docs" / "hooks.md", FOLDER / "README.md"], ids=["hooks", "readme"])
def test_policies_of_the_pages(manifest, page):
    """A block that ends with what fits everything is a policy, and a good one."""
    blocks = [block for block in re.findall(r"```\n(.*?)```", page.read_text(), re.S) if re.search(r"^pass +\* +\*$", block, re.M)]
    assert len(blocks) == 1
    done, problems = compiled(manifest, blocks[0])
    assert not problems and len(done.rules) > 2
