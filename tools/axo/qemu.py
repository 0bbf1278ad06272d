# SPDX-License-Identifier: BSD-2-Clause
"""qemu.py: one boot in QEMU, watched from start to end.

The guest's first serial port is the console of the serial driver, the second the kernel's log. Both come through a
socket pair each, so that nothing of a run has a name that another run could take. The guest ends through
isa-debug-exit at port 0xf4: what it writes there, v, becomes QEMU's status 2v + 1; PASS is the only good one."""
import fcntl
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import ending, say, scratch

PASS = 33               # the guest wrote 0x10
STATUS_NAMES = {PASS: "the guest ended well", 7: "the loader refused to boot", 11: "the kernel stopped itself",
                35: "the guest reported a failure"}
FIRMWARE = Path("/usr/share/ovmf/OVMF.fd")
MEM_LEAST, MEM_MOST = 64, 1 << 20      # megabytes
SOME = 65536
TICK = 0.05             # seconds between two calls of watch's tick
GATHER = 0.001          # seconds between two looks: QEMU hands over byte by byte


def megabytes(word):
    """512, 512M, 1G -> megabytes."""
    found = re.fullmatch(r"(\d+)([MG]?)", str(word))
    if not found:
        raise say.usage_failure(f"--mem {word} is no amount of memory; write megabytes, or 1G")
    amount = int(found[1]) * (1024 if found[2] == "G" else 1)
    if not MEM_LEAST <= amount <= MEM_MOST:
        raise say.usage_failure(f"--mem {word} is not between {MEM_LEAST} MB and {MEM_MOST >> 10} GB")
    return amount


@dataclass
class Machine:
    """What to boot, and on what."""
    loader: Path
    archive: Path
    words: list = field(default_factory=list)       # the kernel's command line
    mem: int = 512                                  # megabytes
    smp: int = 1
    cpu: str = "max"
    board: str = None
    icount: bool = False
    way: str = "direct"                             # direct, iso, uefi
    extra: list = field(default_factory=list)       # QEMU arguments of the caller
    log_copy: Path = None                           # where this run's log is wanted, too

    def command_line(self):
        return " ".join([*self.words, *(["icount"] if self.icount else [])])


def make_iso(machine, folder):
    """A GRUB2 image of the machine's loader and archive, for BIOS or UEFI."""
    tree = folder / "iso"
    (tree / "boot" / "grub").mkdir(parents=True)
    shutil.copyfile(machine.loader, tree / "boot" / "loader")
    shutil.copyfile(machine.archive, tree / "boot" / "archive.cpio")
    (tree / "boot" / "grub" / "grub.cfg").write_text(
        f"multiboot2 /boot/loader {machine.command_line()}\nmodule2 /boot/archive.cpio\nboot\n")
    image = folder / "axolotl.iso"
    kind, more = ("x86_64-efi", "") if machine.way == "uefi" else ("i386-pc", " part_msdos biosdisk")
    words = ["grub-mkrescue", "-d", f"/usr/lib/grub/{kind}", f"--install-modules=multiboot2 normal iso9660{more}",
             "--fonts=", "--locales=", "--themes=", "-o", str(image), str(tree)]
    answer = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=dict(os.environ, TMPDIR=str(folder)))
    if answer.returncode or not image.exists():
        last = (answer.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise say.host_failure(f"grub-mkrescue made no image: {last}")
    return image


def command(machine, folder, console, log):
    """QEMU's words. `console` and `log` are inherited sockets."""
    board = machine.board or ("q35" if machine.way == "uefi" else "pc")
    threads = "multi" if machine.smp > 1 and not machine.icount else "single"
    words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none",
             "-machine", board, "-accel", f"tcg,thread={threads}", "-cpu", machine.cpu,
             "-m", str(machine.mem), "-smp", str(machine.smp), "-rtc", "base=utc", "-no-reboot",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
             "-chardev", f"socket,id=console,fd={console}", "-serial", "chardev:console",
             "-chardev", f"socket,id=log,fd={log}", "-serial", "chardev:log"]
    if machine.icount:
        words += ["-icount", "shift=0,sleep=off"]
    if machine.way == "direct":
        words += ["-kernel", str(machine.loader), "-initrd", str(machine.archive), "-append", machine.command_line()]
    else:
        words += ["-cdrom", str(make_iso(machine, folder)), "-boot", "d"]
    if machine.way == "uefi":
        words += ["-bios", str(FIRMWARE)]
    return words + machine.extra


class Ready:
    """A selector that is told each time what is wanted, and changes no more than differs."""

    def __enter__(self):
        self.selector, self.now = selectors.PollSelector(), {}
        return self

    def __exit__(self, *_):
        self.selector.close()

    def of(self, wanted, seconds):
        """[(source, events)] in the order of `wanted`, once one is ready or the time is over."""
        for source in self.now.keys() - wanted.keys():
            self.selector.unregister(source)
        for source, events in wanted.items():
            if source not in self.now:
                self.selector.register(source, events)
            elif self.now[source] != events:
                self.selector.modify(source, events)
        self.now = wanted
        happened = {key.fileobj: events for key, events in self.selector.select(seconds)}
        return [(source, happened[source]) for source in wanted if source in happened]


class Guest:
    """A running QEMU. `watch` feeds what the serial ports say to two functions until it ends."""

    def __init__(self, machine, debugged=False, lock=None):
        """`lock`: a context in which the files are complete; with it the guest gets copies, since others may build on."""
        for part in (machine.loader, machine.archive):
            if not part.exists():
                raise say.host_failure(f"there is no {part} to boot")
        if shutil.which("qemu-system-x86_64") is None:
            raise say.host_failure("qemu-system-x86_64 is not installed")
        self.scratch = scratch.Folder()
        self.folder = self.scratch.path
        self.log_path = self.folder / "boot.log"
        self.log_copy = machine.log_copy
        self.errors = open(self.folder / "qemu.err", "w+")
        self.process, self.unsent = None, bytearray()
        self.listening = True
        self.debug_socket = self.folder / "gdb"
        try:
            if lock is not None:
                with lock:
                    self.copy_files(machine)
            self.start(machine, debugged)
        except BaseException:
            self.close()
            raise

    def copy_files(self, machine):
        for part in ("loader", "archive"):
            shutil.copyfile(getattr(machine, part), self.folder / part)
            setattr(machine, part, self.folder / part)

    def start(self, machine, debugged):
        self.console, console_end = socket.socketpair()
        self.log, log_end = socket.socketpair()
        ends = [console_end.fileno(), log_end.fileno()]
        words = command(machine, self.folder, *ends)
        if debugged:
            words += ["-S", "-chardev", f"socket,id=gdb,path={self.debug_socket},server=on,wait=off", "-gdb", "chardev:gdb"]
        self.process = subprocess.Popen(ending.with_parent(words), stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors,
                                        pass_fds=ends, start_new_session=True)
        console_end.close()
        log_end.close()
        self.started, self.ran_out = time.monotonic(), ""
        while debugged and not self.debug_socket.exists() and self.process.poll() is None:
            time.sleep(0.01)

    def send(self, data):
        """Type bytes into the console. They wait here while the guest takes none, or is not `listening`: firmware, and a
        driver that clears its FIFO at the start, would swallow them."""
        self.unsent += data

    def on_its_way(self):
        """Bytes that were sent and that QEMU has not read; a little more than there are, but 0 if there are none."""
        if self.console.fileno() < 0:
            return 0
        return len(self.unsent) + int.from_bytes(fcntl.ioctl(self.console, termios.TIOCOUTQ, bytes(4)), sys.byteorder)

    def watch(self, on_console, on_log, timeout=None, typed=None, on_typed=None, wants=lambda: True, tick=None):
        """Until QEMU ends or `timeout` seconds after its start. `typed` is a descriptor to read while `wants()`, `on_typed`
        gets what it says (b"" at its end) and answers False to stop. `tick` is called every TICK seconds or more often.
        Returns QEMU's status; None: the time ran out."""
        log_file = open(self.log_path, "wb")
        hears = {self.log: lambda data: (log_file.write(data), on_log(data)), self.console: on_console}
        with log_file, Ready() as ready:
            while hears:
                left = None if timeout is None else self.started + timeout - time.monotonic()
                if left is not None and left <= 0:
                    self.stop()
                    self.ran_out = f" after {timeout:g} s"
                    return None
                wanted = {port: selectors.EVENT_READ for port in hears}     # the log first: it is the older news
                if self.unsent and self.listening and self.console in hears:
                    wanted[self.console] |= selectors.EVENT_WRITE
                if tick is not None:
                    tick()
                    left = TICK if left is None else min(left, TICK)
                if typed is not None and len(self.unsent) < SOME and wants():
                    wanted[typed] = selectors.EVENT_READ
                for source, happened in ready.of(wanted, left):
                    if source == typed:
                        data = os.read(typed, SOME)
                        if on_typed(data) is False:
                            self.stop()
                            return self.process.returncode
                        if not data:
                            typed = None
                        continue
                    if happened & selectors.EVENT_WRITE:
                        self.send_some()
                    if happened & selectors.EVENT_READ:
                        data = self.receive_some(source)
                        if data:
                            hears[source](data)
                        else:
                            del hears[source]
                time.sleep(GATHER)
        return self.process.wait()

    def send_some(self):
        try:
            sent = self.console.send(self.unsent[:SOME], socket.MSG_DONTWAIT)
            del self.unsent[:sent]
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.unsent.clear()         # QEMU has ended: the reading side will tell

    @staticmethod
    def receive_some(source):
        try:
            return source.recv(SOME)
        except ConnectionResetError:
            return b""

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def keep_log(self, path):
        """Publish the kernel's log at `path` in one step."""
        if self.log_path.exists():
            if self.log_copy:
                shutil.copyfile(self.log_path, self.log_copy)
            fresh = path.with_name(f".{path.name}.{os.getpid()}")
            shutil.copyfile(self.log_path, fresh)
            os.replace(fresh, path)

    def last_words(self):
        """The end of the kernel's log, for a one-line message."""
        if not self.log_path.exists():
            return ""
        lines = [line.strip() for line in self.log_path.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def complaint(self, status):
        """(sentence, is it the host's fault) for a status other than PASS."""
        self.errors.seek(0)
        said = [line.strip() for line in self.errors.read().splitlines() if line.strip()]
        if status == 1 and said:
            return f"QEMU: {said[-1]}", True
        ended = re.search(r"terminating on signal (\d+)", " ".join(said)) if status == 0 else None
        if ended or (status is not None and status < 0):
            return f"QEMU was ended by {signal.Signals(int(ended[1]) if ended else -status).name}", True
        last = self.last_words()
        after = f"; its last line was: {last}" if last else "; it printed nothing"
        if status is None:
            return f"the time ran out{self.ran_out}{after}", False
        if status == 0:
            return "the guest reset or switched itself off" + after, False
        return STATUS_NAMES.get(status, f"the guest left status {status}") + after, False

    def close(self):
        self.stop()
        for end in (getattr(self, "console", None), getattr(self, "log", None), self.errors):
            if end is not None:
                end.close()
        self.scratch.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
