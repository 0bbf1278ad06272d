# SPDX-License-Identifier: BSD-2-Clause
"""guest_test.py: one guest test, as ctest calls it: boots an archive, prints the kernel's log, and passes when the guest
left 33 through isa-debug-exit."""
import argparse
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from axo import ending, qemu, say  # noqa: E402


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--loader", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--cmdline", default="")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--smp", type=int, default=1)
    parser.add_argument("--mem", default="512")
    parser.add_argument("--cpu", default="max")
    parser.add_argument("--machine")
    parser.add_argument("--way", choices=("direct", "iso", "uefi"), default="direct")
    parser.add_argument("--icount", action="store_true")
    return parser.parse_args(words)


def show(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def main(words):
    options = parse(words)
    machine = qemu.Machine(loader=options.loader, archive=options.archive, words=options.cmdline.split(),
                           mem=qemu.megabytes(options.mem), smp=options.smp, cpu=options.cpu, board=options.machine,
                           icount=options.icount, way=options.way)
    with qemu.Guest(machine) as guest:
        status = guest.watch(show, show, options.timeout)
        guest.keep_log(options.log)
        if status == qemu.PASS:
            return 0
        sentence, is_hosts = guest.complaint(status)
        say.error(sentence)
        return say.HOST if is_hosts else say.GUEST


if __name__ == "__main__":
    sys.exit(ending.status_of(main, sys.argv[1:]))
