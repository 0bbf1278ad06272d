# SPDX-License-Identifier: BSD-2-Clause
"""packages.py: makes sure that Debian packages are there, from the one list tools/packages.txt."""
import os
import re
import shutil
import subprocess

from . import paths, say

LINE = re.compile(r"^(?P<name>[a-z0-9][a-z0-9+.-]*)\s+(?:\[(?P<arch>[!a-z0-9 ]+)\]\s+)?(?P<need>[a-z]+)\s+(?P<why>.+)$")
APT = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]


def host_architecture():
    return {"x86_64": "amd64", "aarch64": "arm64", "riscv64": "riscv64"}.get(os.uname().machine, os.uname().machine)


def read_list(text, architecture):
    """[(name, need)] of the list's lines that hold for this architecture."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = LINE.match(line)
        if not entry:
            raise say.host_failure(f"tools/packages.txt:{number}: not `package [architectures] need purpose`")
        architectures = (entry["arch"] or architecture).split()
        if architecture in architectures or any(a[0] == "!" and a[1:] != architecture for a in architectures):
            found.append((entry["name"], entry["need"]))
    return found


def missing(needs):
    """Names of the packages for `needs` that are not installed."""
    names = {name for name, need in read_list(paths.PACKAGES.read_text(), host_architecture()) if need in needs}
    if not shutil.which("dpkg-query"):
        raise say.host_failure("this is no Debian (no dpkg-query): install by hand what tools/packages.txt lists, "
                               "then use --no-install")
    answer = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n", *sorted(names)],
                            capture_output=True, text=True)
    installed = {line.split()[-1] for line in answer.stdout.splitlines() if line[1:2] == "i"}     # ii, or hi: held back
    return sorted(names - installed)


def apt_line(names):
    return "apt-get update && apt-get install -y --no-install-recommends " + " ".join(names)


def apt(*words):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    return subprocess.run([*APT, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env=environment)


def install(names):
    say.error("installing from Debian: " + " ".join(names))     # said even under --exec: it changes the machine
    words = ["install", "--no-install-recommends", *names]
    answer = apt(*words)
    if answer.returncode:       # no package lists yet, or old ones
        apt("update")
        answer = apt(*words)
    if answer.returncode:
        problems = [line for line in answer.stdout.splitlines() if line.startswith("E:")]
        raise say.host_failure(f"apt could not install them: {problems[0] if problems else 'status %d' % answer.returncode}"
                               f"; by hand: {apt_line(names)}")


def ensure(*needs, may_install=True):
    """Install what `needs` (words of the list's second column) lack, or say what to do."""
    if not may_install and not shutil.which("dpkg-query"):
        return
    lacking = missing(needs)
    if not lacking:
        return
    if not may_install:
        raise say.host_failure(f"packages are missing and --no-install forbids installing: {apt_line(lacking)}")
    if os.geteuid() != 0:
        raise say.host_failure(f"packages are missing; as root run: {apt_line(lacking)}")
    install(lacking)
