# SPDX-License-Identifier: BSD-2-Clause
"""stretch.py: `axo bench latency`: for how many instructions at a time interrupts are off, by the plugin test/bench/counter/stretch.c.

Scenes: random calls from a native task, random system calls of Linux programs in a whole system, and trees of a hundred thousand mappings that
are made and revoked. A stretch reaches from an entry into the kernel to the next; its path is named by functions, inlined ones too."""
import os
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass

from . import elf, figures, paths, programs, qemu, say, scratch

BOUND = 20000
TIMEOUT = 1800
KNOWN = paths.TOP / "test" / "bench" / "latency" / "over.txt"
CHAOS = ("chaos", "capacity")
COMMAND = "/bin/linux-capacity > /dev/null; /bin/linux-chaos --seed 1 --calls 2000"
VECTOR_BYTES, VECTORS, EXCEPTIONS = 16, 256, 32
SHOWN, FUNCTIONS = 8, 5                 # paths of a scene, functions of a path


@dataclass
class Stretch:
    length: int
    entry: str          # how the kernel was entered
    at: int             # the address of the block with most instructions
    path: list          # [(function, instructions)], most first; a block is its innermost function's
    callers: set        # every function on the way, with those that others are inlined into


@dataclass
class Result:
    boot: int
    lengths: Counter    # {length: how many}
    stretches: list     # [Stretch], longest first, one for each block that most of one was in

    def longest(self):
        return max(self.lengths)


# ---- booting ----
def plugin(files):
    return files.native / "bench" / "stretch.so"


def qemu_words(files, folder):
    address = elf.Elf(files.kernel).address
    where = {"call": address("entry_system_call"), "vectors": address("entry_vectors"), "idle": address("entry_idle"),
             "after": address("entry_vectors") + VECTORS * VECTOR_BYTES}
    return ["-plugin", ",".join([str(plugin(files)), *(f"{key}={value:x}" for key, value in where.items()), f"out={folder / 'stretches'}"])]


def archive(name):
    def boot(files, folder, **machine):
        with qemu.Guest(qemu.Machine(loader=files.loader, archive=files.native / name, icount=True, **machine)) as guest:
            status = guest.watch(lambda data: None, lambda data: None, TIMEOUT)
            guest.keep_log(files.last_log)
            if status != qemu.PASS:
                sentence, is_hosts = guest.complaint(status)
                raise (say.host_failure if is_hosts else say.guest_failure)(f"{name}: {sentence}")
    return boot


def chaos(files, folder, **machine):
    order = programs.Order([files.symbols / f"linux-{name}" for name in CHAOS], ["/bin/sh", "-c", COMMAND])
    programs.on_axolotl(files, folder, order, **machine).check("chaos")


SCENES = {"latency_fuzz": archive("test/fuzz.cpio"), "latency_chaos": chaos, "latency_revoke": archive("bench/latency.cpio")}


def run(files, scene, cpu):
    """The Result of one boot."""
    with scratch.Folder() as folder:
        SCENES[scene](files, folder, cpu=cpu, extra=qemu_words(files, folder))
        return read(folder / "stretches", files.kernel)


# ---- what came out ----
def chains(kernel, addresses):
    """{address: [function, the one it is inlined into, …]}"""
    tool = shutil.which("x86_64-linux-gnu-addr2line") or shutil.which("addr2line")
    if tool is None:
        raise say.host_failure("addr2line is not installed")
    text = "".join(f"{address:x}\n" for address in addresses)
    answer = subprocess.run([tool, "-a", "-i", "-f", "-e", str(kernel)], input=text, capture_output=True, text=True, check=True,
                            env=dict(os.environ, LC_ALL="C"))
    found, chain, is_name = {}, [], True
    for line in answer.stdout.splitlines():
        if line.startswith("0x"):
            chain = found.setdefault(int(line, 16), [])
            is_name = True
        else:
            if is_name:
                chain.append(line)
            is_name = not is_name
    return found


def entry_name(program, address):
    first = program.address("entry_vectors")
    if not first <= address < first + VECTORS * VECTOR_BYTES:
        return "system call"
    vector = (address - first) // VECTOR_BYTES
    return f"{'exception' if vector < EXCEPTIONS else 'interrupt'} {vector}"


def read(file, kernel):
    blocks, found, lengths, boot, program = {}, [], Counter(), 0, elf.Elf(kernel)
    for line in open(file):
        kind, *words = line.split()
        if kind == "block":
            blocks[int(words[0])] = int(words[1], 16), int(words[2])
        elif kind == "stretch":
            found.append((int(words[0]), int(words[1], 16), [tuple(map(int, word.split(":"))) for word in words[2:]]))
        elif kind == "length":
            lengths[int(words[0])] += int(words[1])
        elif kind == "boot":
            boot = int(words[0])
    if not lengths:
        raise say.guest_failure("the plugin has seen no system call")
    named = chains(kernel, sorted({blocks[number][0] for _, _, gone in found for number, _ in gone}))

    def stretch(length, entry, gone):
        share, callers, hot = Counter(), set(), (0, 0)
        for number, times in gone:
            address, insns = blocks[number]
            chain = named[address] if named[address] != ["??"] else [program.function(address)[0]]
            share[chain[0]] += insns * times
            callers.update(chain)
            hot = max(hot, (insns * times, address))
        return Stretch(length, entry_name(program, entry), hot[1], share.most_common(), callers)
    return Result(boot, lengths, sorted((stretch(*one) for one in found), key=lambda one: -one.length))


# ---- are they short enough ----
def known():
    """{function: is it always needed} of KNOWN: stretches through it may be over the bound."""
    lines = [line.split(None, 2) for line in KNOWN.read_text().splitlines() if line and not line.startswith("#")]
    return {function: often == "always" for function, often, _ in lines}


def judge(results, excused):
    """Sentences: stretches over the bound that no excused function is in, and functions that need no excuse."""
    over = [(scene, one) for scene, result in results.items() for one in result.stretches if one.length > BOUND]
    wrong = [f"{scene}: {one.length} instructions by {one.entry}: {path_text(one)}" for scene, one in over if not one.callers & excused.keys()]
    idle = [function for function, always in excused.items() if always and not any(function in one.callers for _, one in over)]
    return wrong + [f"nothing over {BOUND} goes through {function}" for function in idle]


# ---- for people ----
def path_text(one):
    return ", ".join(f"{function} {count:,}" for function, count in one.path[:FUNCTIONS])


def figure(cpu, result, words):
    """As figures.py has them; with the longest stretch, how many there are, and how many by length up to powers of two."""
    first = result.stretches[0] if result.stretches else None
    more = {"entry": first.entry, "path": first.path} if first else {}
    return {**words, "value": result.longest(), "unit": "instructions", "goal": BOUND, "cpu": cpu, "system": "axolotl",
            "stretches": sum(result.lengths.values()), "boot": result.boot, "histogram": histogram(result), **more}


def histogram(result):
    """{n: stretches of at most n instructions, more than half of it}"""
    found = Counter()
    for length, times in result.lengths.items():
        found[1 << max(0, length - 1).bit_length()] += times
    return dict(sorted(found.items()))


def report(results):
    """Lines: the longest by path, and the histogram, for {(scene, cpu): Result}."""
    lines = []
    for (scene, cpu), result in results.items():
        lines += ["", f"{scene} on {cpu}: the longest of {sum(result.lengths.values()):,} stretches by path; boot {result.boot:,}"]
        lines += [f"{one.length:9,}  {one.entry:13s} {path_text(one)}" for one in distinct(result)]
    sizes = sorted({size for result in results.values() for size in histogram(result)})
    lines += ["", f"{'up to':>9s}" + "".join(f" {scene.removeprefix('latency_') + ' ' + cpu:>15s}" for scene, cpu in results)]
    for size in sizes:
        lines.append(f"{size:9,}" + "".join(f" {histogram(result).get(size, 0):15,}" for result in results.values()))
    return lines


def markdown(results):
    """The paths as a table for docs/figures.md."""
    lines = ["", "| scene | the longest | entered by | most of it in |", "|---|---:|---|---|"]
    for (scene, cpu), result in results.items():
        if cpu == figures.CPUS[0]:
            for one in distinct(result)[:3]:
                inside = ", ".join(f"`{function}` {count:,}" for function, count in one.path[:FUNCTIONS])
                lines.append(f"| {scene.removeprefix('latency_')} | {one.length:,} | {one.entry} | {inside} |")
    return lines


def distinct(result):
    """The longest stretches, one for each function that most of it is in."""
    found = {}
    for one in result.stretches:
        found.setdefault(one.path[0][0], one)
    return list(found.values())[:SHOWN]
