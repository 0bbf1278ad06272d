# SPDX-License-Identifier: BSD-2-Clause
"""axo's contract: sentences, statuses, and what becomes of a guest's end."""
import contextlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pexpect
import pytest
from conftest import TOP

from axo import cli, ending, linux, packages, paths, say, size, strace


def one_sentence(text):
    return re.fullmatch(r"axo: [^\n]+\n", text) is not None


@pytest.mark.parametrize("words", [
    ["run", "--isoo"], ["run", "extra"], ["tset"], ["--verbose"], ["run", "--smp", "two"], ["run", "--smp", "0", "--no-build"],
    ["run", "--machine", "mips"], ["run", "--timeout", "0"], ["run", "--mem", "lots", "--no-build"], ["test", "--", "-d", "int"], ["help", "nothing"],
    ["run", "--ex", "true"], ["run", "--exec"], ["run", "--smp", "65", "--no-build"], ["run", "--mem", "8", "--no-build"],
    ["run", "--timeout", "soon"], ["run", "--iso", "--uefi", "--no-build"], ["bench", "--json"], ["bench", "a", "b"],
    ["bench", "kernel", "--docs", "--cpu", "max"], ["bench", "lat", "--kpti"], ["bench", "kernel", "--rows", "stat"], ["bench", "lat", "--rows", "none"],
    ["bench", "--json", "/nowhere/figures"], ["run", "--snapshot", "/nowhere/shot", "--no-build"], ["run", "--mem", "63", "--no-build"],
    ["fuzz", "--jobs", "0", "--no-build"], ["fuzz", "--calls", "-1", "--no-build"],
])
def test_a_wrong_word_is_one_sentence_and_status_2(axo, fake_build, words):
    folder = ["--build-dir", fake_build] if words[0] == "run" else []
    answer = axo(*words[:1], *folder, *words[1:])
    assert answer.returncode == 2 and answer.stdout == "" and one_sentence(answer.stderr), answer


def test_a_build_folder_that_cannot_be(axo):
    answer = axo("run", "--build-dir", "/proc/nowhere", "--exec", "true")
    assert (answer.returncode, answer.stderr) == (126, "axo: cannot build in /proc/nowhere: No such file or directory\n")


def test_a_near_miss_gets_a_hint(axo):
    assert "did you mean --uefi?" in axo("run", "--uefl").stderr
    assert "did you mean test?" in axo("tests").stderr


@pytest.mark.parametrize("name", [None, *cli.COMMANDS])
def test_help_has_examples(axo, name):
    answer = axo(*([name] if name else []), "--help")
    assert answer.returncode == 0 and "examples:\n  ./axo" in answer.stdout
    assert axo("help", *([name] if name else [])).stdout == answer.stdout


def test_one_version_number(axo):
    version = (TOP / "VERSION").read_text().strip()
    assert axo("--version").stdout == axo("run", "--version").stdout == f"axolotl {version}\n"
    assert f"## {version}" in (TOP / "CHANGELOG.md").read_text()


def fake_run(axo, folder, behaviour, *words, **settings):
    return axo("run", "--no-build", "--build-dir", folder, "--append", behaviour, *words, **settings)


def test_a_guest_that_ends_well(axo, fake_build):
    answer = fake_run(axo, fake_build, "pass", "--timeout", "20")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("boot: fake guest, command line pass\n")
    assert (fake_build / "last-boot.log").read_text() == answer.stdout


@pytest.mark.parametrize("behaviour, sentence", [
    ("fail", "axo: the guest reported a failure; its last line was: something was wrong\n"),
    ("reset", "axo: the guest reset or switched itself off; its last line was: bench: fake.one 42 instructions\n"),
    ("hang", "axo: the time ran out after 3 s; its last line was: bench: fake.one 42 instructions\n"),
])
def test_a_guest_that_does_not(axo, fake_build, behaviour, sentence):
    answer = fake_run(axo, fake_build, behaviour, "--timeout", "3" if behaviour == "hang" else "20")
    assert (answer.returncode, answer.stderr) == (125, sentence)


def test_qemu_arguments_go_through(axo, fake_build):
    answer = fake_run(axo, fake_build, "pass", "--timeout", "20", "--", "-no-such-flag")
    assert answer.returncode == 126 and "no-such-flag" in answer.stderr and one_sentence(answer.stderr)
    assert fake_run(axo, fake_build, "pass", "--timeout", "20", "--", "-name", "x").returncode == 0


@pytest.mark.parametrize("words", [["--cpu", "qemu64"], ["--smp", "2"], ["--icount"], ["--mem", "64"], ["--mem", "1G"],
                                   ["--machine", "q35"]])
def test_machines(axo, fake_build, words):
    answer = fake_run(axo, fake_build, "pass", "--timeout", "20", *words)
    assert answer.returncode == 0, answer.stderr
    if words == ["--icount"]:
        assert "command line pass icount\n" in answer.stdout


def test_without_qemu(axo, fake_build, tmp_path):
    """The packages are there, as far as dpkg knows, but not the program."""
    for program in ("/usr/bin/dpkg-query", "/usr/bin/env", "/usr/bin/id", "/usr/bin/dirname", "/usr/bin/ninja"):
        (tmp_path / Path(program).name).symlink_to(program)
    answer = fake_run(axo, fake_build, "pass", "--no-install", env=dict(os.environ, PATH=str(tmp_path)))
    assert answer.returncode == 126 and answer.stderr == "axo: qemu-system-x86_64 is not installed\n"


def test_a_root_that_is_none(axo, fake_build):
    for folder in ("/nowhere", "/etc/passwd"):
        answer = fake_run(axo, fake_build, "pass", "--root", folder)
        assert (answer.returncode, answer.stderr) == (126, f"axo: --root {folder} is no directory\n")


def hanging_run(fake_build, folder):
    """(axo, its QEMU's pid), whose guest never ends; temporary files are in `folder`."""
    run = subprocess.Popen([str(TOP / "axo"), "run", "--no-build", "--build-dir", str(fake_build), "--append", "hang"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ, TMPDIR=str(folder)))
    assert run.stdout.readline().startswith("boot: fake guest")
    child, = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    return run, int(child)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def soon(condition):
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("number, status, sentence", [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 126, "stopped by SIGTERM"),
                                                      (signal.SIGHUP, 126, "stopped by SIGHUP")])
def test_ended_by_a_signal(fake_build, tmp_path, number, status, sentence):
    """One sentence, no QEMU and no temporary file; a second signal does not cut that short."""
    run, guest = hanging_run(fake_build, tmp_path)
    assert is_running(guest) and list(tmp_path.iterdir())
    run.send_signal(number)
    time.sleep(0.02)
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate(timeout=20)
    assert (run.returncode, said) == (status, f"axo: {sentence}\n")
    assert not is_running(guest) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_qemu_ended_by_a_signal(fake_build, tmp_path, number):
    """QEMU ends itself with status 0 then, as at a guest's reset."""
    run, guest = hanging_run(fake_build, tmp_path)
    os.kill(guest, number)
    _, said = run.communicate(timeout=20)
    assert (run.returncode, said) == (126, f"axo: QEMU was ended by {number.name}\n")


def test_killed(axo, fake_build, tmp_path):
    """Nobody can put away what is killed: its QEMU dies with it, and the next axo removes its files, but none of one that lives."""
    dead, its_guest = hanging_run(fake_build, tmp_path)
    left = set(tmp_path.iterdir())
    alive, other_guest = hanging_run(fake_build, tmp_path)
    in_use = set(tmp_path.iterdir()) - left
    dead.kill()
    dead.communicate()
    assert soon(lambda: not is_running(its_guest)) and left and in_use
    (tmp_path / "axo-somebody-elses").mkdir()
    (tmp_path / "axo-abcdefgh").mkdir()         # its maker was killed before it had a lock
    assert fake_run(axo, fake_build, "pass", "--timeout", "20", env=dict(os.environ, TMPDIR=str(tmp_path))).returncode == 0
    assert set(tmp_path.iterdir()) == in_use | {tmp_path / "axo-somebody-elses"} and is_running(other_guest)
    alive.terminate()
    alive.communicate(timeout=20)


def test_makers_and_sweepers_of_temporary_folders_at_once(tmp_path):
    """A folder that its maker holds is not removed, at whatever moment others look for what the dead left."""
    text = ("import sys; sys.path.insert(0, sys.argv[1])\n"
            "from axo import scratch\n"
            "for _ in range(300):\n"
            "    with scratch.Folder() as folder:\n"
            "        (folder / 'file').write_text('x')\n"
            "        scratch.sweep(folder.parent)\n"
            "        assert (folder / 'file').read_text() == 'x'\n")
    makers = [subprocess.Popen(["/usr/bin/python3", "-c", text, str(TOP / "tools")], env=dict(os.environ, TMPDIR=str(tmp_path))) for _ in range(4)]
    assert [maker.wait(60) for maker in makers] == [0] * 4 and not list(tmp_path.iterdir())


def test_what_axo_started_ends_with_it(tmp_path):
    with pytest.raises(say.Failure), ending.session(["sh", "-c", f"trap '' TERM; sleep 300 & echo $! $$ >{tmp_path}/pids; wait"]):
        assert soon(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("\n"))
        raise say.host_failure("stopped")
    assert soon(lambda: not any(is_running(pid) for pid in (tmp_path / "pids").read_text().split()))


def test_an_unknown_cpu_is_the_hosts_failure(axo, fake_build):
    answer = fake_run(axo, fake_build, "pass", "--cpu", "pdp11")
    assert answer.returncode == 126 and one_sentence(answer.stderr)


def test_console_both_ways(axo, fake_build):
    answer = fake_run(axo, fake_build, "echo", "--timeout", "20", input="hello, console q")
    assert answer.returncode == 0 and answer.stdout.endswith("say something: hello, console q")


def test_two_runs_at_once(fake_build):
    words = [str(TOP / "axo"), "run", "--no-build", "--build-dir", str(fake_build), "--timeout", "30", "--append"]
    runs = [subprocess.Popen([*words, f"echo-{i}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for i in (1, 2)]
    for i, run in enumerate(runs, 1):
        said, _ = run.communicate(f"only for {i} q", timeout=60)
        assert run.returncode == 0 and f"command line echo-{i}\n" in said and said.endswith(f"say something: only for {i} q")
    assert re.fullmatch(r"boot: fake guest, command line echo-[12]\n.*\n", (fake_build / "last-boot.log").read_text())


def test_a_terminal_is_raw_and_restored(fake_build):
    words = ["run", "--no-build", "--build-dir", str(fake_build), "--append", "echo"]
    child = pexpect.spawn(str(TOP / "axo"), words, timeout=30, encoding="utf-8")
    child.expect_exact("Ctrl-A x leaves")
    child.expect_exact("bench: fake.one 42 instructions\r\nsay something: ")
    child.send("ab\x03c")
    child.expect_exact("ab\x03c")
    child.send("\x01x")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("words", [["--exec", "echo hi"], ["--strace"]])
def test_what_cannot_be_served_is_refused(axo, fake_build, words):
    answer = fake_run(axo, fake_build, "pass", *words)
    assert answer.returncode == 126 and one_sentence(answer.stderr) and words[0] in answer.stderr


def test_nothing_built(axo, tmp_path):
    answer = axo("run", "--no-build", "--build-dir", tmp_path)
    assert answer.returncode == 126 and one_sentence(answer.stderr)


def test_an_unknown_test_is_status_2_with_the_list(axo):
    if "AXO_NATIVE" not in os.environ:
        pytest.skip("needs a build")
    folder = os.path.dirname(os.environ["AXO_NATIVE"])
    answer = axo("test", "--no-build", "--build-dir", folder, "no-such-test")
    assert answer.returncode == 2 and one_sentence(answer.stderr) and "system" in answer.stderr


def test_packages():
    text = "# comment\n\na-b [amd64] build why\nc [!amd64] build why\nd run for this and that\n"
    assert packages.read_list(text, "amd64") == [("a-b", "build"), ("d", "run")]
    assert packages.read_list(text, "arm64") == [("c", "build"), ("d", "run")]
    assert packages.apt_line(["x", "y"]).endswith("install -y --no-install-recommends x y")


@pytest.fixture
def lacking(tmp_path):
    """An environment in which dpkg knows of no package and apt-get tells that it was called."""
    for name, body in (("dpkg-query", "exit 1"), ("apt-get", f"echo \"$@\" >> {tmp_path}/called")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    return dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}"), tmp_path / "called"


def test_no_install_forbids_installing(axo, lacking, tmp_path):
    environment, called = lacking
    answer = axo("run", "--no-install", "--build-dir", tmp_path / "b", env=environment)
    assert answer.returncode == 126 and one_sentence(answer.stderr) and not called.exists()
    assert "apt-get install -y --no-install-recommends" in answer.stderr and " cmake " in answer.stderr


def test_without_root_the_apt_line_is_said(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(packages, "missing", lambda needs: ["cmake", "gcc"])
    monkeypatch.setattr(packages, "install", lambda names: pytest.fail("installed without root"))
    with pytest.raises(say.Failure, match="as root run: apt-get update && apt-get install .* cmake gcc$") as failure:
        packages.ensure("build")
    assert failure.value.status == 126


@pytest.mark.skipif(os.geteuid() != 0, reason="runs as root only")
def test_as_root_it_installs_and_says_so(axo, lacking, tmp_path):
    environment, called = lacking
    axo("clean", "--build-dir", tmp_path / "b", env=environment)
    assert not called.exists()
    (tmp_path / "cmake").write_text("#!/bin/sh\necho error: stopped here\nexit 1\n")
    (tmp_path / "cmake").chmod(0o755)
    answer = axo("run", "--build-dir", tmp_path / "b", env=environment)
    assert answer.returncode == 126 and answer.stderr.startswith("axo: installing from Debian: ")
    assert "install --no-install-recommends" in called.read_text()


def test_bench_gathers_figures(axo, fake_build, tmp_path):
    (fake_build / "native" / "benches.txt").write_text("fake system.cpio\n")
    written = tmp_path / "figures.json"
    answer = axo("bench", "fake", "--no-build", "--build-dir", fake_build, "--json", written)
    assert answer.returncode == 0, answer.stderr
    same = {"value": 42, "unit": "instructions", "system": "axolotl"}
    assert json.loads(written.read_text()) == [{"id": "fake.one", "cpu": "max", **same}, {"id": "fake.one.qemu64", "cpu": "qemu64", **same}]
    assert re.search(r"^fake\.one +42 +42$", answer.stdout, re.M), answer.stdout
    assert axo("bench", "none", "--no-build", "--build-dir", fake_build).returncode == 2


def test_size_finds_what_is_too_large():
    small = {TOP / "kernel" / f"{i}.c": 400 for i in range(11)}
    assert size.verdict(small) is None
    assert "over 4600" in size.verdict(small | {TOP / "kernel" / "12.c": 201})
    assert "over 5000" in size.verdict(small | {TOP / "kernel" / f"{n}.c": 400 for n in range(12, 14)})
    assert "large.c" in size.verdict({TOP / "kernel" / "large.c": 401})


def test_how_long_functions_are():
    text = "static int one(void) { return 1; }\nint two(int a,\n        int b)\n{\n    return g(a);\n}\nstruct s {\n    int (*f)(int);\n};\n" \
           "int later(void);\nstatic const int t[] = {\n    f(1),\n};\nstruct s *three(void)\n{\n}\n"
    assert size.functions(text) == {"one": 1, "two": 5, "three": 3}
    assert size.function_verdict({("a.c", "f"): 3, ("a.c", "g"): 14})[1] is None
    assert "has 15 lines" in size.function_verdict({("a.c", "f"): 15, ("b.c", "f"): 15})[1]


def test_cloc_counts_every_kind_of_file():
    files = [TOP / "kernel" / "include" / "abi" / name for name in ("boot.h", "types.h")]
    files.append(TOP / "kernel" / "arch" / "x86_64" / "kernel.ld")
    assert all(size.count(files).values())


def test_much_typed_input_comes_back_whole(axo, fake_build):
    typed = "".join(f"line {i}\n" for i in range(3000)) + "q"
    answer = fake_run(axo, fake_build, "echo", "--timeout", "60", input=typed)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.endswith("say something: " + typed)


def test_typing_at_a_deaf_guest(axo, fake_build):
    answer = fake_run(axo, fake_build, "hang", "--timeout", "3", input="x" * 1000000)
    assert answer.returncode == 125 and "the time ran out" in answer.stderr


def test_without_standard_input(fake_build):
    words = [str(TOP / "axo"), "run", "--no-build", "--build-dir", str(fake_build), "--append", "pass", "--timeout", "20"]
    answer = subprocess.run(["sh", "-c", 'exec 0<&-; exec "$@"', "sh", *words], capture_output=True, text=True, timeout=60)
    assert (answer.returncode, answer.stderr) == (0, "")


def command_lines():
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield (folder / "cmdline").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_qemu_is_left_behind(fake_build, number):
    name = f"axo-orphan-{os.getpid()}-{int(number)}"
    run = subprocess.Popen([str(TOP / "axo"), "run", "--no-build", "--build-dir", str(fake_build), "--append", "hang",
                            "--", "-name", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True)
    assert run.stdout.readline().startswith("boot: fake guest")
    run.send_signal(number)
    _, said = run.communicate(timeout=20)
    assert number == signal.SIGKILL or (run.returncode == 126 and said == "axo: stopped by SIGTERM\n")
    deadline = time.monotonic() + 10
    while any(name.encode() in words for words in command_lines()):
        assert time.monotonic() < deadline, "QEMU runs on"
        time.sleep(0.05)


def test_a_trace_is_parted_from_the_log():
    """However the bytes come, a line of the trace is whole, and nothing of the log is lost or held back."""
    log = b"keeper: a line\n[pid 1] brk(NULL) = 0x1\n[pine\r\n[pid 22] close(3) = 0\nno end"
    for step in (1, 2, 3, 7, 100):
        read_end, write_end = os.pipe()
        rest = bytearray()
        trace = strace.Trace(write_end, rest.extend)
        for at in range(0, len(log), step):
            trace(log[at:at + step])
        trace.close()
        with os.fdopen(read_end, "rb") as reader:
            assert reader.read() == b"[pid 1] brk(NULL) = 0x1\n[pid 22] close(3) = 0\n"
        assert rest == b"keeper: a line\n[pine\r\nno end"


def test_a_trace_waits_for_the_programs_line():
    read_end, write_end = os.pipe()
    trace = strace.Trace(None, err=write_end)
    for said, call in ((b"no end", b"[pid 1] one\n"), (b" yet\n", b"[pid 1] two\n"), (b"last", b"[pid 1] three\n")):
        os.write(write_end, said)
        trace.wrote(said)
        trace(call)
    trace.close()
    os.close(write_end)
    with os.fdopen(read_end, "rb") as reader:
        assert reader.read() == b"no end yet\n[pid 1] one\n[pid 1] two\nlast\n[pid 1] three\n"


def test_linux_gets_its_first_program_in_a_fresh_build_folder(tmp_path):
    program = linux.first_program(paths.Build(tmp_path / "fresh"))
    assert program.read_bytes().startswith(b"\x7fELF")
    with pytest.raises(say.Failure, match="^false failed: it does not say why$"):
        linux.must(["false"])
