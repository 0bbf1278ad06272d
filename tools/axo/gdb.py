# SPDX-License-Identifier: BSD-2-Clause
"""gdb.py: `axo gdb`: boots stopped and attaches gdb with the kernel's symbols, through a socket of this run's own, and
with the command `waits` (inside.py)."""
import signal
import subprocess
import threading

from . import build, paths, qemu, run, say


def gdb_words(options, files, socket):
    words = ["gdb", "-q", "-nx", "-ex", "set confirm off", "-ex", "set pagination off",
             "-ex", f"directory {paths.TOP}", "-ex", f"source {paths.TOP / 'tools' / 'axo' / 'inside.py'}",
             "-ex", f"target remote {socket}"]
    if options.batch:
        words += ["-batch"]
        for order in options.batch.split(";"):
            words += ["-ex", order.strip()]
    return [*words, str(files.kernel)]


def command(options):
    files = paths.Build(options.build_dir, options.kpti)
    machine = run.machine_of(options, files)
    build.build_all(options, "run", "gdb", targets=[files.system.stem])
    if options.test:
        if not build.has_target(files, f"archive-{options.test}"):
            raise say.usage_failure(f"there is no guest test {options.test!r}; `./axo test --list` shows them")
        build.build_all(options, targets=[f"archive-{options.test}"])
        machine.archive = files.native / "test" / f"{options.test}.cpio"
    with qemu.Guest(machine, debugged=True, lock=build.locked(files)) as guest:
        reader = threading.Thread(target=guest.watch, args=(lambda data: None, lambda data: None), daemon=True)
        reader.start()
        say.note(f"the kernel's log goes to {guest.log_path} and, at the end, to {files.last_log}")
        signal.signal(signal.SIGINT, lambda *_: None)       # the key is gdb's: it stops the guest
        status = subprocess.run(gdb_words(options, files, guest.debug_socket)).returncode
        guest.stop()
        reader.join(5)
        guest.keep_log(files.last_log)
    return status
