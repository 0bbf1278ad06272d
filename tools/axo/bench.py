# SPDX-License-Identifier: BSD-2-Clause
"""bench.py: `axo bench`: guest instructions, by -icount: one instruction a nanosecond and a tick of the TSC.

A group is a bench archive of CMake's, whose log says `bench: ID VALUE UNIT`, or `programs`: one static Linux program, booted as the first
command on Axolotl and on Debian's Linux, same binary, same machine. Each boot is done on QEMU's CPU models max and qemu64: on max, Linux
copies with string instructions, of which each repetition counts as one. A figure's id is ID, its qualifiers follow after points: `.linux`,
`.qemu64`."""
import json
import os
import re
import sys

from . import build, count, elf, exec, frames, linux, paths, qemu, root, say, scratch

LINE = re.compile(rb"^bench: (\S+) (-?[0-9]+(?:\.[0-9]+)?) (\S+)\r?$", re.M)
TIMEOUT = 900
CPUS = ("max", "qemu64")
PROGRAMS = "programs"
MEASURE = "bin/measure"
GOALS = paths.TOP / "test" / "bench" / "goals.txt"


def groups(files):
    """{group: [archive]} as CMake wrote it down; `programs` has no archive of its own."""
    found, listed = {}, files.native / "benches.txt"
    for line in listed.read_text().splitlines() if listed.exists() else []:
        group, archive = line.split()
        found.setdefault(group, []).append(files.native / archive)
    if (files.native / "bench" / "measure").exists():
        found[PROGRAMS] = []
    return found


def goals():
    """{id: instructions}"""
    lines = [line.split("#")[0].split() for line in GOALS.read_text().splitlines()]
    return {words[0]: int(words[1]) for words in lines if words}


def figures(log, *qualifiers):
    """[{"id", "value", "unit"}] of what was printed, in order."""
    return [{"id": ".".join([name.decode(), *qualifiers]), "value": float(value) if b"." in value else int(value), "unit": unit.decode()}
            for name, value, unit in LINE.findall(log)]


def qualifiers(cpu, *more):
    return [*more, *([] if cpu == CPUS[0] else [cpu])]


def ended_well(guest, status, what):
    if status != qemu.PASS:
        sentence, is_hosts = guest.complaint(status)
        raise (say.host_failure if is_hosts else say.guest_failure)(f"{what}: {sentence}")


# ---- a bench archive ----
def measure(files, archive, cpu, extra=()):
    machine = qemu.Machine(loader=files.loader, archive=archive, words=["bench"], icount=True, cpu=cpu, extra=list(extra))
    with qemu.Guest(machine) as guest:
        log = bytearray()
        status = guest.watch(lambda data: None, log.extend, TIMEOUT)
        guest.keep_log(files.last_log)
        ended_well(guest, status, archive.stem)
    return figures(bytes(log), *qualifiers(cpu))


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


def on_axolotl(files, cpu, folder, words=()):
    root.for_run(files.system, folder / "archive", None, extra(files))
    machine = qemu.Machine(loader=files.loader, archive=folder / "archive", icount=True, cpu=cpu, extra=list(words))
    with qemu.Guest(machine) as guest:
        command = Listener(guest)
        status = guest.watch(command.console, lambda data: None, TIMEOUT, tick=command.tick)
        guest.keep_log(files.last_log)
        ended_well(guest, status, "Axolotl")
    return figures(bytes(command.said), *qualifiers(cpu))


def on_linux(files, cpu, folder):
    linux.initramfs(files, folder / "initramfs", None, extra(files))
    with qemu.Guest(linux.machine(files, folder / "initramfs", icount=True, cpu=cpu)) as guest:
        said = bytearray()
        status = guest.watch(said.extend, lambda data: None, TIMEOUT)
        ended_well(guest, status, "Linux")
    return figures(bytes(said), *qualifiers(cpu, "linux"))


def run_programs(files, cpu):
    with scratch.Folder() as folder:
        found = on_axolotl(files, cpu, folder) + on_linux(files, cpu, folder)
    if not found:
        raise say.guest_failure("the program measured nothing")
    return found


# ---- counted from outside ----
def counted(files, group, archives, cpu):
    """[(figure, count.Group)] of one boot of a group."""
    with scratch.Folder() as folder:
        if group == PROGRAMS:
            program = files.native / "bench" / "measure.symbols"
            words = count.qemu_words(files, folder, elf.Elf(program))
            found = on_axolotl(files, cpu, folder, words)
            known = count.images(files, ("measure", program))
        else:
            program = files.symbols / f"bench-{group}"
            words, found = count.qemu_words(files, folder, elf.Elf(program)), []
            for archive in archives:
                found += measure(files, archive, cpu, words)
            known = count.images(files)
        groups = count.read(folder, known)
    if len(groups) != len(found):
        raise say.guest_failure(f"{group} printed {len(found)} figures and marked {len(groups)}")
    return list(zip(found, groups))


def one_operation(files, known, options):
    """Print where the instructions of one operation are spent."""
    name, cpu = options.profile or options.trace, options.cpu
    for group in [options.group] if options.group else sorted(known):
        say.note(f"counting {group} on {cpu}")
        for figure, found in counted(files, group, known[group], cpu):
            if figure["id"].split(".")[0] == name:
                if not found.trace:
                    raise say.usage_failure(f"{name} is no operation that could be taken apart")
                print("\n".join(count.profile(found) if options.profile else count.trace(found)))
                return 0
    raise say.usage_failure(f"no bench measures {name!r}; `./axo bench` shows what there is")


# ---- what is shown ----
COLUMNS = ("", ".qemu64", ".linux", ".linux.qemu64")


def table(found):
    """The figures as lines: an id a line, a column a CPU and system, and our goal where there is one."""
    known = {figure["id"]: figure for figure in found}
    names = list(dict.fromkeys(figure["id"].split(".linux")[0].removesuffix(".qemu64") for figure in found))
    wanted = goals()
    lines = [f"{'instructions':24s} {'max':>13s} {'qemu64':>13s} {'Linux max':>13s} {'Linux qemu64':>13s} {'goal':>8s}"]
    for name in names:
        cells = [known.get(name + column) for column in COLUMNS]
        values = " ".join(f"{cell['value'] if cell else '':>13}" for cell in cells)
        units = {cell["unit"] for cell in cells if cell} - {"instructions"}
        lines.append(f"{name:24s} {values} {wanted.get(name, ''):>8} {' '.join(units)}".rstrip())
    return lines


def write(found, file):
    text = json.dumps(found, indent=1) + "\n"
    if file == "-":
        print(text, end="")
        return
    try:
        with open(file, "w") as out:
            out.write(text)
    except OSError as problem:
        raise say.host_failure(f"cannot write {file}: {problem.strerror}") from None


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
        return one_operation(files, known, options)
    found = []
    for group in [options.group] if options.group else sorted(known):
        for cpu in CPUS:
            say.note(f"measuring {group} on {cpu}")
            for archive in known[group]:
                found += measure(files, archive, cpu)
            if group == PROGRAMS:
                found += run_programs(files, cpu)
    print("\n".join(table(found)), file=sys.stderr if options.json == "-" else sys.stdout, flush=True)
    if options.json:
        write(found, options.json)
    return 0
