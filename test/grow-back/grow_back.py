# SPDX-License-Identifier: BSD-2-Clause
"""grow_back.py: boots the test system and compares what came through the first serial port with what was sent: every line
once, in order, whatever became of the driver meanwhile. When it died, keeper and the killer say in the log; what is typed keeps pace with the
output, so that it is under way as long."""
import argparse
import re
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


KINDS = {("1", "6"): "exit", ("2", "14"): "null dereference", ("4", "0"): "endless loop", ("2", "13"): "forbidden port"}   # class, exception
KILLS_OF_A_KIND = 10
AHEAD = 1024                    # bytes typed ahead of the output's pace


def lines(pattern, count):
    return b"".join(pattern % number for number in range(count))


def deaths_judge(log, sent_most, taken_most):
    """What is wrong with the kills of `raw-console`: each is to fall between the first and the last byte of both directions."""
    deaths = [KINDS.get(found) for found in re.findall(r"serial: defect \d+ of class (\d) \(ordered\), vector (\d+) at", log)]
    places = [(int(sent), int(taken)) for sent, taken in re.findall(r"killer: kill \d+ at (\d+) sent, (\d+) taken", log)]
    counted = re.search(r"(\d+) ordered, 0 of its own", log)
    between = [place for place in places if 0 < place[0] < sent_most and 0 < place[1] < taken_most]
    print(f"{len(deaths)} deaths: {', '.join(f'{deaths.count(kind)} by {kind}' for kind in KINDS.values())}; {len(between)} of {len(places)} kills "
          f"during transmission, from {min(places)} to {max(places)} bytes out and in")
    if any(deaths.count(kind) < KILLS_OF_A_KIND for kind in KINDS.values()) or None in deaths:
        return "too few deaths of a kind"
    if not len(deaths) == len(places) == len(between):
        return "kills outside of the transmission"
    return "" if counted and int(counted[1]) == len(deaths) else "rs has counted otherwise"


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
        text, keys = lines(pattern, count), bytearray(lines(typed, typed_count))
        keys_all = len(keys)

        def hear(data):
            guest.listening = True
            console.extend(data)
            due = keys_all if len(console) >= len(text) else keys_all * len(console) // len(text) + AHEAD
            ready = max(0, due - (keys_all - len(keys)))
            guest.send(keys[:ready])
            del keys[:ready]

        guest.listening = False     # until the driver has spoken: it clears the device's FIFO at its first start
        status = guest.watch(hear, log.extend, options.timeout)
        guest.keep_log(options.log)
        print(log.decode("latin-1"))
        if status != qemu.PASS:
            say.error(guest.complaint(status)[0])
            print(f"{len(console)} bytes had come")
            return 1
    wrong = deaths_judge(log.decode("latin-1"), len(text), keys_all) if options.test == "raw-console" else ""
    if wrong:
        print(f"{options.test}: {wrong}")
        return 1
    if bytes(console) == text:
        print(f"{options.test}: {len(text)} bytes in {count} lines, all once and in order")
        return 0
    at = next((i for i, (a, b) in enumerate(zip(console, text)) if a != b), min(len(console), len(text)))
    print(f"{options.test}: {len(console)} bytes of {len(text)}; first difference at {at}: "
          f"{bytes(console[at - 40:at + 40])!r} instead of {text[at - 40:at + 40]!r}")
    return 1


if __name__ == "__main__":
    sys.exit(ending.status_of(main, sys.argv[1:]))
