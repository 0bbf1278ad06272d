#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""run.py: plants each mutant of mutants.txt into a copy of one file of the kernel, builds again what depends on it, and runs tests until
one fails: the stored seeds of the fuzzer, the kernel's host tests, the guest tests that the mutant names. A mutant that survives all of
them, or whose text is not found exactly once, is a failure. First all these tests must pass without a mutant.

    run.py BUILD/native [NAME...]
"""
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
KERNEL = TOP / "kernel"
SEEDS = TOP / "test" / "fuzz-kernel" / "corpus"
FUZZER = "host/fuzz-kernel/fuzz/fuzz"
HOST = ["kernel_pages", "kernel_hostile", "kernel_trees", "kernel_quota", "kernel_memory", "kernel_cap", "kernel_task", "kernel_ports"]
PATIENCE = 300          # seconds that one test may take; a mutant that hangs is killed by that, too
WARNED = "-Wno-error"   # a mutant may leave a variable unused


class Wrong(Exception):
    """What is to be mended by hand."""


class Mutant:
    def __init__(self, lines):
        self.name, self.file = lines[0].split()
        self.breaks = next(line.split(": ", 1)[1] for line in lines if line.startswith("breaks: "))
        self.guests = next((line.split(": ", 1)[1].split() for line in lines if line.startswith("tests: ")), [])
        self.old = next(line[2:] for line in lines if line.startswith("- "))
        self.new = next(line[2:] for line in lines if line.startswith("+ "))

    def plant(self, text):
        """The text with the mutant in it. White space and comments between the words do not count."""
        words = re.findall(r"\w+|[^\w\s]", self.old)
        gap = r"(?:\s|/\*.*?\*/)*"
        found = list(re.finditer(gap.join(re.escape(word) for word in words), text, re.S))
        if len(found) != 1:
            raise Wrong(f"mutant {self.name} no longer applies: {self.file} has its text {len(found)} times. Look at what it breaks "
                        f"({self.breaks}), find the place where the kernel sees to that today, and write its `-` and `+` anew in "
                        f"{HERE.name}/mutants.txt: {self.old}")
        return text[:found[0].start()] + self.new.replace("mov", "\n        mov") + text[found[0].end():] \
            if self.file.endswith(".S") else text[:found[0].start()] + self.new + text[found[0].end():]


def read_mutants():
    text = "\n".join(line for line in (HERE / "mutants.txt").read_text().splitlines() if not line.startswith("#"))
    mutants = [Mutant(part.strip().splitlines()) for part in re.split(r"\n\s*\n", text) if part.strip()]
    names = [mutant.name for mutant in mutants]
    if len(set(names)) != len(names):
        raise Wrong("two mutants have one name")
    return mutants


class Builder:
    """Runs the commands by which Ninja makes a target, but only those that a mutant changes something for, and into another folder."""

    def __init__(self, native):
        self.native = native
        self.known = {}

    def commands(self, target):
        """[(folder, words)] without dependency files."""
        if target not in self.known:
            answer = subprocess.run(["ninja", "-C", self.native, "-t", "commands", target], capture_output=True, text=True, check=True)
            self.known[target] = [command for line in answer.stdout.splitlines() for command in self.parts(line)]
        return self.known[target]

    def parts(self, line):
        folder, found = self.native, []
        for part in line.split(" && "):
            words = shlex.split(part)
            if words[:1] == ["cd"]:
                folder = Path(words[1])
            elif words and words[0] != ":" and "cmake_transform_depfile" not in words:
                found.append((folder, words))
        return found

    @staticmethod
    def output(words):
        if "-o" in words:
            return words.index("-o") + 1
        if words[0].endswith("objcopy"):
            return len(words) - 1
        return next((number + 1 for number, word in enumerate(words) if word.endswith("/archive.py")), None)

    def build(self, target, source, mutated, scratch):
        """The path of the target with `mutated` instead of `source`; None: it does not depend on it."""
        changed = {source: mutated}
        for folder, words in self.commands(target):
            at = self.output(words)
            new = [self.replaced(word, folder, changed) for word in words]
            if at is None or new == words:
                continue
            old_output = (folder / words[at]).resolve()
            changed[old_output] = scratch / old_output.relative_to(self.native)
            changed[old_output].parent.mkdir(parents=True, exist_ok=True)
            new[at] = str(changed[old_output])
            self.run(new, folder)
        return changed.get((self.native / target).resolve())

    @staticmethod
    def replaced(word, folder, changed):
        name, equals, path = word.rpartition("=")
        place = changed.get((folder / path).resolve()) if path and not path.startswith("-") else None
        return f"{name}{equals}{place}" if place else word

    @staticmethod
    def run(words, folder):
        if "-c" in words:
            cut = {number + after for number, word in enumerate(words) if word in ("-MF", "-MT", "-MD") for after in (0, 1)
                   if after == 0 or word != "-MD"}
            words = [word for number, word in enumerate(words) if number not in cut] + [WARNED]
        answer = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        if answer.returncode:
            raise Wrong(f"it cannot be compiled: {answer.stderr.strip().splitlines()[0] if answer.stderr else words}")


def passes(words):
    """(it did, its output)"""
    try:
        answer = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
                                text=True, errors="replace", cwd=tempfile.gettempdir())
    except subprocess.TimeoutExpired:
        return False, f"it took more than {PATIENCE} s"
    return answer.returncode == 0, answer.stdout


class Tests:
    """What kills mutants: (name, target, words of the program when the target lies at `path`)."""

    def __init__(self, native):
        self.native = native
        answer = subprocess.run(["ctest", "--test-dir", str(native), "--show-only=json-v1"], capture_output=True, text=True, check=True)
        self.ctests = {test["name"]: test.get("command") for test in json.loads(answer.stdout)["tests"]}

    def of(self, mutant):
        if mutant.file.endswith(".c"):
            yield "fuzz-kernel seeds", FUZZER, lambda path: [str(path), "-runs=0", "-verbosity=0", "-detect_leaks=0", "-timeout=30",
                                                             "-artifact_prefix=" + str(path) + "-", str(SEEDS)]
            for name in HOST:
                yield name, f"host/{name}/{name}", lambda path: [str(path)]
        for name in mutant.guests:
            yield name, f"test/{name}.cpio", lambda path, name=name: self.guest(name, path)

    def guest(self, name, path):
        words = list(self.ctests[name])
        words[words.index("--log") + 1] = str(path) + ".log"
        return [*words[:-1], str(path)]


def reason(output):
    """The line that says most."""
    for pattern in (r"INVARIANT [^\n]*", r"libFuzzer: timeout[^\n]*", r"runtime error: [^\n]*", r"ERROR: AddressSanitizer: \S+", r"fuzz-kernel: [^\n]*",
                    r"^\s*(?:model|machine|thread|cap|page|object)[^\n]*differ[^\n]*", r"FAILED[^\n]*", r"\[  FAILED  \] [^\n]*", r"[^\n]*\n\s*$"):
        found = re.search(pattern, output, re.M)
        if found:
            return found[0].strip()[:110]
    return ""


def kill(mutant, builder, tests):
    """(who killed it, why), or None."""
    source = KERNEL / mutant.file
    text = mutant.plant(source.read_text())
    with tempfile.TemporaryDirectory(prefix="axo-mutant-") as folder:
        scratch = Path(folder)
        mutated = scratch / "kernel" / source.name
        mutated.parent.mkdir()
        mutated.write_text(text)
        for name, target, words in tests.of(mutant):
            path = builder.build(target, source, mutated, scratch)
            if path:
                well, output = passes(words(path))
                if not well:
                    return name, reason(output)
    return None


def check_tests(mutants, tests, native):
    """Nothing is said by a test that fails anyway."""
    done = set()
    for mutant in mutants:
        for name, target, words in tests.of(mutant):
            path = native / target
            if name in done:
                continue
            done.add(name)
            if name in mutant.guests:
                with tempfile.TemporaryDirectory(prefix="axo-mutant-") as folder:
                    copy = Path(folder) / path.name
                    copy.write_bytes(path.read_bytes())
                    well, output = passes(words(copy))
            else:
                well, output = passes(words(path))
            if not well:
                raise Wrong(f"{name} fails without any mutant: {reason(output)}")


def main(native, names):
    native = Path(native).resolve()
    mutants = read_mutants()
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        raise Wrong(f"there is no mutant {', '.join(sorted(unknown))}")
    mutants = [mutant for mutant in mutants if not names or mutant.name in names]
    builder, tests, bad = Builder(native), Tests(native), 0
    check_tests(mutants, tests, native)
    for mutant in mutants:
        began = time.monotonic()
        try:
            killed = kill(mutant, builder, tests)
            verdict = f"killed by {killed[0]}: {killed[1]}" if killed else f"SURVIVED: {mutant.breaks}"
        except Wrong as problem:
            killed, verdict = None, f"WRONG: {problem}"
        bad += not killed
        print(f"{mutant.name:28s} {time.monotonic() - began:4.0f} s  {verdict}", flush=True)
    print(f"{len(mutants) - bad} of {len(mutants)} mutants killed")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2:]))
    except Wrong as problem:
        sys.exit(f"mutants: {problem}")
