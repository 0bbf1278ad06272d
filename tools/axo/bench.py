# SPDX-License-Identifier: BSD-2-Clause
"""bench.py: `axo bench`: guest instructions, by -icount: one instruction a nanosecond and a tick of the TSC.

A group is a bench archive of CMake's, whose log says `bench: ID VALUE UNIT`, or `programs`: one static Linux program, booted as the first
command on Axolotl and on Debian's Linux, same binary, same machine. Each boot is done on QEMU's CPU models max and qemu64: on max, Linux
copies with string instructions, of which each repetition counts as one. What Axolotl measures itself is counted from outside as well
(count.py), and the two must agree."""
import os
import sys

from . import build, count, elf, exec, figures, frames, linux, paths, qemu, root, say, scratch

TIMEOUT = 900
PROGRAMS = "programs"
MEASURE = "bin/measure"


def groups(files):
    """{group: [archive]} as CMake wrote it down; `programs` has no archive of its own."""
    found, listed = {}, files.native / "benches.txt"
    for line in listed.read_text().splitlines() if listed.exists() else []:
        group, archive = line.split()
        found.setdefault(group, []).append(files.native / archive)
    if (files.native / "bench" / "measure").exists():
        found[PROGRAMS] = []
    return found


def ended_well(guest, status, what):
    if status != qemu.PASS:
        sentence, is_hosts = guest.complaint(status)
        raise (say.host_failure if is_hosts else say.guest_failure)(f"{what}: {sentence}")


# ---- a bench archive ----
def measure(files, archive, **machine):
    """[figure] of one boot of an archive."""
    machine = qemu.Machine(loader=files.loader, archive=archive, words=["bench"], icount=True, **machine)
    with qemu.Guest(machine) as guest:
        log = bytearray()
        status = guest.watch(lambda data: None, log.extend, TIMEOUT)
        guest.keep_log(files.last_log)
        ended_well(guest, status, archive.stem)
    return figures.gather(bytes(log), machine.cpu)


# ---- the program ----
def extra(files):
    """What goes into either root: the program, and the order to run it."""
    program = (files.native / "bench" / "measure").read_bytes()
    return [(MEASURE, program, 0o755), (exec.START_FILE, b"exec\0/" + MEASURE.encode() + b"\0", 0o644)]


class Listener(exec.Command):
    """Keeps what the command says instead of showing it."""

    def __init__(self, guest):
        super().__init__(guest)
        self.said = bytearray()

    def copy(self, kind, payload):
        if kind == frames.STDOUT:
            self.said += payload
        else:
            os.write(2, payload)


def on_axolotl(files, folder, **machine):
    root.for_run(files.system, folder / "archive", None, extra(files))
    machine = qemu.Machine(loader=files.loader, archive=folder / "archive", icount=True, **machine)
    with qemu.Guest(machine) as guest:
        command = Listener(guest)
        status = guest.watch(command.console, lambda data: None, TIMEOUT, tick=command.tick)
        guest.keep_log(files.last_log)
        ended_well(guest, status, "Axolotl")
    return figures.gather(bytes(command.said), machine.cpu)


def on_linux(files, cpu, folder):
    linux.initramfs(files, folder / "initramfs", None, extra(files))
    with qemu.Guest(linux.machine(files, folder / "initramfs", icount=True, cpu=cpu)) as guest:
        said = bytearray()
        status = guest.watch(said.extend, lambda data: None, TIMEOUT)
        ended_well(guest, status, "Linux")
    return figures.gather(bytes(said), cpu, "linux")


# ---- counted from outside ----
def program_of(files, group):
    """The ELF file with the group's marks."""
    return files.native / "bench" / "measure.symbols" if group == PROGRAMS else files.symbols / f"bench-{group}"


def counted(files, group, archives, cpu):
    """([figure], [count.Group]) of one boot of a group on Axolotl; no groups where nothing is marked."""
    program, found = program_of(files, group), []
    with scratch.Folder() as folder:
        has_marks = program.exists() and count.plugin(files).exists()
        words = count.qemu_words(files, folder, elf.Elf(program)) if has_marks else []
        if group == PROGRAMS:
            found = on_axolotl(files, folder, cpu=cpu, extra=words)
        for archive in archives:
            found += measure(files, archive, cpu=cpu, extra=words)
        windows = count.read(folder, count.images(files, ("measure", program))) if has_marks else []
    if not found:
        raise say.guest_failure(f"{group} measured nothing")
    return found, windows


def run(files, group, archives, cpu):
    """[figure] of a group, on Linux too if it is `programs`."""
    found, windows = counted(files, group, archives, cpu)
    if windows:
        wrong = count.compare(found, windows)
        if wrong:
            raise say.guest_failure(f"{group} on {cpu}: counted from outside, {'; '.join(wrong)}")
    if group == PROGRAMS:
        with scratch.Folder() as folder:
            found += on_linux(files, cpu, folder)
    return found


def take_apart(files, known, options):
    """Print which instructions one operation is made of."""
    name, show = (options.profile, count.profile) if options.profile else (options.trace, count.trace)
    for group in [options.group] if options.group else sorted(known):
        say.note(f"counting {group} on {options.cpu}")
        found, windows = counted(files, group, known[group], options.cpu)
        for figure, window in zip(found, windows):
            if figures.name_of(figure) == name and window.trace:
                print("\n".join(show(window)))
                return 0
    raise say.usage_failure(f"no bench marks {name!r}; those that `./axo bench` shows may be taken apart, but `boot`")


def command(options):
    if options.json not in (None, "-"):
        paths.check_writable("--json", options.json)
    files = build.build_all(options, "run", targets=["benches"])
    known = groups(files)
    if options.list:
        print("\n".join(sorted(known)))
        return 0
    if options.group and options.group not in known:
        raise say.usage_failure(f"there is no bench group {options.group!r}; groups: {', '.join(sorted(known)) or 'none'}")
    if not known:
        raise say.host_failure("there is nothing to measure in this tree yet")
    if options.profile or options.trace:
        return take_apart(files, known, options)
    found = []
    for group in [options.group] if options.group else sorted(known):
        for cpu in figures.CPUS:
            say.note(f"measuring {group} on {cpu}")
            found += run(files, group, known[group], cpu)
    lines = figures.markdown(found) if options.markdown else figures.table(found)
    print("\n".join(lines), file=sys.stderr if options.json == "-" else sys.stdout, flush=True)
    if options.json:
        figures.write(found, options.json)
    return 0
