# SPDX-License-Identifier: BSD-2-Clause
"""fuzz.py: `axo fuzz`: the kernel on the host under libFuzzer, step by step beside a model of it (test/fuzz-kernel).

The stored seeds are replayed first. What is found on the way is kept in build/fuzz-kernel/found for the next time, an input that fails
in build/fuzz-kernel. Rule: a run counts only if the program itself said at its end how many calls were done and compared."""
import contextlib
import hashlib
import os
import re
import subprocess
import time
from pathlib import Path

from . import build, ending, paths, say, scratch

SEEDS = paths.TOP / "test" / "fuzz-kernel" / "corpus"
PROGRAM = Path("host") / "fuzz-kernel" / "fuzz" / "fuzz"
REPORT = re.compile(r"^fuzz-kernel: (\d+) calls in .* after (\d+) steps compared with the model, after (\d+) not", re.M)
KEPT = re.compile(r"Test unit written to (\S+)")
COMPARED = 0.9          # of all steps: with fewer, the model would hardly see what goes wrong
SEED_BYTES = 200 << 10  # all stored seeds together


def log_of(files, job):
    return files.folder / "fuzz-kernel" / f"log-{job}"


def calls_done(output):
    return int((REPORT.findall(output) or [(0,)])[-1][0])


def fuzzers(files, jobs, wanted=None):
    """[(status, output)] of fuzzers that run at the same time and are to do `wanted` calls in all. `jobs`: {name: (arguments, environment)};
    what one says goes to fuzz-kernel/log-NAME, too."""
    folder = files.folder / "fuzz-kernel"
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        processes = []
        for job, (words, variables) in jobs.items():
            log = stack.enter_context(open(log_of(files, job), "w"))
            processes.append(stack.enter_context(ending.session([str(files.native / PROGRAM), f"-artifact_prefix={folder}/", *words],
                                                                stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ, **variables))))
        with say.Progress("fuzzing") as progress:
            while any(process.poll() is None for process in processes):
                time.sleep(0.5)
                progress.step(sum(calls_done(log_of(files, job).read_text(errors="replace")) for job in jobs), wanted)
    return [(process.returncode, log_of(files, job).read_text(errors="replace")) for process, job in zip(processes, jobs)]


def fuzzer(files, job, words, **variables):
    return fuzzers(files, {job: (words, variables)})[0]


def replay(files, seed):
    """One input, with a line for each of its steps."""
    if not seed.is_file():
        raise say.usage_failure(f"--seed: there is no file {seed}")
    status, output = fuzzer(files, "seed", ["-detect_leaks=0", str(seed)], AXO_TRANSCRIPT="1")
    begin = re.search(r"^Running: .*\n", output, re.M)
    print(re.split(r"^Executed ", output[begin.end() if begin else 0:], 1, re.M)[0], end="")
    return status and 1


def explain(files, job, output):
    """What to look at first after a failure."""
    lines = output.splitlines()
    first = next((number for number, line in enumerate(lines) if re.search(r"^(fuzz-kernel:|==\d+==)|runtime error", line)), 0)
    print("\n".join(lines[first:first + 60]))
    kept = KEPT.search(output)
    say.error(f"the input is kept; replay it with `./axo fuzz --seed {kept[1]}`" if kept else
              f"the fuzzer failed; all that it said is in {log_of(files, job)}")


def judge(files, job, output, status, wanted):
    """Whether one job did its share: so many calls, and hardly a step that the model could not follow."""
    reports = list(REPORT.finditer(output))
    if status or not reports:
        explain(files, job, output)
        return False
    print(output[reports[-1].start():].splitlines()[0])
    calls, compared, others = (int(number) for number in reports[-1].groups())
    if calls < wanted or compared < COMPARED * (compared + others):
        say.error(f"too little was done: {calls} of {wanted} calls, {compared} steps compared, {others} not")
        return False
    return True


def fuzz(files, options, found):
    """Seeds, then new inputs until so many calls are done, by each job its share."""
    share = -(-options.calls // options.jobs)
    jobs = {str(options.random + number): ([f"-seed={options.random + number}", "-verbosity=0", "-detect_leaks=0", str(found), str(SEEDS)],
                                           {"AXO_CALLS": str(share)}) for number in range(options.jobs)}
    ended = zip(jobs, fuzzers(files, jobs, options.calls))
    good = [judge(files, job, output, status, share) for job, (status, output) in ended]
    return 0 if all(good) else 1


def merged(files, folder, found, *words):
    """The fewest of all inputs that reach what all of them reach."""
    status, output = fuzzer(files, "merge", ["-merge=1", "-set_cover_merge=1", "-detect_leaks=0", *words, str(folder), str(found), str(SEEDS)])
    chosen = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if status or not chosen:
        raise say.host_failure(f"the seeds could not be merged; {log_of(files, 'merge')} says why")
    return chosen


def keep(files, found):
    """The fewest inputs that reach every branch become stored seeds, then those that reach one unusually often, the shortest first, until
    there is no more room. Those that were stored stay: they may be what a mutant dies of."""
    with scratch.Folder() as branches, scratch.Folder() as counts:
        stored = {path.read_bytes() for path in SEEDS.iterdir()}
        inputs = [path.read_bytes() for path in merged(files, branches, found, "-use_counters=0")]
        inputs += sorted((path.read_bytes() for path in merged(files, counts, found)), key=len)
        room = SEED_BYTES - sum(map(len, stored))
        for data in inputs:
            if data not in stored and len(data) <= room:
                stored.add(data)
                room -= len(data)
                (SEEDS / hashlib.sha1(data).hexdigest()[:12]).write_bytes(data)
    print(f"{len(stored)} seeds of {SEED_BYTES - room} bytes are stored in {SEEDS.relative_to(paths.TOP)}")
    return 0


def command(options):
    if options.calls < 1:
        raise say.usage_failure(f"--calls {options.calls}: at least one")
    if options.jobs < 1:
        raise say.usage_failure(f"--jobs {options.jobs}: at least one")
    files = build.build_all(options, "test", targets=[str(PROGRAM)])
    if options.seed:
        return replay(files, Path(options.seed))
    found = files.folder / "fuzz-kernel" / "found"
    found.mkdir(parents=True, exist_ok=True)
    if options.keep:
        return keep(files, found)
    if not options.fresh:
        return fuzz(files, options, found)
    with scratch.Folder() as folder:
        return fuzz(files, options, folder)
