# SPDX-License-Identifier: BSD-2-Clause
"""monitor.py: QEMU's monitor beside a guest that runs: stop it, and look at its registers and at the page tables in CR3."""
import json
import re
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

from axo import qemu

ADDRESS, LARGE = 0x000ffffffffff000, 0x80
PAGE = re.compile(r"^([0-9a-f]{16}): ([0-9a-f]{16}) (.{9})\r?$", re.M)


@dataclass(frozen=True)
class Page:
    at: int
    frame: int
    is_user: bool
    is_writable: bool
    is_executable: bool


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.02)
        self.lines = self.socket.makefile("r")
        self.lines.readline()
        self.say("qmp_capabilities")

    def say(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        for line in self.lines:
            answer = json.loads(line)
            if "return" in answer or "error" in answer:
                assert "return" in answer, answer
                return answer["return"]
        raise EOFError("QEMU has ended")

    def ask(self, words):
        return self.say("human-monitor-command", **{"command-line": words})

    def registers(self):
        """{name: number} of CPL, RIP and CR3."""
        text = self.ask("info registers")
        return {name: int(re.search(pattern + "=([0-9a-f]+)", text)[1], 16)
                for name, pattern in (("CPL", "CPL"), ("RIP", "[ER]IP"), ("CR3", "CR3"))}

    def pages(self):
        """[Page] that the tables in CR3 map. QEMU's letters: not executable, global, large, dirty, accessed, two of caching, user, writable."""
        return [Page(int(at, 16), int(frame, 16), flags[7] == "U", flags[8] == "W", flags[0] != "X")
                for at, frame, flags in PAGE.findall(self.ask("info tlb"))]

    def entry(self, at):
        """The entry of the tables in CR3 that maps `at`, with the bits of the address that `info tlb` leaves out."""
        entry = self.registers()["CR3"]
        for order in (39, 30, 21, 12):
            place = (entry & ADDRESS) + 8 * (at >> order & 511)
            entry = int(self.ask(f"xp /1gx {place:#x}").split(":")[1], 16)
            if order < 39 and entry & LARGE:
                break
        return entry

    def stop_where(self, is_right, tries=2000):
        """Stop the guest at a moment when its registers are as wanted, and return them."""
        for _ in range(tries):
            self.say("stop")
            found = self.registers()
            if is_right(found):
                return found
            self.say("cont")
            time.sleep(0.001)
        raise AssertionError(f"the guest was never where it was wanted; the last time: {found}")


@contextmanager
def running(machine, folder, on_log=lambda data: None):
    """(guest, Monitor) of a machine that is booted; it ends with the block."""
    machine.extra = [*machine.extra, "-qmp", f"unix:{folder / 'qmp'},server=on,wait=off"]
    with qemu.Guest(machine) as guest:
        reader = threading.Thread(target=guest.watch, args=(lambda data: None, on_log), daemon=True)
        reader.start()
        yield guest, Monitor(folder / "qmp")
        guest.stop()
        reader.join(5)
