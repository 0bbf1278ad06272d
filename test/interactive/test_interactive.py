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
NEXT = "\n" + PROMPT               # not where ash draws the line again
PATIENCE = int(os.environ.get("AXO_PATIENCE", "60"))
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

    def say(self, keys, until=NEXT):
        self.waits = True
        self.child.send(keys)
        self.child.expect_exact(until)
        self.waits = until not in (PROMPT, NEXT)
        return (self.child.before + self.child.after).replace(ASKS_WHERE, "")

    def type(self, keys):
        """For programs that draw: what they show for it depends on how fast it comes."""
        self.child.send(keys)
        time.sleep(1)

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
def people():
    people = []
    yield people
    for person in people:
        person.child.close(force=True)


@pytest.fixture
def person(people):
    """Somebody in front of Axolotl, the same for all tests as long as the last one came to its end."""
    if not people or people[-1].waits:
        people.append(Person(AXO))
    return people[-1]


def job(command):
    """It says `go` when it is in front and the shell's own line editing is over, so that what is typed then reaches it."""
    return f"sh -c 'echo go; exec {command}'\r", "go\r\n"


# (keys, what is to be seen before the next keys are typed)
DIALOGUES = {
    "editing at the prompt": [("echo hellp\x7fo\r", NEXT), ("nonsense\x15echo again\r", NEXT), ("echo one two\x17three\r", NEXT),
                              ("echo ac\x1b[Db\r", NEXT), ("\x1b[A\r", NEXT)],
    "editing in a program": [job("cat"), ("lime\x7f\x7fne\r", "line\r\n"), ("gone\x15kept\r", "kept\r\nkept\r\n"),
                             ("one two\x17three\r", "one three\r\n"), ("a\x16\x03b\r", "b\r\n"), ("half\x12", "^R\r\nhalf"),
                             ("\r", "half\r\n"), ("end\x04", "endend"), ("\x04", PROMPT)],
    "^C": [job("sleep 100"), ("\x03", NEXT), ("echo $?\r", NEXT), ("half a line\x03", NEXT), job("cat"), ("typed\x03", NEXT)],
    "^\\": [("ulimit -c 0\r", NEXT), job("sleep 100"), ("\x1c", NEXT), ("echo $?\r", NEXT)],
    "^Z and fg": [job("cat"), ("x\r", "x\r\nx\r\n"), ("\x1a", NEXT), ("jobs\r", NEXT), ("fg\r", 'cat"\r\n'), ("y\r", "y\r\ny\r\n"),
                  ("\x04", PROMPT)],
    "^Z and bg": [job("sleep 100"), ("\x1a", NEXT), ("bg\r", NEXT), ("jobs\r", NEXT), ("kill %1; sleep 0.5\r", NEXT)],
    "^Z of a pipeline": [("seq 2 | sh -c 'cat; echo go; exec sleep 100'\r", "go\r\n"), ("\x1a", NEXT), ("jobs\r", NEXT),
                         ("kill -9 %1; sleep 0.5\r", NEXT)],
    "reading in the background": [("cat &\r", NEXT), ("sleep 0.5\r", NEXT), ("jobs\r", NEXT), ("kill -9 %1; sleep 0.5\r", NEXT)],
    "writing in the background": [("stty tostop\r", NEXT), ("echo background &\r", NEXT), ("sleep 0.5\r", NEXT), ("jobs\r", NEXT),
                                  ("stty -tostop\r", NEXT), ("fg\r", NEXT)],
    "a pipeline in the background": [("seq 1 5 | sort -rn > /dev/null & wait; echo $?\r", NEXT)],
    "no echo": [("stty -echo; echo go; read word; stty echo; echo got $word\r", "go\r\n"), ("secret\r", NEXT)],
    "raw reads that time out": [("stty -icanon min 0 time 3; dd bs=9 count=1 2>/dev/null | wc -c; stty icanon min 1 time 0\r", NEXT)],
    "raw reads that wait for several": [("stty -icanon min 3; echo go; dd bs=9 count=1 2>/dev/null; stty icanon min 1; echo\r", "go\r\n"),
                                        ("a", "a"), ("b", "b"), ("c", NEXT)],
    "a session without a terminal": [("setsid -w cat /dev/tty\r", NEXT)],
    "deaf in the background": [("(trap '' TTIN; cat; echo $?) & wait\r", NEXT)],
    "a trap": [("trap 'echo trapped' INT\r", NEXT), job("sleep 100"), ("\x03", NEXT), ("trap - INT\r", NEXT)],
    "the window": [("stty size\r", NEXT)],
}


def hold(person, dialogue, before="true"):
    person.say(f"cd /tmp; {before}\r")
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
    fresh = "export PS1; exec sh"           # a shell that has no jobs yet
    assert settled(hold(person, DIALOGUES[name], fresh)) == settled(want)


def test_how_to_leave_is_said_before_the_prompt(person):
    assert re.search(r"axo: .*Ctrl-A x leaves", person.before_prompt)
    assert "can't access tty" not in person.before_prompt


def test_vi(person):
    person.say("rm -f /tmp/text; vi /tmp/text\r", "~")
    person.type("ifirst line\rsecond lime\x7f\x7fne\x1b")
    person.say(":wq\r", PROMPT)
    assert person.run("cat /tmp/text") == "first line\r\nsecond line\r\n"


def test_less_and_top(person):
    person.say("seq 1 100 | less\r", "30\r\n")
    person.say(" ", "60\r\n")
    person.say("q", PROMPT)
    person.say("top\r", "COMMAND")
    person.say("q", PROMPT)


def test_a_window_that_changes(person):
    """Who is in front hears of it, and asks how large it is."""
    person.say("sh -c 'trap \"echo it changed\" WINCH; echo go; while :; do sleep 0.1; done'\r", "go\r\n")
    person.child.setwinsize(40, 120)
    person.child.expect_exact("it changed\r\n")
    person.say("\x03")
    assert person.run("stty size") == "40 120\r\n"
    person.child.setwinsize(*SIZE)
    time.sleep(1)
    person.say("\r")
    assert person.run("stty size") == f"{SIZE[0]} {SIZE[1]}\r\n"


@pytest.mark.parametrize("victim", ["rs", "ds", "vm", "serial", "tty", "tmpfs", "procfs", "vfs", "pm"])
def test_somebody_dies_while_a_person_types(person, victim):
    """Nothing is to be seen of it; of the serial driver, at most a byte repeated."""
    for kind in ["exit", "null", "loop", "port"]:
        assert person.run(f"service kill {victim} {kind}; echo alive") == "alive\r\n"
        assert person.run("echo still here | tr a-z A-Z") == "STILL HERE\r\n"
    person.say(*job("cat"))
    for number in range(3):
        person.say(f"line {number}\r", f"line {number}\r\nline {number}\r\n")
    person.say("\x1a")
    person.run(f"service kill {victim} exit")
    person.say("fg\r", 'cat"\r\n')
    person.say("and on\r", "and on\r\nand on\r\n")
    person.say("\x04", PROMPT)


@pytest.mark.parametrize("victim", ["serial", "tty"])
def test_a_program_that_waits_while_they_die(person, victim):
    """The reads of cat and of vi are under way when they are cut off."""
    person.say(f"(for i in 1 2 3 4; do service kill {victim} exit; sleep 0.2; done) & sh -c 'echo go; exec cat'\r", "go\r\n")
    time.sleep(0.5)
    for word in ("one", "two", "three"):
        person.say(f"{word}\r", f"{word}\r\n{word}\r\n")
        time.sleep(0.3)
    person.say("\x04", PROMPT)
    person.say("wait; true\r")
    person.say("rm -f /tmp/under; (sleep 0.5; for i in 1 2 3; do service kill " + victim + " exit; sleep 0.2; done) & vi /tmp/under\r", "~")
    for word in ("ityped ", "while it", " dies again\x1b"):
        person.type(word)
    person.say(":wq\r", PROMPT)
    assert person.run("wait; cat /tmp/under").endswith("typed while it dies again\r\n")


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
@pytest.mark.parametrize("text, status, seen", [(b"", 0, b"# "), (b"echo $((6*7)); exit 5\n", 5, b"\n42\r\n"), (b"tr a-z A-Z\nwords\n", 0, b"WORDS\r\n"),
                                                (b"sleep 1; echo late", 0, b"late\r\n"), (b"tr a b\n\xff\x80a\n", 0, b"\xff\x80b\r\n")])
def test_without_a_terminal(text, status, seen):
    run = subprocess.run(AXO, input=text, stdout=subprocess.PIPE, timeout=2 * PATIENCE)
    assert run.returncode == status and seen in run.stdout
