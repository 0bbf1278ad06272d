# SPDX-License-Identifier: BSD-2-Clause
"""`./axo run` on a terminal: prompt, line editing, keys that signal, job control, full-screen programs, the end; the same dialogues on
Linux; drivers and servers that die meanwhile."""
import os
import re
import signal
import subprocess
import termios
import time
from pathlib import Path

import pexpect
import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["AXO_NATIVE"]).parent
AXO = [str(TOP / "axo"), "run", "--no-build", "--no-install", "--build-dir", str(BUILD)]
SIZE = (31, 97)
PROMPT = "ready> "
PATIENCE = 60
ASKS_WHERE = "\x1b[6n"              # ash asks the terminal where its cursor is, which nobody answers here


class Person:
    """Somebody at a shell. `say` types and waits for what is to be seen then; `shown` is all since the last prompt was."""

    def __init__(self, words, cwd=None, size=SIZE):
        environment = {"PATH": os.environ["PATH"], "TERM": "vt100", "HOME": "/root"}
        self.child = pexpect.spawn(words[0], words[1:], dimensions=size, timeout=PATIENCE, encoding="latin-1", echo=True, cwd=cwd,
                                   env=environment)
        self.child.delaybeforesend = None
        self.child.expect_exact("# ")
        self.before_prompt = self.child.before
        self.say(f"PS1='{PROMPT[:3]}''{PROMPT[3:]}'\r")

    def say(self, keys, until=PROMPT):
        self.child.send(keys)
        self.child.expect_exact(until)
        return (self.child.before + self.child.after).replace(ASKS_WHERE, "")

    def run(self, command):
        """What a command shows."""
        shown = self.say(command + "\r")
        return shown.partition("\r\n")[2].removesuffix(PROMPT)

    def leave(self, keys):
        self.child.send(keys)
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


def linux_person(tmp_path):
    (tmp_path / "sh").symlink_to("/bin/busybox")
    return Person([str(tmp_path / "sh")], cwd="/")


@pytest.fixture(scope="module")
def person():
    person = Person(AXO)
    yield person
    person.child.close(force=True)


# (keys, what is to be seen before the next keys are typed)
DIALOGUES = {
    "editing at the prompt": [("echo hellp\x7fo\r", PROMPT), ("nonsense\x15echo again\r", PROMPT), ("echo one two\x17three\r", PROMPT),
                              ("echo ac\x1b[Db\r", PROMPT), ("\x1b[A\r", PROMPT)],
    "editing in a program": [("cat\r", "\r\n"), ("lime\x7f\x7fne\r", "line\r\n"), ("gone\x15kept\r", "kept\r\nkept\r\n"),
                             ("one two\x17three\r", "one three\r\n"), ("a\x16\x03b\r", "b\r\n"), ("half\x12", "half\r\nhalf"),
                             ("\r", "half\r\n"), ("end\x04", "endend"), ("\x04", PROMPT)],
    "^C": [("sleep 100\r", "\r\n"), ("\x03", PROMPT), ("echo $?\r", PROMPT), ("half a line\x03", PROMPT), ("cat\r", "\r\n"),
           ("typed\x03", PROMPT)],
    "^\\": [("ulimit -c 0\r", PROMPT), ("sleep 100\r", "\r\n"), ("\x1c", PROMPT), ("echo $?\r", PROMPT)],
    "^Z and fg": [("sleep 100\r", "\r\n"), ("\x1a", PROMPT), ("jobs\r", PROMPT), ("fg\r", "sleep 100\r\n"), ("\x1a", PROMPT),
                  ("bg\r", PROMPT), ("jobs\r", PROMPT), ("kill %1\r", PROMPT), ("wait\r", PROMPT)],
    "^Z of a pipeline": [("cat | cat\r", "\r\n"), ("x\r", "x\r\nx\r\n"), ("\x1a", PROMPT), ("fg\r", "cat\r\n"), ("y\r", "y\r\ny\r\n"),
                         ("\x04", PROMPT)],
    "reading in the background": [("cat &\r", PROMPT), ("sleep 0.3\r", PROMPT), ("jobs | sed 's/  */ /g'\r", PROMPT), ("kill -9 %1\r", PROMPT),
                                  ("wait %1; echo $?\r", PROMPT)],
    "writing in the background": [("stty tostop\r", PROMPT), ("echo background &\r", PROMPT), ("sleep 0.3\r", PROMPT), ("jobs | cut -c 1-30\r", PROMPT),
                                  ("stty -tostop\r", PROMPT), ("fg\r", PROMPT)],
    "a pipeline in the background": [("seq 1 5 | sort -rn > /dev/null &\r", PROMPT), ("wait; echo $?\r", PROMPT)],
    "no echo": [("stty -echo; read word; stty echo; echo got $word\r", "\r\n"), ("secret\r", PROMPT)],
    "one key": [("read -n 1 key; echo \" $key\"\r", "\r\n"), ("q", PROMPT)],
    "raw reads that time out": [("stty -icanon min 0 time 3; dd bs=9 count=1 2>/dev/null | wc -c; stty icanon min 1 time 0\r", PROMPT)],
    "raw reads that wait for several": [("stty -icanon min 3; dd bs=9 count=1 2>/dev/null; stty icanon min 1; echo\r", "\r\n"), ("a", "a"), ("b", "b"),
                                        ("c", PROMPT)],
    "who has the terminal": [("setsid -w cat /dev/tty\r", PROMPT), ("(trap '' TTIN; cat) &\r", PROMPT), ("sleep 0.3; wait\r", PROMPT)],
    "window": [("stty size\r", PROMPT)],
    "a trap": [("trap 'echo trapped' INT; sleep 1\r", "\r\n"), ("\x03", PROMPT), ("trap - INT\r", PROMPT)],
}


def hold(person, dialogue):
    person.say("cd /tmp; set +o history; clear\r")
    return [person.say(keys, until) for keys, until in dialogue]


def settled(shown):
    """Numbers of processes are not the same twice."""
    return [re.sub(r"\b\d{3,}\b|(?<=\] )\d+", "N", text) for text in shown]


@pytest.mark.parametrize("name", DIALOGUES)
def test_as_on_linux(person, name, tmp_path):
    there = linux_person(tmp_path)
    try:
        want = hold(there, DIALOGUES[name])
    finally:
        there.child.close(force=True)
    assert settled(hold(person, DIALOGUES[name])) == settled(want)


def test_how_to_leave_is_said_before_the_prompt(person):
    assert re.search(r"axo: .*Ctrl-A x leaves", person.before_prompt)
    assert "can't access tty" not in person.before_prompt


def test_vi(person):
    person.say("rm -f /tmp/text; vi /tmp/text\r", "~")
    person.say("ifirst line\rsecond lime", "lime")
    person.say("\x7f\x7fne\x1b", "second line")
    person.say(":wq\r")
    assert person.run("cat /tmp/text") == "first line\r\nsecond line\r\n"


def test_less_and_top(person):
    person.say("seq 1 100 | less\r", "30\r\n")
    person.say(" ", "60\r\n")
    person.say("q")
    person.say("top\r", "COMMAND")
    person.say("q")


def test_a_window_that_changes(person):
    person.say("trap 'echo it changed' WINCH\r")
    person.child.setwinsize(40, 120)
    time.sleep(1)
    assert "it changed" in person.say("\r") + person.run("true")
    person.run("trap - WINCH")
    assert person.run("stty size") == "40 120\r\n"
    person.child.setwinsize(*SIZE)
    time.sleep(1)
    person.say("\r")
    assert person.run("stty size") == f"{SIZE[0]} {SIZE[1]}\r\n"


@pytest.mark.parametrize("victim", ["serial", "tty", "vfs", "pm"])
def test_somebody_dies_while_a_person_types(person, victim):
    """Nothing is to be seen of it; of the serial driver, at most a byte repeated."""
    kinds = ["exit", "null"]
    for kind in kinds * 2:
        assert person.run(f"service kill {victim} {kind}; echo alive") == "alive\r\n"
        assert person.run("echo still here | tr a-z A-Z") == "STILL HERE\r\n"
    person.say("cat\r", "\r\n")
    for number in range(3):
        person.say(f"line {number}\r", f"line {number}\r\nline {number}\r\n")
    person.say("\x1a")
    person.run(f"service kill {victim} exit")
    person.say("fg\r", "cat\r\n")
    person.say("and on\r", "and on\r\nand on\r\n")
    person.say("\x04")


@pytest.mark.parametrize("victim", ["serial", "tty"])
def test_a_program_that_waits_while_they_die(person, victim):
    """The reads of cat and of vi are under way when they are cut off."""
    person.say(f"(for i in 1 2 3 4; do service kill {victim} exit; sleep 0.2; done) & cat\r", "\r\n")
    time.sleep(0.5)
    for word in ("one", "two", "three"):
        person.say(f"{word}\r", f"{word}\r\n{word}\r\n")
        time.sleep(0.3)
    person.say("\x04")
    person.say("wait; true\r")
    person.say("rm -f /tmp/under; (sleep 0.5; for i in 1 2 3; do service kill " + victim + " exit; sleep 0.2; done) & vi /tmp/under\r", "~")
    person.say("ityped while it dies", "dies")
    time.sleep(1)
    person.say(" again\x1b", "again")
    person.say(":wq\r")
    assert person.run("wait; cat /tmp/under") == "typed while it dies again\r\n"


def test_the_host_sees_the_kills(person):
    counted = dict(line.split()[::4][:2] for line in person.run("service list").splitlines()[1:])
    assert int(counted["serial"]) >= 12 and int(counted["tty"]) >= 12


# ---- the end ----
@pytest.mark.parametrize("keys, status", [("exit 7\r", 7), ("false\r\x04", 1), ("\x04", 0), ("\x01x", 0)])
def test_the_end(keys, status):
    assert Person(AXO).leave(keys) == status


class Screen:
    """A terminal of one's own, to see what is left of it."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        self.modes = termios.tcgetattr(self.slave)

    def start(self):
        run = subprocess.Popen(AXO, stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True)
        seen, end = b"", time.monotonic() + PATIENCE
        while b"/ # " not in seen and time.monotonic() < end:
            seen += os.read(self.master, 4096)
        assert termios.tcgetattr(self.slave) != self.modes
        return run

    def after(self, run):
        return run.wait(PATIENCE), termios.tcgetattr(self.slave) == self.modes


def test_the_terminal_after_SIGTERM():
    screen = Screen()
    run = screen.start()
    run.terminate()
    assert screen.after(run) == (126, True)


def test_the_terminal_after_QEMU_died():
    screen = Screen()
    run = screen.start()
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    assert children and screen.after(run) == (126, True)


# ---- without a terminal ----
@pytest.mark.parametrize("text, status, seen", [(b"", 0, b"# "), (b"echo $((6*7)); exit 5\n", 5, b"\n42\r\n"), (b"cat\nwords\n", 0, b"words\r\nwords\r\n"),
                                                (b"sleep 1; echo late", 0, b"late\r\n"), (b"tr a b\n\xff\x80a\n", 0, b"\xff\x80b\r\n")])
def test_without_a_terminal(text, status, seen):
    run = subprocess.run(AXO, input=text, stdout=subprocess.PIPE, timeout=2 * PATIENCE)
    assert run.returncode == status and seen in run.stdout
