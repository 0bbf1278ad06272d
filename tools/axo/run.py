# SPDX-License-Identifier: BSD-2-Clause
"""run.py: `axo run`: build, boot, show the kernel's log and the console until the guest ends."""
import os
import re
import signal
import struct
import sys
import termios
import time
import tty
from pathlib import Path

from . import archive, build, exec, frames, paths, qemu, root, say, scratch, snapshot, strace

ESCAPE, LEAVE = b"\x01", b"x"          # Ctrl-A x leaves, as in QEMU itself
MARK = b"\xff"                          # before what is not typed and not shown: docs/exec-stream.md, "Without --exec"

def machine_of(options, files):
    """The qemu.Machine that the flags describe."""
    if options.smp < 1 or options.smp > 64:
        raise say.usage_failure(f"--smp {options.smp} is no number of CPUs between 1 and 64")
    if getattr(options, "uefi", False) and options.iso:
        raise say.usage_failure("--iso and --uefi are two ways to boot: choose one")
    way = "uefi" if getattr(options, "uefi", False) else "iso" if getattr(options, "iso", False) else "direct"
    if getattr(options, "timeout", None) is not None and options.timeout <= 0:
        raise say.usage_failure("--timeout wants a number of seconds above zero")
    return qemu.Machine(loader=files.loader, archive=files.system, words=getattr(options, "append", "").split(),
                        mem=qemu.megabytes(options.mem or 512), smp=options.smp, cpu=options.cpu, board=options.machine,
                        icount=options.icount, way=way, extra=options.qemu_words)


MEGABYTE = 1 << 20
MEM_DEFAULT, MEM_ROOT = 512, 8      # megabytes; qemu.MEM_LEAST is enough for a root of MEM_ROOT


def memory_for(root_bytes, wanted):
    """Megabytes for a machine with a root so big; `wanted`: what --mem says, or None."""
    root_mb = -(-root_bytes // MEGABYTE)
    needed = qemu.MEM_LEAST + max(0, root_mb + root_mb // 8 - MEM_ROOT)
    if wanted is None:
        return MEM_DEFAULT if root_mb <= MEM_DEFAULT // 4 else MEM_DEFAULT // 2 + root_mb + root_mb // 4
    if qemu.megabytes(wanted) < needed:
        raise say.host_failure(f"--mem {wanted} is too little for a root of {root_mb} MB: it takes at least {needed}")
    return qemu.megabytes(wanted)


def lay_over(machine, options, files, out, extra=()):
    """Give the machine an archive of its own at `out`: --root's folder and the files `extra` over the default root, and memory for it."""
    try:
        with build.locked(files):
            size = root.for_run(files.system, out, options.root, extra)
    except root.RootError as error:
        raise say.host_failure(str(error)) from None
    except OSError as error:
        raise say.host_failure(f"--root: cannot write the archive: {error.strerror}") from None
    machine.archive, machine.mem = out, memory_for(size, options.mem)


def is_terminal():
    return sys.stdin is not None and sys.stdin.isatty()


class Terminal:
    """The person's terminal in raw mode, restored at the end. Without a terminal: nothing."""

    def __init__(self):
        self.is_one, self.resized = is_terminal(), False

    def size(self):
        """(rows, columns); zeros where there is no window."""
        try:
            return tuple(reversed(os.get_terminal_size(0))) if self.is_one else (0, 0)
        except OSError:
            return 0, 0

    def __enter__(self):
        if self.is_one:
            self.saved = termios.tcgetattr(0)
            self.last_handler = signal.signal(signal.SIGWINCH, self.resize)
            tty.setraw(0, termios.TCSADRAIN)        # what was typed ahead stays
        return self

    def __exit__(self, *_):
        if self.is_one:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)
            signal.signal(signal.SIGWINCH, self.last_handler)

    def resize(self, *_):
        self.resized = True


class Keyboard:
    """What the person types, to the console. Ctrl-A x leaves, Ctrl-A twice types one. Without a terminal bytes go as they are; at their end
    the guest is told so."""

    def __init__(self, guest, is_terminal):
        self.guest, self.is_terminal, self.escaped, self.left = guest, is_terminal, False, False

    def __call__(self, data):
        if not data:
            self.guest.send(message(frames.END_OF_FILE, bytes([frames.STDIN])))
            return True
        data = data.replace(MARK, MARK + MARK)
        if not self.is_terminal:
            self.guest.send(data)
            return True
        for byte in (bytes([value]) for value in data):
            if self.escaped and byte == LEAVE:
                self.left = True
                return False
            if self.escaped or byte != ESCAPE:
                self.guest.send(byte)
                self.escaped = False
            else:
                self.escaped = True
        return True


def message(kind, payload):
    """What goes between typed bytes."""
    return MARK + frames.encode(kind, 0, payload)


class Ending:
    """The status of the first process, which is the last that the console says, taken out of what is shown."""

    HEAD = MARK + frames.encode(frames.STATUS, 0, bytes(4))[:6]
    MOST = 1 + 2 * (5 + 4 + 4) + 2      # bytes of such a message, all of them escaped
    PATIENCE = 0.1                      # seconds that bytes which may begin it are kept back

    def __init__(self):
        self.status, self.held, self.since = None, b"", 0.0

    def shown(self, data):
        """What of `data`, and of what was kept back before, is to be shown now."""
        data, self.held = self.held + data, b""
        for start in (found.start() for found in re.finditer(re.escape(MARK), data)):
            rest = data[start:]
            end = rest.find(frames.FLAG, 2)
            if not self.HEAD.startswith(rest[:len(self.HEAD)]) or len(rest) > self.MOST and end < 0:
                continue
            if end < 0:
                self.held, self.since = rest, time.monotonic()
                return data[:start]
            frame = frames.decode(rest[2:end])
            if frame is not None and len(frame[2]) == 4:
                self.status = exec.exit_status(int.from_bytes(frame[2], "little"))
                return data[:start] + rest[end + 1:]
        return data

    def late(self):
        """What was kept back for too long."""
        if not self.held or time.monotonic() - self.since < self.PATIENCE:
            return b""
        data, self.held = self.held, b""
        return data


def show(data, raw):
    """The kernel's lines end with a newline alone: a raw terminal wants a return too."""
    if raw:
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


class Screen:
    """What the person sees: the log until the console speaks, then the console alone. UEFI firmware and GRUB talk on both ports too: when
    they are in the way, nothing is shown before the loader's or kernel's first line. The log keeps everything."""

    FIRST_LINE = re.compile(rb"^(loader|cpu|Axolotl)[: ]", re.M)

    def __init__(self, guest, behind_firmware, raw):
        self.guest, self.hidden, self.raw, self.held = guest, behind_firmware, raw, b""
        self.ending, self.at_margin = Ending(), True
        guest.listening = False         # until its console has spoken

    def put(self, data, raw):
        if data:
            show(data, raw)
            self.at_margin = data.endswith(b"\n")

    def log(self, data):
        if self.guest.listening:
            return
        if self.hidden:
            self.held += data
            start = self.FIRST_LINE.search(self.held)
            if not start:
                return
            self.hidden, data = False, self.held[start.start():]
        self.put(data, self.raw)

    def console(self, data):
        if not self.hidden:
            self.guest.listening = True
            self.put(self.ending.shown(data), False)

    def tick(self):
        self.put(self.ending.late(), False)

    def close(self):
        """On a terminal a failure's message begins at the margin; a file gets what the guest said and no byte more."""
        if not self.at_margin and self.ending.status is None and sys.stdout.isatty():
            self.put(b"\r\n" if self.raw else b"\n", False)


def tick(guest, terminal, screen):
    screen.tick()
    if terminal.resized and guest.listening:
        terminal.resized = False
        guest.send(message(frames.SIZE, struct.pack("<4H", *terminal.size(), 0, 0)))


def start_file(options):
    """What says to the first process which program it becomes: the command, or a shell on a console of the person's window's size."""
    if options.exec is not None:
        words = exec.start_words(options.exec, None if options.strace is None else "strace")
    else:
        term = re.sub(r"[^\w.+-]", "", os.environ.get("TERM", "")) if is_terminal() else ""
        words = exec.session_words(Terminal().size(), term or "vt100", options.strace is not None)
    return [(exec.START_FILE, words, 0o644)]


def interact(machine, options, files, out):
    """The first process is a shell on the console. A system without Linux programs is booted as it is."""
    if not missing_for_programs(files):
        lay_over(machine, options, files, out, start_file(options))
    elif options.root:
        lay_over(machine, options, files, out)
    return boot(machine, options, files)


def trace_of(options, screen=None):
    """The strace.Trace that --strace asks for, or None. What is no system call goes to the `screen`, if there is one."""
    if options.strace is None:
        return None
    sink = strace.open_sink(options.strace)
    if screen is None:
        return strace.Trace(sink)
    return strace.Trace(sink, screen.log, b"\r\n" if screen.raw and sink is None and os.isatty(strace.ERR) else b"\n")


def boot(machine, options, files):
    with qemu.Guest(machine, lock=build.locked(files)) as guest:
        trace = None
        try:
            if is_terminal():
                say.note("Ctrl-A x leaves, exit or Ctrl-D at the prompt ends the system")
            with Terminal() as terminal:
                keyboard = Keyboard(guest, terminal.is_one)
                screen = Screen(guest, machine.way != "direct", terminal.is_one)
                trace = trace_of(options, screen)
                try:
                    status = guest.watch(screen.console, trace or screen.log, options.timeout, None if sys.stdin is None else 0, keyboard,
                                         tick=lambda: tick(guest, terminal, screen))
                finally:
                    screen.close()
        finally:
            if trace:
                trace.close()
            guest.keep_log(files.last_log)
        if keyboard.left or status == qemu.PASS:
            return screen.ending.status or 0
        sentence, is_hosts = guest.complaint(status)
        raise (say.host_failure if is_hosts else say.guest_failure)(sentence)


def missing_for_programs(files):
    """What the system lacks to run Linux programs."""
    try:
        present = {name for name, *_ in archive.read(files.system.read_bytes())}
    except (OSError, ValueError):
        present = set()
    return [name for name in ("root", "runtime", "tty") if name not in present]


def check_served(files, flag):
    """What --exec and --strace are for needs Linux programs, and those a whole system."""
    missing = missing_for_programs(files)
    if missing:
        raise say.host_failure(f"{flag} needs a system with {', '.join(missing)}, which this one has not yet")


def execute(machine, options, files, out):
    """`--exec`: the command is what the first process becomes."""
    lay_over(machine, options, files, out, start_file(options))
    return exec.run(machine, files.last_log, options.timeout, None if sys.stdin is None else 0, trace=trace_of(options))


def snapshots_write(machine, options):
    """`--snapshot FILE`: what `service snapshot` printed to the log of this run."""
    members = {name: data for name, _, data, _ in archive.read(machine.archive.read_bytes())}
    services = snapshot.service_names(members["manifest"]) if "manifest" in members else []
    try:
        log = machine.log_copy.read_text(errors="replace") if machine.log_copy.exists() else ""
        count = snapshot.write(log, services, Path(options.snapshot))
    except OSError as error:
        raise say.host_failure(f"--snapshot: cannot write {options.snapshot}: {error.strerror}") from None
    if not count:
        raise say.host_failure("--snapshot: nobody said `service snapshot` in the guest")


def other_system(options, files, needs):
    """`--system NAME`: what to build for it."""
    if options.kpti:
        raise say.usage_failure("--system and --kpti: only the default system has a kernel with KPTI")
    files.system = files.native / f"{options.system}.cpio"
    build.build_all(options, *needs, targets=["build.ninja"])
    names = build.systems(files)
    if options.system not in names:
        raise say.usage_failure(f"--system {options.system}: there is no such system; there are {', '.join(names)}")
    return [f"archive-{options.system}", "boot-loader"]


def command(options):
    say.quiet = options.exec is not None
    if options.root and not os.path.isdir(options.root):
        raise say.host_failure(f"--root {options.root} is no directory")
    if options.snapshot:
        paths.check_writable("--snapshot", options.snapshot)
    needs = ["run", *(["iso"] if options.iso or options.uefi else []), *(["uefi"] if options.uefi else [])]
    files = paths.Build(options.build_dir, options.kpti)
    targets = [files.system.stem]
    if options.system:
        targets = other_system(options, files, needs)
    machine = machine_of(options, files)        # before the build: a wrong flag is told at once
    build.build_all(options, *needs, targets=targets)
    for flag in ("exec", "strace"):
        if getattr(options, flag) is not None:
            check_served(files, f"--{flag}")
    with scratch.Folder() as folder:
        out = folder / "archive"
        machine.log_copy = folder / "log" if options.snapshot else None
        status = execute(machine, options, files, out) if options.exec is not None else interact(machine, options, files, out)
        if options.snapshot:
            snapshots_write(machine, options)
    return status
