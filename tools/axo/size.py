# SPDX-License-Identifier: BSD-2-Clause
"""size.py: `axo size`: code lines, by cloc, of every file that is compiled into the kernel. Generated headers are shown
apart: they repeat the interface files."""
import csv
import io
import subprocess

from . import build, paths, say

LIMIT, FILE_LIMIT, BAR = 5000, 400, 40
MILESTONE = 4600        # of LIMIT until there are several CPUs: they have to fit in the rest


def kernel_files(files):
    """(files of the tree, generated files) behind the kernel's objects: sources, and the headers they included."""
    def ninja(*words):
        return subprocess.run(["ninja", "-C", str(files.native), "-t", *words], capture_output=True, text=True).stdout

    objects = [line.strip() for line in ninja("inputs", "bin/kernel").splitlines() if "CMakeFiles/kernel.dir/" in line]
    if not objects:
        raise say.host_failure("no kernel is built here")
    named = {line.strip() for line in ninja("deps", *objects).splitlines() if line.startswith(" ")}
    found = {(files.native / name).resolve() for name in named}
    found |= set((paths.TOP / "kernel").rglob("kernel.ld"))
    generated = {path for path in found if path.is_relative_to(files.native)}
    return sorted(path for path in found - generated if path.is_relative_to(paths.TOP)), sorted(generated)


def count(chosen):
    """{file: code lines} by cloc; a file that it does not count is an error."""
    if not chosen:
        return {}
    words = ["cloc", "--by-file", "--csv", "--quiet", "--skip-uniqueness", "--force-lang=C,def", "--force-lang=C,ld",
             "--list-file=-"]
    answer = subprocess.run(words, input="\n".join(map(str, chosen)), capture_output=True, text=True)
    rows = csv.DictReader(io.StringIO(answer.stdout.strip()))
    lines = {row["filename"]: int(row["code"]) for row in rows if row["language"] != "SUM"}
    lost = [str(path) for path in chosen if str(path) not in lines and path.read_text().strip()]
    if lost:
        raise say.host_failure(f"cloc did not count {', '.join(lost)}")
    return {path: lines.get(str(path), 0) for path in chosen}


def table(lines):
    longest = max(lines.values(), default=1)
    for path, code in sorted(lines.items(), key=lambda entry: -entry[1]):
        mark = " over the limit" if code > FILE_LIMIT else ""
        print(f"{path.relative_to(paths.TOP)!s:40s} {code:5d} {'█' * round(code * BAR / max(longest, 1))}{mark}")


def verdict(lines):
    """The sentence about what is too large, or None."""
    total, large = sum(lines.values()), [path for path, code in lines.items() if code > FILE_LIMIT]
    if large:
        return f"over {FILE_LIMIT} code lines: {', '.join(path.name for path in large)}"
    exceeded = next((limit for limit in (LIMIT, MILESTONE) if total > limit), None)
    return f"the kernel has {total} code lines, over {exceeded}" if exceeded else None


def command(options):
    files = build.build_all(options, "size", targets=["kernel"])
    own, generated = kernel_files(files)
    lines = count(own)
    table(lines)
    print(f"{'total':40s} {sum(lines.values()):5d} of {MILESTONE} now, {LIMIT} in the end, in {len(lines)} files; "
          f"generated beside it: {sum(count(generated).values())} in {len(generated)}")
    problem = verdict(lines)
    if problem:
        say.error(problem)
    return 1 if problem else 0
