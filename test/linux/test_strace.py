# SPDX-License-Identifier: BSD-2-Clause
"""`axo run --strace`: what a program asks the kernel for, in strace's manner, beside its own output, which stays as it is."""
import re

from test_linux import axolotl

CALL = re.compile(rb"\[pid (\d+)\] (.*)")


def parted(err):
    """([(pid, line)] of the trace, what is the program's own)"""
    lines = err.splitlines(keepends=True)
    calls = [CALL.fullmatch(line.rstrip(b"\n")) for line in lines]
    return ([(int(call[1]), call[2].decode()) for call in calls if call],
            b"".join(line for line, call in zip(lines, calls) if not call))


def in_order(lines, wanted):
    """Each wanted line, as a regular expression, in this order among the lines."""
    rest = iter(lines)
    for pattern in wanted:
        assert any(re.fullmatch(pattern, line) for line in rest), f"{pattern} is not, or not in this order, among\n" + "\n".join(lines)


def test_a_program_from_start_to_end():
    out, err, status = axolotl("busybox echo hi", flags=("--strace",))
    calls, own = parted(err)
    assert (out, own, status) == (b"hi\n", b"", 0)
    assert {pid for pid, _ in calls} == {1}
    in_order([line for _, line in calls], [
        r'execve\("/bin/sh", \["/bin/sh", "-c", "busybox echo hi"\]\) = 0',
        r'brk\(NULL\) = 0x[0-9a-f]+',
        r'arch_prctl\(ARCH_SET_FS, 0x[0-9a-f]+\) = 0',
        r'readlink\("/proc/self/exe", "/bin/busybox", 4096\) = 12',
        r'execve\("/proc/self/exe", \["busybox", "echo", "hi"\], 0x[0-9a-f]+ /\* \d+ vars \*/\) = 0',
        r'mprotect\(0x[0-9a-f]+, \d+, PROT_READ\) = 0',
        r'write\(1, "hi\\n", 3\) = 3',
        r'exit_group\(0\) = \?',
        r'\+\+\+ exited with 0 \+\+\+',
    ])


def test_children_signals_and_errors():
    out, err, status = axolotl("(exit 3); ls /nowhere; trap 'echo caught' USR1; kill -USR1 $$; (sh -c 'kill -9 $$'); exit 5",
                               flags=("--strace",))
    calls, own = parted(err)
    assert (out, own, status) == (b"caught\n", b"ls: /nowhere: No such file or directory\nKilled\n", 5)
    first = [line for pid, line in calls if pid == 1]
    in_order(first, [
        r"clone\(CLONE_CHILD_CLEARTID\|CLONE_CHILD_SETTID\|SIGCHLD, NULL, .*\) = 2",
        r"--- SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=2, si_uid=0, si_status=3\} ---",
        r"wait4\(-1, \[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == 3\}\], 0, NULL\) = 2",
        r"rt_sigaction\(SIGUSR1, \{sa_handler=0x[0-9a-f]+, sa_mask=~\[RTMIN RT_1\], sa_flags=SA_RESTORER, sa_restorer=0x[0-9a-f]+\}, NULL, 8\) = 0",
        r"kill\(1, SIGUSR1\) = 0",
        r"--- SIGUSR1 \{si_signo=SIGUSR1, si_code=SI_USER, si_pid=1, si_uid=0\} ---",
        r'write\(1, "caught\\n", 7\) = 7',
        r"exit_group\(5\) = \?",
        r"\+\+\+ exited with 5 \+\+\+",
    ])
    assert [line for pid, line in calls if pid == 2][-2:] == ["exit_group(3) = ?", "+++ exited with 3 +++"]
    assert 'newfstatat(AT_FDCWD, "/nowhere", ' in err.decode() and "= -1 ENOENT (No such file or directory)" in err.decode()


def test_a_line_of_the_programs_own_stays_whole():
    _, err, _ = axolotl("printf begun >&2; true; (:); echo ' and ended' >&2", flags=("--strace",))
    _, own = parted(err)
    assert own == b"begun and ended\n"


def test_into_a_file(tmp_path):
    file = tmp_path / "calls"
    out, err, status = axolotl("echo out; echo err >&2; exit 4", flags=(f"--strace={file}",))
    assert (out, err, status) == (b"out\n", b"err\n", 4)
    calls, own = parted(file.read_bytes())
    assert own == b"" and calls[-1] == (1, "+++ exited with 4 +++") and (1, 'write(1, "err\\n", 4) = 4') in calls


def test_a_file_that_cannot_be_written():
    out, err, status = axolotl("echo hi", flags=("--strace=/nowhere/calls",))
    assert (out, status) == (b"", 2) and err == b"axo: --strace: cannot write /nowhere/calls: No such file or directory\n"


def test_without_the_flag_nothing_is_traced():
    assert axolotl("echo hi") == (b"hi\n", b"", 0)
