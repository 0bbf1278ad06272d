# SPDX-License-Identifier: BSD-2-Clause
"""ctests.py: `axo test`: picks tests by name or label, builds what they need and lets ctest run them."""
import difflib
import json
import os
import subprocess

from . import build, coverage, ending, say

MOST_AT_ONCE = 8        # guests of a gigabyte and more
LONG = "long"           # label of tests that run only when they are named


def tests_of(files):
    """{name: (labels, files that it needs)} of everything that ctest knows."""
    answer = subprocess.run(["ctest", "--test-dir", str(files.native), "--show-only=json-v1"], capture_output=True, text=True)
    if answer.returncode:
        raise say.host_failure(f"ctest cannot list the tests: {answer.stderr.strip()}")
    found = {}
    for test in json.loads(answer.stdout)["tests"]:
        properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])}
        found[test["name"]] = properties.get("LABELS", []), properties.get("REQUIRED_FILES", [])
    return found


def choose(names, tests):
    """Numbers (from 1) of the tests that the names and labels pick. A name that is both is the test; `label:NAME` is the label."""
    labels = {label for of_one, _ in tests.values() for label in of_one if label}
    wanted = {name if name in tests else f"label:{name.removeprefix('label:')}" for name in names}
    for name in names:
        if name not in tests and name.removeprefix("label:") not in labels:
            close = difflib.get_close_matches(name, [*labels, *tests], 3)
            hint = f", did you mean {' or '.join(close)}?" if close else ""
            raise say.usage_failure(f"there is no test or label {name!r}{hint}; `./axo test --list` shows them; labels: "
                                    f"{', '.join(sorted(labels)) or 'none'}")
    return [number for number, (test, (of_one, _)) in enumerate(tests.items(), 1)
            if (LONG not in of_one if not names else wanted & {test, *(f"label:{label}" for label in of_one)})]


def tell_left_out(names, tests):
    """What takes many minutes runs only when it is named; nobody shall think that it passed."""
    left = [test for test, (labels, _) in tests.items() if LONG in labels]
    if left and not names:
        print(f"not run, for they take long: {' '.join(left)} (run them with `axo test {LONG}`)", flush=True)
    if "prove" not in tests and not names:
        print("not part of this machine: prove (`axo prove` installs what it needs)", flush=True)


def targets_of(numbers, tests):
    """What Ninja must make for these tests: their files (not all of which are in `all`), and everything if one of them does not name any."""
    needed = [files for number, (_, files) in enumerate(tests.values(), 1) if number in numbers]
    return sorted({file for files in needed for file in files}) + ([] if all(needed) else ["all"])


def command(options):
    if options.jobs is not None and options.jobs < 1:
        raise say.usage_failure(f"--jobs {options.jobs}: at least one test runs at a time")
    if options.coverage:
        return coverage.command(options)
    needs = ("run", "iso", "uefi", "test", "size", "gdb")
    files = build.build_all(options, *needs, targets=["build.ninja"])       # so that ctest's list is of today
    tests = tests_of(files)
    chosen = choose(options.names, tests)
    if options.list:
        for number, (test, (labels, _)) in enumerate(tests.items(), 1):
            if number in chosen:
                print(f"{test:28s} {' '.join(labels)}")
        tell_left_out(options.names, tests)
        return 0
    build.build_all(options, *needs, targets=targets_of(chosen, tests))
    words = ["ctest", "--test-dir", str(files.native), "--output-on-failure", "--no-tests=error",
             "--parallel", str(options.jobs or min(len(os.sched_getaffinity(0)), MOST_AT_ONCE))]
    if len(chosen) < len(tests):
        words += ["-I", "0,0,0," + ",".join(map(str, chosen))]
    tell_left_out(options.names, tests)
    with ending.session(words) as ctest:
        pass
    return 1 if ctest.returncode else 0
