# SPDX-License-Identifier: BSD-2-Clause
"""prove.py: `axo prove`: contracts of the kernel's data structures (test/prove/*.acsl) proved by Frama-C's WP with z3 and cvc4.

A contract file NAME.acsl is proved over kernel/NAME.c (or NAME.h alone); the contracts that other files give to headers are assumed
there, and proved where they belong. The kernel's sources are copied with the contracts woven in (weave.py) to build/prove.
Rule: what cannot be proved is a failure, and with --smoke so is a contract that holds of nothing (WP looks for code that it makes
unreachable). The lemmas about 64 bits that it takes for granted are proved first, by z3 of bit vectors (test/prove/words.smt2)."""
import csv
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import build, ending, packages, paths, say, weave

SPECS = paths.TOP / "test" / "prove"
KERNEL = paths.TOP / "kernel"
FOLDERS = ("", "arch/x86_64", "include/abi")    # where a section's file may lie
TOOLS = ("frama-c", "why3", "z3", "cvc4")
PROVED = ("Valid", "Considered valid", "Partially proven")      # the last: what it rests on is proved elsewhere, or listed as assumed
PATIENCE = 8           # seconds of CPU time for a goal and a prover
# Provers are called by scripts that limit CPU time: a busy machine proves as much as an idle one. z3 first follows the contracts' terms alone,
# which is a hundred times faster where it suffices, and then does what it usually does.
PROVERS = {
    "z3": 'first=$(ulimit -t 3; z3 smt.auto_config=false smt.mbqi=false "$@")\ncase $first in\nunsat*) echo "$first" ;;\n*) exec z3 "$@" ;;\nesac\n',
    "cvc4": 'exec cvc4 "$@"\n',
}
HINTS = {
    "mem_access": "an address may be invalid: is a `requires \\valid(…)` missing?",
    "index_bound": "an index may be outside",
    "shift": "a shift may be by 64 or more",
    "assigns clause": "something else may be written, too",
    "loop assigns": "the loop may write something else",
    "loop invariant": "it need not hold at first, or is not kept",
    "loop variant": "the loop may never end",
    "postcondition": "it need not hold at the end",
    "precondition": "the caller does not see to it",
}


@dataclass
class Goal:
    function: str
    file: str
    line: int
    kind: str
    status: str
    text: str


@dataclass
class Unit:
    """What is proved from one contract file."""
    name: str
    source: Path                # of the kernel
    functions: list             # whose contracts it proves
    goals: list = field(default_factory=list)
    smoke: list = field(default_factory=list)       # contracts that hold of nothing
    seconds: float = 0


def find(name):
    """The kernel's file of that name."""
    for folder in FOLDERS:
        if (KERNEL / folder / name).is_file():
            return KERNEL / folder / name
    raise say.host_failure(f"there is no {name} in the kernel")


class Workshop:
    """The kernel's sources with contracts, in a folder; `changed` are texts that stand for files of the kernel."""

    def __init__(self, folder, generated, changed=None):
        self.folder, self.generated, self.changed = folder, generated, changed or {}
        self.specs = {path.stem: weave.read_spec(path) for path in sorted(SPECS.glob("*.acsl"))}
        self.wordy = {name for name, sections in self.specs.items() if any(section.file == "words.h" for section in sections)}
        self.specs = {name: [section for section in sections if section.file != "words.h"] for name, sections in self.specs.items()}
        self.sections = [section for sections in self.specs.values() for section in sections]

    def text(self, path):
        return self.changed.get(path, path.read_text())

    def unit(self, name):
        """What NAME.acsl proves. Its functions' contracts are those with a body."""
        if name not in self.specs:
            raise say.usage_failure(f"there is no contract file {name!r}; there are {', '.join(self.specs)}")
        own = KERNEL / f"{name}.c"
        source = own if own.is_file() else find(f"{name}.h")
        bodies = [weave.blank(self.text(find(file))) for file in {section.file for section in self.specs[name]} | {source.name}]
        functions = [section.function for section in self.specs[name] if section.function and not section.loop and not section.before]
        return Unit(name, source, [one for one in functions if any(weave.body_of(body, one) for body in bodies)])

    def lay_out(self, unit):
        """The path of the file that Frama-C is given."""
        for path in (path for path in KERNEL.rglob("*") if path.suffix in (".c", ".h", ".def")):
            sections = [section for section in self.sections if find(section.file) == path and (path.suffix == ".h" or path == unit.source)]
            place = self.folder / path.relative_to(KERNEL)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(weave.weave(self.text(path), path, sections))
        if unit.source.suffix == ".c":
            return self.folder / unit.source.relative_to(KERNEL)
        alone = self.folder / f"{unit.name}_alone.c"
        alone.write_text(f'#include "{unit.source.name}"\n')
        return alone

    def words(self, unit, functions, smoke):
        source = self.lay_out(unit)
        includes = [f"-iquote {self.folder}", f"-iquote {self.folder / 'arch' / 'x86_64'}", f"-iquote {self.folder / 'include' / 'abi'}",
                    f"-I{self.folder / 'include'}", f"-I{self.generated}", *([f"-include {SPECS / 'words.h'}"] if unit.name in self.wordy else [])]
        return ["frama-c", "-c11", "-machdep", "gcc_x86_64", "-cpp-extra-args=" + " ".join(includes), str(source),
                "-warn-signed-overflow", "-wp", "-wp-rte", "-wp-model", "Typed+Cast", "-wp-fct", ",".join(functions),
                "-wp-prover", "z3,cvc4", "-wp-par", "2", "-wp-timeout", str(20 * PATIENCE),
                *(["-wp-smoke-tests", "-wp-smoke-timeout", "1"] if smoke else []),
                "-then", "-report-csv", str(self.folder / "goals.csv")]

    def set_up_provers(self, environment):
        self.folder.mkdir(parents=True, exist_ok=True)
        config = Path(environment["WHY3CONFIG"])
        subprocess.run(["why3", "config", "detect", "-C", str(config)], capture_output=True, env=environment)
        for name, script_text in PROVERS.items():
            script = self.folder / f"{name}.sh"
            script.write_text(f"#!/bin/sh\nulimit -t {PATIENCE}\n{script_text}")
            script.chmod(0o755)
            config.write_text(config.read_text().replace(f'"{shutil.which(name)}"', f'"{script}"'))

    def prove(self, unit, functions=None, smoke=False):
        """Fill in what became of each goal."""
        began = time.monotonic()
        functions = functions or unit.functions
        environment = dict(os.environ, WHY3CONFIG=str(self.folder / "why3.conf"), LC_ALL="C.UTF-8")
        if not (self.folder / "why3.conf").exists():
            self.set_up_provers(environment)
        with open(self.folder / f"{unit.name}.log", "w") as log, ending.session(
                self.words(unit, functions, smoke), stdout=log, stderr=subprocess.STDOUT, env=environment) as process:
            pass
        output = (self.folder / f"{unit.name}.log").read_text(errors="replace")
        if process.returncode or not re.search(r"^\[wp\] Proved goals:", output, re.M):
            problem = re.search(r"^\[kernel[^\n]*\] ([^\n]*(?:error|Error|unbound|syntax)[^\n]*\n[^\n]*)", output, re.M)
            raise say.host_failure(f"Frama-C cannot read {unit.name}: {problem[1] if problem else output.strip().splitlines()[-1]}; all that it "
                                   f"said is in {log.name}")
        unit.goals = goals(self.folder / "goals.csv", functions)
        unit.smoke = re.findall(r"^\[wp\] \[Failed\] Smoke-test typed_(?:cast_)?(\w+)", output, re.M)
        silent = set(functions) - {goal.function for goal in unit.goals}
        if silent:
            raise say.host_failure(f"{unit.name}: nothing was to be proved of {', '.join(sorted(silent))}")
        unit.seconds = time.monotonic() - began
        return unit


def goals(path, functions):
    """What Frama-C reports of these functions."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [Goal(row["function"], row["file"], int(row["line"]), row["property kind"], row["status"], row["property"])
            for row in rows if row["function"] in functions and row["property kind"] != "precondition"]     # of calls: at their places


def hint(goal):
    return next((sentence for kind, sentence in HINTS.items() if kind in goal.kind), "look at the contract and at the code")


def problems(unit):
    """A sentence for each goal that is not proved, and for each contract that holds of nothing."""
    found = [f"{goal.file}:{goal.line}: {goal.function}: {goal.kind} not proved: {hint(goal)}: {goal.text}"
             for goal in unit.goals if goal.status not in PROVED]
    return found + [f"{unit.name}: {name}: the contract contradicts itself: nothing that it is about can happen" for name in unit.smoke]


def lemmas(text):
    return set(re.findall(r"^\s*admit lemma (\w+)", text, re.M))


def prove_words():
    """The lemmas of words.h, and those of contract files that words.smt2 has too, are theorems; their names."""
    definitions, *theorems = re.split(r"^; theorem (\w+)\n", (SPECS / "words.smt2").read_text(), flags=re.M)
    names, formulas = theorems[::2], theorems[1::2]
    needed = lemmas((SPECS / "words.h").read_text())
    stated = needed.union(*(lemmas(path.read_text()) for path in SPECS.glob("*.acsl")))
    if len(set(names)) != len(names) or not needed <= set(names) <= stated:
        raise say.host_failure(f"words.h and words.smt2 differ in {', '.join(sorted(needed - set(names) | set(names) - stated))}")
    script = "".join(f"(declare-const {name} (_ BitVec 64))\n" for name in "abcdkx") + "(declare-const i Int)\n" + definitions
    for formula in formulas:
        instances = [re.sub(r"\bn\b", f"(_ bv{number} 64)", formula) for number in range(64)]
        script += f"(push)\n(assert (not (and {' '.join(instances)})))\n(check-sat)\n(pop)\n"
    answer = subprocess.run(["z3", "-smt2", "-in"], input=script, capture_output=True, text=True)
    verdicts = answer.stdout.split()
    wrong = [name for name, verdict in zip(names, verdicts) if verdict != "unsat"]
    if wrong or len(verdicts) != len(names):
        raise say.Failure(f"words.smt2: not a theorem: {', '.join(wrong) or answer.stdout.strip()[:200]}", 1)
    return names


def table(unit):
    """A line a function."""
    for function in unit.functions:
        own = [goal for goal in unit.goals if goal.function == function]
        print(f"    {function:32s} {sum(goal.status in PROVED for goal in own):4d} of {len(own):3d}")


def report(units):
    return [{"unit": unit.name, "seconds": round(unit.seconds, 1), "vacuous": unit.smoke,
             "functions": {function: {"proved": sum(g.status in PROVED for g in unit.goals if g.function == function),
                                      "total": sum(g.function == function for g in unit.goals)} for function in unit.functions},
             "goals": [vars(goal) for goal in unit.goals]} for unit in units]


def assumed(specs, units, theorems):
    """Contracts that nothing here proves, and lemmas that are no theorems: about where things lie."""
    proved = {function for unit in units for function in unit.functions}
    admitted = set().union(*(lemmas(section.text) for section in specs)) - set(theorems)
    return sorted({section.function for section in specs if section.function and not section.loop} - proved | admitted)


def prepare(options):
    """Packages and generated headers; where to work, and where those headers are."""
    if options.json and options.json != "-":
        paths.check_writable("--json", options.json)
    files = paths.Build(options.build_dir)
    if getattr(options, "no_build", False):
        lacking = [tool for tool in TOOLS if not shutil.which(tool)]
        if lacking:
            raise say.host_failure(f"{', '.join(lacking)} is not installed; `./axo prove` without --no-build installs it")
    else:
        packages.ensure("prove", may_install=not options.no_install)
        build.build_all(options, targets=["kernel"])
    folder = files.folder / "prove"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder, files.native / "generated"


def command(options):
    folder, generated = prepare(options)
    workshop = Workshop(folder, generated)
    everything = [name for name in workshop.specs if workshop.unit(name).functions]
    for name in options.names:
        workshop.unit(name)
    theorems = prove_words()
    print(f"words: {len(theorems)} theorems about 64 bits", flush=True)
    units, wrong = [], []
    for name in options.names or everything:
        unit = workshop.prove(workshop.unit(name), smoke=options.smoke)
        units.append(unit)
        wrong += problems(unit)
        print(f"{name}: {sum(goal.status in PROVED for goal in unit.goals)} of {len(unit.goals)} goals proved, {unit.seconds:.0f} s", flush=True)
        table(unit)
    if not options.names:
        print(f"assumed: {' '.join(assumed(workshop.sections, units, theorems))}")
    if options.json:
        text = json.dumps(report(units), indent=1) + "\n"
        print(text, end="") if options.json == "-" else Path(options.json).write_text(text)
    for sentence in wrong:
        say.error(sentence)
    return 1 if wrong else 0
