# SPDX-License-Identifier: BSD-2-Clause
"""A running system whose tmpfs is monitored: `axo run --system policy`, with personality/policy/read-only.policy."""
import os
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["AXO_NATIVE"]).parent
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


def axolotl(command, system):
    words = [TOP / "axo", "run", "--no-build", "--no-install", "--build-dir", BUILD, "--system", system, "--exec", command]
    run = subprocess.run(words, capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL)
    return run, (BUILD / "last-boot.log").read_text(errors="replace")


def test_a_root_for_readers():
    run, log = axolotl(SCRIPT, "policy")
    out, listed = run.stdout.split("service  ")
    assert out == ("root:x:0:0:root:/root:/bin/sh\ncreate 1\nwrite 1\nunlink 1\nrename 1\nchange 1\ntruncate 1\n"
                   "root:x:0:0:root:/root:/bin/sh\npiped\ncat\n")
    assert run.stderr.count(DENIED) == len(run.stderr.splitlines()) == 6, run.stderr
    assert re.search(r"^policy +up +2 +0 ", listed, re.M) and re.search(r"^tmpfs +up +1 +0 ", listed, re.M)
    assert "`refuse create * access`, refuses for the first time: method 22015 of label 10000 at tmpfs" in log
    first, second = re.findall(r"policy: 8 rules for tmpfs; passed (\d+), refused (\d+)$", log, re.M)
    assert first == ("0", "0") and int(second[0]) > 20 and int(second[1]) == 6      # the counters have outlived the monitor


def test_an_unknown_system():
    run, _ = axolotl("true", "nosuch")
    assert run.returncode != 0 and "--system nosuch: " in run.stderr


VISIT = """\
echo kept > /precious
service up visitor
while ! service list | grep -q '^visitor *down'; do sleep 0.1; done
cat /precious
ls -l /tmp | head -n 1
service list | grep -E '^(policy|tmpfs|vfs|pm|vm|procfs) '
"""


def test_nothing_comes_past():
    """visitor.c: verdicts, a monitor that is down, kills, another policy."""
    run, log = axolotl(VISIT, "policy-kills")
    assert "visitor: done" in log, log[-1500:]
    told = re.search(r"visitor: (\d+) kills; judged twice: (\d+) that were passed on, (\d+) that were refused", log)
    assert told and run.stdout.startswith("kept\ntotal 0\n"), run.stdout
    defects = {name: int(own) for name, own in re.findall(r"^(\w+) +up +\d+ +(\d+) ", run.stdout, re.M)}
    assert defects == dict.fromkeys(["policy", "tmpfs", "vfs", "pm", "vm", "procfs"], 0)
    assert "`refuse statfs visitor`, refuses for the first time: method 22006 of label 10001 at tmpfs" in log
