# SPDX-License-Identifier: BSD-2-Clause
"""grow_back.py: boots the test system and compares what came through the first serial port with what was sent: every line
once, in order, whatever became of the driver meanwhile."""
import argparse
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import qemu, say  # noqa: E402

LINES = 6000


def wanted():
    return b"".join(b"line %05u of what goes through the driver while it dies\n" % number for number in range(LINES))


def main(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--loader", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--timeout", type=float, default=90)
    options = parser.parse_args(words)
    console, log = bytearray(), bytearray()
    with qemu.Guest(qemu.Machine(loader=options.loader, archive=options.archive)) as guest:
        status = guest.watch(console.extend, log.extend, options.timeout)
        guest.keep_log(options.log)
        print(log.decode("latin-1"))
        if status != qemu.PASS:
            say.error(guest.complaint(status)[0])
            print(f"{len(console)} bytes had come")
            return 1
    text = wanted()
    if bytes(console) == text:
        print(f"grow-back: {len(text)} bytes in {LINES} lines, all once and in order")
        return 0
    at = next((i for i, (a, b) in enumerate(zip(console, text)) if a != b), min(len(console), len(text)))
    print(f"grow-back: {len(console)} bytes of {len(text)}; first difference at {at}: "
          f"{bytes(console[at - 40:at + 40])!r} instead of {text[at - 40:at + 40]!r}")
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except say.Failure as failure:
        say.error(failure)
        sys.exit(failure.status)
