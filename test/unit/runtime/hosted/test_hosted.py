# SPDX-License-Identifier: BSD-2-Clause
"""The runtime's image runs busybox on the host's kernel with faked servers (hosted.h); each script's output and status must be the
same as without it. Static programs only: the shell's PATH leads nowhere, so it runs its own applets."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(os.environ.get("AXO_NATIVE", "build/native"))
HOSTED, IMAGE = NATIVE / "host/runtime-hosted", NATIVE / "boot/runtime"
BUSYBOX = shutil.which("busybox") or "/bin/busybox"

SCRIPTS = r"""
echo hi
seq 1 20000 | sort -rn | md5sum
echo a b c | tr a-z A-Z | sed s/B/x/
ls -la /etc/passwd | cut -c1-20
(exit 3); echo $?
sh -c 'kill -9 $$'; echo $?
sh -c 'kill -TERM $$'; echo $?
trap 'echo caught' USR1; kill -USR1 $$; echo after
trap 'echo t' TERM; (sleep 0.2; kill -TERM $$) & sleep 1; echo done
sleep 0.1 & wait; echo waited $?
sleep 5 & p=$!; kill $p; wait $p; echo $?
cat /nonexistent
/nonexistent/x
echo 'echo script "$@"' > $T/s; chmod +x $T/s; $T/s 1 2
printf '#!/bin/busybox sh\necho sb "$0" "$@"\n' > $T/t; chmod +x $T/t; $T/t a b
printf '#!/nonexistent\n' > $T/u; chmod +x $T/u; $T/u
printf '\177ELFjunk' > $T/v; chmod +x $T/v; $T/v
touch $T/w; chmod 644 $T/w; $T/w
/tmp
cd /; pwd; cd /usr/bin && pwd; cd /nonexistent
mkdir -p $T/d/a/b && touch $T/d/a/f && find $T/d | sort && rm -r $T/d && ls $T/d
ln -s /etc/hostname $T/l; readlink $T/l; rm $T/l
echo x > $T/x; cp $T/x $T/y; mv $T/y $T/z; cat $T/z; rm $T/x $T/z
dd if=/dev/zero bs=1000 count=100 2>/dev/null | wc -c
head -c 200000 /dev/zero | md5sum
yes | head -n 3
for i in 1 2 3; do echo $i; done | while read x; do echo got $x; done
x=$(echo sub); echo $x; echo `expr 3 + 4`
test -f /etc/passwd && echo yes; [ -d /etc ] && echo dir
cat < /etc/hostname | wc -l
find /etc -name 'host*' | sort | head -5 | xargs ls
echo abc | awk '{print toupper($0), length($0), 3.5*2}'
awk 'BEGIN{for(i=0;i<1000;i++)s+=i*0.5; printf "%.3f\n", s}'
grep -c root /etc/passwd; grep zzz /etc/passwd; echo $?
tar cf - -C /etc passwd hostname 2>/dev/null | tar tf -
date -u -d @0; uname -s -m
id -u; whoami; umask; umask 077; umask
stat -c '%s %a %F' /etc/passwd
env -i A=1 sh -c 'echo $A $B'
sh -c 'echo err >&2; exit 7'; echo $?
timeout 0.3 sleep 5; echo $?
echo 'a b' > $T/q; od -c $T/q; hexdump -C $T/q; rm $T/q
seq 1 100 | tail -n 2; seq 1 5 | tac; seq 5 | shuf | sort -n
mktemp -d $T/.XXXXXX | wc -c; rm -rf $T/.*
which sh; basename /a/b.c .c; dirname /a/b
printf '%d %x %s\n' 42 255 str; printf '%5.2f|\n' 3.14159
vi -h 2>&1 | head -1; gzip -c /etc/passwd | gunzip -c | cmp - /etc/passwd && echo same
head -c 100000 /dev/urandom > $T/r; sha256sum < $T/r > $T/r.s; sha256sum < $T/r | cmp - $T/r.s && echo eq; rm $T/r*
(echo one; sleep 0.1; echo two) | cat
set -m; sleep 0.1 & fg >/dev/null 2>&1; echo fg $?
echo $$ | grep -c '[0-9]'; echo $PPID | grep -c '[0-9]'
exec 3>$T/f; echo three >&3; exec 3>&-; cat $T/f; rm $T/f
sed -n '1,3p' /etc/services 2>/dev/null | wc -l
ulimit -n; ulimit -s
sh -c 'trap "" PIPE; yes' 2>/dev/null | head -1
yes | head -1; echo done
cat /proc/self/comm /dev/null | wc -l
readlink /proc/self/exe
wc -c /bin/busybox; md5sum /bin/busybox
cat /bin/busybox | md5sum
""".strip().split("\n")


def run(before, script, place):
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    done = subprocess.run([*before, BUSYBOX, "sh", "-c", script], cwd=place, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=20, start_new_session=True, env={"PATH": "/nowhere", "T": str(place), "HOME": "/root", "TERM": "vt100"})
    return done.returncode, done.stdout, done.stderr


def works():
    """Whether this host has system-call user dispatch and the rest that hosted.h needs."""
    try:
        return HOSTED.exists() and subprocess.run([HOSTED, IMAGE, BUSYBOX, "true"], timeout=20, capture_output=True).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@pytest.mark.skipif(not works(), reason="this host's kernel cannot run it")
@pytest.mark.parametrize("script", SCRIPTS)
def test_same_as_without(script, tmp_path):
    # The first process starts with the environment of the runtime, so the script sets what it needs.
    place = tmp_path / "t"
    script = f"PATH=/nowhere T={place}; cd $T; {script}"
    assert run([HOSTED, IMAGE], script, place) == run([], script, place)
