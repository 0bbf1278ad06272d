# SPDX-License-Identifier: BSD-2-Clause
"""grow_back.py: boots the test system and compares what came through the first serial port with what was sent: every line
once, in order, whatever became of the driver meanwhile."""
import argparse
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import ending, qemu, say  # noqa: E402

TESTS = {   # lines from the guest, lines typed into it
    "grow-back": (b"line %05u of what goes through the driver while it dies\n", 6000, b"", 0),
    "raw-console": (b"line %05u: no byte of it is lost and none comes twice\n", 19100,
                    b"typed %05u: no byte of it is lost and none comes twice\n", 2000),
}


def lines(pattern, count):
    return b"".join(pattern % number for number in range(count))


def main(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("test", choices=sorted(TESTS))
    parser.add_argument("archive", type=Path)
    parser.add_argument("--loader", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--timeout", type=float, default=90)
    options = parser.parse_args(words)
    console, log = bytearray(), bytearray()
    pattern, count, typed, typed_count = TESTS[options.test]
    with qemu.Guest(qemu.Machine(loader=options.loader, archive=options.archive)) as guest:
        def hear(data):
            guest.listening = True
            console.extend(data)

        guest.listening = False     # until the driver has spoken: it clears the device's FIFO at its first start
        guest.send(lines(typed, typed_count))
        status = guest.watch(hear, log.extend, options.timeout)
        guest.keep_log(options.log)
        print(log.decode("latin-1"))
        if status != qemu.PASS:
            say.error(guest.complaint(status)[0])
            print(f"{len(console)} bytes had come")
            return 1
    text = lines(pattern, count)
    if bytes(console) == text:
        print(f"{options.test}: {len(text)} bytes in {count} lines, all once and in order")
        return 0
    at = next((i for i, (a, b) in enumerate(zip(console, text)) if a != b), min(len(console), len(text)))
    print(f"{options.test}: {len(console)} bytes of {len(text)}; first difference at {at}: "
          f"{bytes(console[at - 40:at + 40])!r} instead of {text[at - 40:at + 40]!r}")
    return 1


if __name__ == "__main__":
    sys.exit(ending.status_of(main, sys.argv[1:]))
