# SPDX-License-Identifier: BSD-2-Clause
"""build.py: CMake and Ninja, under a lock, so that two axo at once build one after the other."""
import contextlib
import fcntl
import os
import re
import subprocess
import sys

from . import ending, packages, paths, say

STEP = re.compile(r"^@(\d+)/(\d+) ")
CHATTER = re.compile(r"ninja: Entering|ninja: no work|ninja: build stopped|-- |\s*$")
COMMAND = (": &&", "/usr/bin/", "cd /")            # Ninja repeats the command that failed
MISTAKE = re.compile(r"error\b|^\S+:\d+: |: undefined |bin/ld: ", re.I)


@contextlib.contextmanager
def locked(build):
    try:
        build.folder.mkdir(parents=True, exist_ok=True)
        lock = open(build.lock, "w")
    except OSError as problem:
        raise say.host_failure(f"cannot build in {build.folder}: {problem.strerror}") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def show(lines):
    if not say.quiet:
        sys.stderr.write("".join(lines))


def carry_out(build, words, title):
    """Runs one step of the build; its output goes to build.log, and to people when it fails."""
    log, shown = open(build.build_log, "a"), []
    environment = dict(os.environ, NINJA_STATUS="@%f/%t ", CLICOLOR_FORCE="0", LC_ALL="C.UTF-8")
    with log, say.Progress(title) as progress, ending.session(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                                             env=environment, cwd=paths.TOP) as process:
        for line in process.stdout:
            log.write(line)
            step = STEP.match(line)
            if step:
                progress.step(int(step[1]), int(step[2]))
            elif not CHATTER.match(line):
                shown.append(line)
    if process.returncode:
        show(shown[-200:])
        told = [line.strip() for line in shown if MISTAKE.search(line) and not line.startswith(COMMAND)]
        first = told[0] if told else f"{words[0]} ended with {process.returncode}"
        raise say.host_failure(f"the build failed: {first}; all of it is in {build.build_log}")
    warnings = [line for line in shown if "Warning" in line or "left out" in line]
    show(warnings)


def configure(build, variables=()):
    stale = build.native / "CMakeCache.txt"
    if stale.exists() and f"CMAKE_HOME_DIRECTORY:INTERNAL={paths.TOP}\n" not in stale.read_text():
        stale.unlink()          # the tree was moved or copied
    if not (build.native / "build.ninja").exists() or not stale.exists():
        carry_out(build, ["cmake", "-G", "Ninja", "-S", str(paths.TOP), "-B", str(build.native), "--no-warn-unused-cli",
                          f"-DCMAKE_TOOLCHAIN_FILE={paths.TOP / 'cmake' / 'x86_64.cmake'}", *variables], "configuring")


def has_target(build, name):
    return subprocess.run(["ninja", "-C", str(build.native), "-t", "query", name], capture_output=True).returncode == 0


def systems(build):
    """The names of the archives that can be made in the build folder's root."""
    targets = subprocess.run(["ninja", "-C", str(build.native), "-t", "targets", "all"], capture_output=True, text=True).stdout
    return sorted(re.findall(r"^([^/\s]+)\.cpio:", targets, re.M))


def build_all(options, *needs, targets=(), inside=None, variables=()):
    """Makes sure of packages and of everything built; the Build. `needs` are words of tools/packages.txt. `inside`: a build of its own in
    that folder of the usual one, with these variables of CMake's."""
    build = paths.Build(options.build_dir, getattr(options, "kpti", False))
    if inside:
        build = paths.Build(build.folder / inside)
    ready_made = getattr(options, "no_build", False)
    packages.ensure(*([] if ready_made else ["build"]), *needs, may_install=not options.no_install)
    if ready_made:
        if not build.native.exists():
            raise say.host_failure(f"--no-build, but nothing is built in {build.folder}")
        return build
    with locked(build):
        build.build_log.write_text("")
        configure(build, variables)
        carry_out(build, ["ninja", "-C", str(build.native), *targets], "building")
    return build
