# SPDX-License-Identifier: BSD-2-Clause
"""ctests.py: `axo test`: picks tests by name or label and lets ctest run them."""
import json
import subprocess

from . import build, say


def tests_of(files):
    """{name: [labels]} of everything that ctest knows."""
    answer = subprocess.run(["ctest", "--test-dir", str(files.native), "--show-only=json-v1"], capture_output=True, text=True)
    if answer.returncode:
        raise say.host_failure(f"ctest cannot list the tests: {answer.stderr.strip()}")
    found = {}
    for test in json.loads(answer.stdout)["tests"]:
        properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])}
        found[test["name"]] = properties.get("LABELS", [])
    return found


def choose(names, tests):
    """Numbers (from 1) of the tests that the names and labels pick."""
    labels = {label for of_one in tests.values() for label in of_one if label}
    for name in names:
        if name not in tests and name not in labels:
            raise say.usage_failure(f"there is no test or label {name!r}; tests: {', '.join(sorted(tests)) or 'none'}; "
                                    f"labels: {', '.join(sorted(labels)) or 'none'}")
    return [number for number, (test, of_one) in enumerate(tests.items(), 1)
            if not names or test in names or set(of_one) & set(names)]


def command(options):
    files = build.build_all(options, "run", "iso", "uefi", "test", "size")
    tests = tests_of(files)
    if options.list:
        for test, labels in sorted(tests.items()):
            print(f"{test:28s} {' '.join(labels)}")
        return 0
    chosen = choose(options.names, tests)
    words = ["ctest", "--test-dir", str(files.native), "--output-on-failure", "--no-tests=error"]
    if options.names:
        words += ["-I", "0,0,0," + ",".join(map(str, chosen))]
    return 1 if subprocess.run(words, stdin=subprocess.DEVNULL).returncode else 0
