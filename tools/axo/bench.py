# SPDX-License-Identifier: BSD-2-Clause
"""bench.py: `axo bench`: guest instructions, by -icount: one instruction a nanosecond and a tick of the TSC.

A group is a bench archive of CMake's, whose log says `bench: ID VALUE UNIT`; or `programs`, a Linux program of ours that says the same, on both
systems (programs.py); or `lat`, another one (lat.py); or `latency`, for how long interrupts are off (stretch.py). Each boot is done on QEMU's CPU models max and qemu64: on max, Linux copies with string
instructions, of which each repetition counts as one. What `kernel` and `programs` measure on Axolotl is counted from outside as well (count.py),
and the two must agree."""
import sys

from . import build, count, document, elf, figures, lat, paths, programs, qemu, say, scratch, stretch

TIMEOUT = 900
KERNEL, PROGRAMS, LAT, LATENCY = "kernel", "programs", "lat", "latency"
MEASURE = "measure"


def groups(files):
    """{group: [archive]} as CMake wrote it down; Linux programs have no archive of their own."""
    found, listed = {}, files.native / "benches.txt"
    for line in listed.read_text().splitlines() if listed.exists() else []:
        group, archive = line.split()
        found.setdefault(group, []).append(files.native / archive)
    for group, program in ((PROGRAMS, measure_program(files)), (LAT, lat.program(files))):
        if program.exists():
            found[group] = []
    return found


def measure_program(files):
    return files.native / "bench" / MEASURE


def ended_well(guest, status, what):
    if status != qemu.PASS:
        sentence, is_hosts = guest.complaint(status)
        raise (say.host_failure if is_hosts else say.guest_failure)(f"{what}: {sentence}")


# ---- a bench archive ----
def with_kpti(archive):
    return archive.with_name(f"{archive.stem}-kpti.cpio")


def measure(files, archive, **machine):
    """[figure] of one boot of an archive."""
    if files.kpti:
        archive = with_kpti(archive)
    machine = qemu.Machine(loader=files.loader, archive=archive, words=["bench"], icount=True, **machine)
    with qemu.Guest(machine) as guest:
        log = bytearray()
        status = guest.watch(lambda data: None, log.extend, TIMEOUT)
        guest.keep_log(files.last_log)
        ended_well(guest, status, archive.stem)
    return figures.gather(bytes(log), machine.cpu, "kpti" if files.kpti else "axolotl")


# ---- the program ----
def measured(files, system, cpu, folder, **machine):
    """[figure] of one boot of the program."""
    order = programs.Order([measure_program(files)], [MEASURE])
    return figures.gather(programs.SYSTEMS[system](files, folder, order, cpu=cpu, **machine).check(system), cpu, system)


# ---- counted from outside ----
def program_of(files, group):
    """The ELF file with the group's marks."""
    return measure_program(files).with_suffix(".symbols") if group == PROGRAMS else files.symbols / f"bench-{group}"


def counted(files, group, archives, cpu):
    """([figure], [count.Group]) of one boot of a group on Axolotl; no groups where nothing is marked."""
    program, found = program_of(files, group), []
    with scratch.Folder() as folder:
        has_marks = program.exists() and count.plugin(files).exists()
        words = count.qemu_words(files, folder, elf.Elf(program)) if has_marks else []
        if group == PROGRAMS:
            found = measured(files, "axolotl", cpu, folder, extra=words)
        for archive in archives:
            found += measure(files, archive, cpu=cpu, extra=words)
        windows = count.read(folder, count.images(files, ("measure", program))) if has_marks else []
    if not found:
        raise say.guest_failure(f"{group} measured nothing")
    return found, windows


def run(files, group, archives, cpu, picked=()):
    """[figure] of a group, on Linux too if it is Linux programs; `picked`: rows of `lat`."""
    if group == LAT:
        return lat.measure(files, cpu, picked)
    found, windows = counted(files, group, archives, cpu)
    if windows:
        wrong = count.compare(found, windows)
        if wrong:
            raise say.guest_failure(f"{group} on {cpu}: counted from outside, {'; '.join(wrong)}")
    if group == PROGRAMS:
        with scratch.Folder() as folder:
            found += measured(files, "linux", cpu, folder)
    return found


def stretches(files, cpus):
    """([figure], {(scene, cpu): Result}) of `latency`."""
    found, results = [], {}
    for scene in stretch.SCENES:
        for cpu in cpus:
            say.note(f"measuring {scene} on {cpu}")
            results[scene, cpu] = stretch.run(files, scene, cpu)
            words = {"id": ".".join([scene, *figures.qualifiers(cpu, "axolotl")]), "what": figures.operations()[scene][1]}
            found.append(stretch.figure(cpu, results[scene, cpu], words))
    return found, results


def take_apart(files, known, options):
    """Print which instructions one operation is made of."""
    name, show = (options.profile, count.profile) if options.profile else (options.trace, count.trace)
    for group in [options.group] if options.group else sorted(known.keys() - {LAT, LATENCY}):
        cpu = options.cpu or figures.CPUS[0]
        say.note(f"counting {group} on {cpu}")
        found, windows = counted(files, group, known[group], cpu)
        for figure, window in zip(found, windows):
            if figures.name_of(figure) == name and window.trace:
                print("\n".join(show(window)))
                return 0
    raise say.usage_failure(f"no bench marks {name!r}; those that `./axo bench` shows may be taken apart, but `boot`")


def command(options):
    if options.json not in (None, "-"):
        paths.check_writable("--json", options.json)
    picked = options.rows.split(",") if options.rows else []
    lat.choose(picked)
    if picked and options.group != LAT:
        raise say.usage_failure(f"--rows picks rows of `axo bench {LAT}`")
    if options.docs and (picked or options.cpu):
        raise say.usage_failure("--docs wants all rows and both CPUs")
    if options.kpti and options.group != KERNEL:
        raise say.usage_failure(f"--kpti goes with `axo bench {KERNEL}`")
    files = build.build_all(options, "run", *(["charts"] if options.docs else []), targets=["benches"])
    known = groups(files)
    if options.list:
        print("\n".join(sorted(known)))
        return 0
    if options.group and options.group not in known:
        raise say.usage_failure(f"there is no bench group {options.group!r}; groups: {', '.join(sorted(known)) or 'none'}")
    if not known:
        raise say.host_failure("there is nothing to measure in this tree yet")
    if options.profile or options.trace:
        if options.group in (LAT, LATENCY):
            raise say.usage_failure(f"{options.group} has no marks; `axo bench {PROGRAMS}` has the same operations, one at a time")
        return take_apart(files, known, options)
    return measure_groups(paths.Build(options.build_dir), known, options, picked)


def shown(group, found, results, is_markdown):
    """Lines: a group's table, with what belongs to `latency` below."""
    lines = figures.markdown(found) if is_markdown else figures.table(found)
    if group == LATENCY:
        lines += stretch.markdown(results) if is_markdown else stretch.report(results)
    return lines


def measure_groups(files, known, options, picked):
    cpus, everything, tables = [options.cpu] if options.cpu else figures.CPUS, [], {}
    for group in [options.group] if options.group else sorted(known):
        found, results = [], {}
        if group == LATENCY:
            found, results = stretches(files, cpus)
        else:
            for cpu in cpus:
                say.note(f"measuring {group} on {cpu}")
                found += run(files, group, known[group], cpu, picked)
                if group == KERNEL and (options.kpti or options.docs):
                    say.note(f"measuring {group} with KPTI on {cpu}")
                    found += run(paths.Build(options.build_dir, True), group, known[group], cpu)
        everything += found
        tables[group] = found, shown(group, found, results, True)
        print("\n".join(shown(group, found, results, options.markdown)), file=sys.stderr if options.json == "-" else sys.stdout, flush=True)
    if options.json:
        figures.write(everything, options.json)
    if options.docs:
        document.write(tables)
    return 0
