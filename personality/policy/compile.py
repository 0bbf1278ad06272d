# SPDX-License-Identifier: BSD-2-Clause
"""compile.py: MANIFEST SERVICE POLICY OUT.c: a policy's text as the table that policy.c judges by.

    refuse write vfs access     VERDICT METHOD CALLER [ERROR]; the first line that fits a message decides

METHOD   of an interface of the service that SERVICE monitors: `write`, or `fs.write` where two have it; `fs.*`; `*`
CALLER   a service with a door to that one; `processes`, where Linux processes have doors; `*`
ERROR    of the interface (its numbers are Linux's) or of the system (idl/interfaces/system.idl): `refused` if none is named"""
import argparse
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "bootstrap" / "manifest"), str(TOP / "idl")]

import check  # noqa: E402
import syntax  # noqa: E402
from idlc.model import load  # noqa: E402

RULES_MOST = 64                         # policy.idl: record rule
TEXT_MOST = 63                          # policy.idl: TEXT, with a zero
PROCESSES = 16, 127                     # docs/personality.md: indices of processes, at those who serve them
SERVES_PROCESSES = ("pm", "vm", "vfs")
EVERYBODY = 0, 0xffff
LIBRARY = {"describe": 240, "subscribe": 241, "cancel": 242, "forget": 243}     # libl4: of every server


@dataclass
class Rule:
    line: int
    text: str
    method: int
    mask: int
    first: int
    last: int
    error: int                          # as answered; 0: pass

    def covers(self, other):
        return self.mask & other.mask == self.mask and other.method & self.mask == self.method and self.first <= other.first and other.last <= self.last


class Compiler:
    def __init__(self, path, system, known, monitored):
        self.path, self.system, self.known, self.monitored = path, system, known, monitored
        self.interfaces = [known.interfaces[name] for name in check.serves(system, known, monitored.name)]
        self.system_errors = load(str(TOP / "idl" / "interfaces" / "system.idl"), {}).errors
        self.problems, self.rules = [], []

    def problem(self, line, what, fix):
        self.problems.append(syntax.Problem(str(self.path), line, what, fix))

    # ---- words ----
    def method(self, word):
        """(method, mask)"""
        if word == "*":
            return 0, 0
        face, _, name = word.rpartition(".")
        among = [i for i in self.interfaces if face in ("", i.name)]
        if not among:
            raise syntax.Refused(f"`{self.monitored.name}` serves no interface `{face}`", "interfaces: " + names(i.name for i in self.interfaces))
        if name == "*":
            if not face:
                raise syntax.Refused("`.*` without an interface", "write `*`, or INTERFACE.*")
            return among[0].protocol << 8, 0xffffff00
        found = [i.protocol << 8 | m.number for i in among for m in i.methods if m.name == name]
        found = found or [i.protocol << 8 | LIBRARY[name] for i in among if name in LIBRARY]
        if not found:
            raise syntax.Refused(f"`{self.monitored.name}` has no method `{word}`", "methods: " + names(
                [m.name for i in among for m in i.methods] + list(LIBRARY)))
        if len(found) > 1:
            raise syntax.Refused(f"several interfaces of `{self.monitored.name}` have a method `{name}`",
                                 "write one of " + names(f"{i.name}.{name}" for i in among))
        return found[0], 0xffffffff

    def callers(self, word):
        """[(first, last) index]: of a service, one for each door that it has"""
        if word == "*":
            return [EVERYBODY]
        if word == "processes":
            if self.monitored.name not in SERVES_PROCESSES:
                raise syntax.Refused(f"no process has a door to `{self.monitored.name}`", "processes call " + names(SERVES_PROCESSES))
            return [PROCESSES]
        doors = [(s.name, d.label & 0xffff) for s in self.system.services for d in s.doors if d.service == self.monitored.name]
        found = [(label, label) for name, label in doors if name == word]
        if not found:
            raise syntax.Refused(f"`{word}` has no door to `{self.monitored.name}`", "its callers: " + names([*(name for name, _ in doors), "*"]))
        return found

    def error(self, word):
        for interface in self.interfaces:
            for code in interface.errors:
                if code.name == word:
                    return code.value
        for code in self.system_errors:
            if code.name == word and code.value >= 32:
                return -code.value
        raise syntax.Refused(f"there is no error `{word}`", "errors: " + names(
            [code.name for i in self.interfaces for code in i.errors] + [code.name for code in self.system_errors if code.value >= 32]))

    # ---- lines ----
    def rules_of(self, line, words):
        """A rule for each range of callers"""
        if words[0] not in ("pass", "refuse"):
            raise syntax.Refused(f"`{words[0]}` is no verdict", "write pass METHOD CALLER, or refuse METHOD CALLER [ERROR]")
        if len(words) < 3:
            raise syntax.Refused(f"`{' '.join(words)}` says not of whom or of what", f"write {words[0]} METHOD CALLER; `*` is everybody, or everything")
        if words[0] == "pass" and len(words) > 3:
            raise syntax.Refused(f"I did not expect `{words[3]}` behind a `pass`", "leave it out: who is passed on gets no error")
        if len(words) > 4:
            raise syntax.Refused(f"I did not expect `{words[4]}`", "write refuse METHOD CALLER [ERROR]")
        text = " ".join(words)
        if len(text) > TEXT_MOST:
            raise syntax.Refused(f"the rule has {len(text)} characters", f"write at most {TEXT_MOST}")
        error = 0 if words[0] == "pass" else self.error(words[3] if len(words) == 4 else "refused")
        method = self.method(words[1])
        return [Rule(line, text, *method, *caller, error) for caller in self.callers(words[2])]

    def compile(self, text):
        line = 1
        for line, row in enumerate(text.splitlines(), 1):
            words = row.split("#", 1)[0].split()
            if not words:
                continue
            try:
                for rule in self.rules_of(line, words):
                    self.add(rule)
            except syntax.Refused as refused:
                self.problem(line, *refused.args)
        if not self.problems and not (self.rules and self.rules[-1].mask == 0 and (self.rules[-1].first, self.rules[-1].last) == EVERYBODY):
            self.problem(line, "nothing is said of a message that no line fits", "end with `refuse * *`, or with `pass * *`")

    def add(self, rule):
        before = next((r for r in self.rules if r.covers(rule)), None)
        if before:
            raise syntax.Refused(f"this line never decides: line {before.line}, `{before.text}`, fits first", "put it above that one, or leave it out")
        if len(self.rules) == RULES_MOST:
            raise syntax.Refused(f"there are more than {RULES_MOST} rules", "say it with less: INTERFACE.* and * stand for many")
        self.rules.append(rule)


def names(words):
    return ", ".join(sorted(set(words))) or "none"


def table(compiler, path):
    """The C file."""
    rows = [f'    {{ {r.method:#x}, {r.mask:#x}, {r.first}, {r.last}, {r.error}, {r.line}, "{r.text}" }},\n' for r in compiler.rules]
    said = repr([(r.method, r.mask, r.first, r.last, r.error, r.line) for r in compiler.rules])
    number = int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "little") | 1
    return (f"/* SPDX-License-Identifier: BSD-2-Clause */\n/* Made by personality/policy/compile.py from {Path(path).name}. Do not edit. */\n#include <policy/rules.h>\n\n"
            f"static const struct policy_rule rules[] = {{\n{''.join(rows)}}};\n\n"
            f"const struct policy policy = {{ {number:#x}, \"{compiler.monitored.name}\", {len(rows)}, rules }};\n")


def monitored_by(manifest, system, name):
    """The service that `name` monitors. Refused is of the manifest."""
    service = system.service(name)
    if service is None:
        raise syntax.Refused(f"there is no service `{name}`", "services: " + names(s.name for s in system.services))
    if not service.monitors:
        raise syntax.Refused(f"`{name}` monitors nobody", f"write `monitors SERVICE` below service {name}")
    return system.service(service.monitors)


def compile_files(manifest, name, policy):
    """(Compiler or None, problems)"""
    known = check.Interfaces()
    system = check.check(syntax.read(manifest), known)
    if system.problems:
        return None, system.problems
    try:
        monitored = monitored_by(manifest, system, name)
    except syntax.Refused as refused:
        service = system.service(name)
        return None, [syntax.Problem(str(manifest), service.line if service else 1, *refused.args)]
    compiler = Compiler(policy, system, known, monitored)
    compiler.compile(Path(policy).read_text())
    return compiler, compiler.problems


def main(words):
    parser = argparse.ArgumentParser(description="Check and compile a policy.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("service", help="the monitor, as the manifest names it")
    parser.add_argument("policy", type=Path)
    parser.add_argument("out", type=Path, nargs="?", help="without it: only check")
    options = parser.parse_args(words)
    try:
        compiler, problems = compile_files(options.manifest, options.service, options.policy)
    except (OSError, UnicodeDecodeError) as error:
        print(f"{getattr(error, 'filename', None) or options.policy}: cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}\n    fix: name a "
              "manifest, and a policy as personality/policy/read-only.policy", file=sys.stderr)
        return 1
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    if options.out:
        options.out.write_text(table(compiler, options.policy))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
