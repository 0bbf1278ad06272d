# SPDX-License-Identifier: BSD-2-Clause
"""size.py: `axo size`: code lines, by cloc, of every file that is compiled into the kernel, and how long its functions are.
Generated headers are shown apart: they repeat the interface files."""
import csv
import io
import re
import statistics
import subprocess

from . import build, paths, say

LIMIT, FILE_LIMIT, BAR = 5000, 400, 40
FUNCTION_LIMIT = 15     # lines that the median function stays below
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


def functions(text):
    """{name: lines} of the functions of a C file in house style, from the line of the name to the closing brace."""
    found, start, name = {}, None, ""
    for at, line in enumerate(text.splitlines()):
        plain = re.sub(r"__attribute__\(\(.*?\)\)+", "", line)
        called = re.match(r"(?!struct \w+ {|enum|extern|typedef)\w[^;=]*?\b(\w+)\(", plain)
        if called and not plain.endswith(";"):
            start, name = at, called.group(1)
        if start is not None and (line == "}" or (start == at and line.endswith("}"))):
            found[name], start = at - start + 1, None
    return found


def function_verdict(lengths):
    """(what there is to say, the sentence about what is too long or None) about {(file, function): lines}."""
    median, (longest, most) = statistics.median(lengths.values()), max(lengths.items(), key=lambda entry: entry[1])
    said = f"{len(lengths)} functions, the median has {median:g} lines, the longest {most}: {longest[1]} in {longest[0]}"
    return said, f"the kernel's median function has {median:g} lines, not below {FUNCTION_LIMIT}" if median >= FUNCTION_LIMIT else None


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
    said, problem = function_verdict({(path.name, name): length for path in own if path.suffix in (".c", ".h")
                                      for name, length in functions(path.read_text()).items()})
    print(said)
    problems = [problem for problem in (verdict(lines), problem) if problem]
    for problem in problems:
        say.error(problem)
    return 1 if problems else 0
