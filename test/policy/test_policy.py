# SPDX-License-Identifier: BSD-2-Clause
"""A running system whose tmpfs is monitored: `axo run --system policy`, with personality/policy/read-only.policy."""
import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import exec, qemu, root  # noqa: E402

NATIVE = Path(os.environ["AXO_NATIVE"])
DENIED = "Permission denied"

SCRIPT = """\
head -n 1 /etc/passwd
echo x > /tmp/y; echo "create $?"
echo x >> /etc/passwd; echo "write $?"
rm /etc/passwd; echo "unlink $?"
mv /etc/passwd /tmp/z; echo "rename $?"
chmod 600 /etc/passwd; echo "change $?"
true > /etc/passwd; echo "truncate $?"
head -n 1 /etc/passwd
echo piped | cat; cat /proc/self/comm
service restart policy; service list
"""


def axo(*words):
    words = [TOP / "axo", "run", "--no-build", "--no-install", "--build-dir", NATIVE.parent, *words]
    return subprocess.run(words, capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL)


def boot(script, archive, folder):
    """(output, errors, the kernel's log): `axo run --exec`, with a log of its own."""
    root.for_run(NATIVE / archive, folder / "archive", None, [(exec.START_FILE, exec.start_words(script), 0o644)])
    machine = qemu.Machine(loader=NATIVE / "boot" / "loader", archive=folder / "archive")
    with open(folder / "out", "w+b") as out, open(folder / "err", "w+b") as err:
        exec.run(machine, folder / "log", 150, None, (out.fileno(), err.fileno()))
    return [(folder / name).read_text(errors="replace") for name in ("out", "err", "log")]


def test_a_root_for_readers(tmp_path):
    out, err, log = boot(SCRIPT, "policy.cpio", tmp_path)
    out, listed = out.split("service  ")
    assert out == ("root:x:0:0:root:/root:/bin/sh\ncreate 1\nwrite 1\nunlink 1\nrename 1\nchange 1\ntruncate 1\n"
                   "root:x:0:0:root:/root:/bin/sh\npiped\ncat\n")
    assert err.count(DENIED) == len(err.splitlines()) == 6, err
    assert re.search(r"^policy +up +2 +0 ", listed, re.M) and re.search(r"^tmpfs +up +1 +0 ", listed, re.M)
    assert "`refuse create * access`, refuses for the first time: method 22015 of label 10000 at tmpfs" in log
    first, second = re.findall(r"policy: 8 rules for tmpfs; passed (\d+), refused (\d+)$", log, re.M)
    assert first == ("0", "0") and int(second[0]) > 20 and int(second[1]) == 6      # the counters have outlived the monitor


def test_by_axo_run():
    run = axo("--system", "policy", "--exec", "cat /etc/hostname; mkdir /a")
    assert (run.stdout, run.stderr, run.returncode) == ("axolotl\n", "mkdir: can't create directory '/a': Permission denied\n", 1)


def test_an_unknown_system():
    run = axo("--system", "nosuch", "--exec", "true")
    assert run.returncode == 2 and "--system nosuch: there is no such system; there are policy, " in run.stderr


VISIT = """\
echo kept > /precious
service up visitor
while ! service list | grep -q '^visitor *down'; do sleep 0.1; done
cat /precious
ls -l /tmp | head -n 1
service list | grep -E '^(policy|tmpfs|vfs|pm|vm|procfs) '
"""


def test_nothing_comes_past(tmp_path):
    """visitor.c: verdicts, a monitor that is down, kills, another policy."""
    out, _, log = boot(VISIT, "policy-kills.cpio", tmp_path)
    assert "visitor: done" in log, log[-1500:]
    told = re.search(r"visitor: (\d+) kills; judged twice: (\d+) that were passed on, (\d+) that were refused", log)
    assert told and out.startswith("kept\ntotal 0\n"), out
    defects = {name: int(own) for name, own in re.findall(r"^(\w+) +up +\d+ +(\d+) ", out, re.M)}
    assert defects == dict.fromkeys(["policy", "tmpfs", "vfs", "pm", "vm", "procfs"], 0)
    assert "`refuse statfs visitor`, refuses for the first time: method 22006 of label 10001 at tmpfs" in log
