# SPDX-License-Identifier: BSD-2-Clause
"""Debian's unmodified static busybox on Axolotl, by `axo run --exec`: output and status byte-exact, the same as the host's Linux, and
not changed by drivers and servers that are killed meanwhile."""
import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["AXO_NATIVE"]).parent
OWN_FOLDER = "own=$(mktemp -d); cd $own; "      # whatever else the host keeps in /tmp


def words_of(command, flags=()):
    return [TOP / "axo", "run", "--no-build", "--no-install", "--build-dir", BUILD, *flags, "--exec", command]


def axolotl(command, stdin=b"", flags=()):
    words = words_of(command, flags)
    run = subprocess.run(words, input=stdin, capture_output=True, timeout=150)
    return run.stdout, run.stderr, run.returncode


def linux(command, stdin=b""):
    run = subprocess.run(["/bin/busybox", "sh", "-c", command], input=stdin, capture_output=True, timeout=60)
    return run.stdout, run.stderr, run.returncode


@pytest.mark.parametrize("command", [
    "echo hi",
    "echo out; echo err >&2; exit 7",
    "seq 1 100 | sort -rn | head -3",
    "for i in 1 2 3; do (exit $i); echo $?; done",
    "trap 'echo caught' USR1; kill -USR1 $$; echo after",
    OWN_FOLDER + "mkdir d && echo x > d/f && cat d/f && mv d/f d/g && ls d && rm -r d && ls d; rm -r $own",
    OWN_FOLDER + "echo a > f; echo b > g; echo c > f; cat f g; : > g; wc -c f g; rm -r $own",
    "sleep 0.1 & wait $!; echo $?",
    "cat; wc -c < /dev/null",
    "echo before; kill -9 $$",
    "true",
    "exit 3",
    "kill -9 $$",
    "readlink /proc/self/exe | sed s,^/usr,,",
], ids=range(14))
def test_as_on_linux(command):
    out, err, status = axolotl(command, b"typed\n")
    want_out, want_err, want_status = linux(command, b"typed\n")
    assert (out, status) == (want_out, want_status if want_status >= 0 else 128 - want_status)
    assert err.count(b"\n") == want_err.count(b"\n")


@pytest.mark.parametrize("order, said", [
    ("show nosuch", "there is no service nosuch"),
    ("up vm", "up vm: it is up already, or too many orders are under way"),
    ("restart snapshot", "restart snapshot: it is down, or too many orders are under way"),
    ("update ds nosuch", "update ds: the boot archive has no such program, or too many orders are under way"),
])
def test_a_refused_order_says_why(order, said):
    out, err, status = axolotl(f"service {order}")
    assert (out, err.decode()) == (b"", f"service: {said}\n") and status == 1


def left_alone(words):
    """(first line, standard error, status) of a program whose output nobody reads behind its first line."""
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        line = run.stdout.readline()
        run.stdout.close()
        return line, run.stderr.read(), 128 - run.wait(150) if run.wait(150) < 0 else run.returncode


@pytest.mark.parametrize("command", ["yes", "seq 1 300000; echo $? >&2", "trap '' PIPE; seq 1 300000; echo $? >&2", "yes | head -1; exit 5"], ids=range(4))
def test_a_reader_that_leaves(command):
    """As `axo run --exec yes | head -1` has it: who writes on gets SIGPIPE, or EPIPE, and everybody else goes on."""
    assert left_alone(words_of(command)) == left_alone(["/bin/busybox", "sh", "-c", command])


def test_a_full_disk():
    with open("/dev/full", "wb") as full:
        run = subprocess.run(words_of("echo hi; sleep 100"), stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert (run.returncode, run.stderr) == (126, b"axo: cannot write standard output: No space left on device\n")


def test_started_without_standard_output():
    run = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *words_of("echo hi; echo said >&2; exit 3")], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         timeout=60)
    assert (run.returncode, run.stderr) == (3, b"said\n")


def test_a_wrong_word_for_service():
    out, err, status = axolotl("service kill serial frob; echo $?; service kill nobody exit; echo $?")
    assert (out, status) == (b"2\n1\n", 0)
    assert err == (b"service: kill serial: frob is no way to die; there are exit, null, loop and port\n"
                   b"service: kill nobody: there is no such service\n")


@pytest.mark.parametrize("flags", [("--cpu", "qemu64"), ("--machine", "q35")], ids=lambda flags: flags[-1])
def test_ways_to_start(flags):
    assert axolotl("echo hi", flags=flags) == (b"hi\n", b"", 0)


def test_a_pipeline_while_its_driver_dies():
    """The driver through which the output passes is killed again and again while it does."""
    killer = "(for i in 1 2 3 4 5; do for how in exit null loop port; do service kill serial $how; sleep 0.1; done; done) >/dev/null 2>&1 & "
    out, _, status = axolotl(killer + "seq 1 20000 | sort -rn")
    want = b"".join(b"%d\n" % n for n in range(20000, 0, -1))
    assert len(out) == 108894 and out == want and status == 0
