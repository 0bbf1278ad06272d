# SPDX-License-Identifier: BSD-2-Clause
"""corrupt.py: hundreds of files that are nearly programs, made from one that is."""
import os
import struct

HEADER = {"ident0": (0, "B"), "ident1": (1, "B"), "class": (4, "B"), "data": (5, "B"), "ident_version": (6, "B"), "abi": (7, "B"), "type": (16, "H"),
          "machine": (18, "H"), "version": (20, "I"), "entry": (24, "Q"), "phoff": (32, "Q"), "shoff": (40, "Q"), "flags": (48, "I"),
          "ehsize": (52, "H"), "phentsize": (54, "H"), "phnum": (56, "H"), "shentsize": (58, "H"), "shnum": (60, "H")}
SEGMENT = {"type": (0, "I"), "flags": (4, "I"), "offset": (8, "Q"), "vaddr": (16, "Q"), "filesz": (32, "Q"), "memsz": (40, "Q"), "align": (48, "Q")}
WIDTH = {"B": 8, "H": 16, "I": 32, "Q": 64}
LOAD, INTERP, STACK = 1, 3, 0x6474e551
# The runtime, its data, threads' blocks, the end of Linux's addresses, the kernel's half, no address at all.
FORBIDDEN = [0, 1, 0xfff, 0x1000, 0x7f7ffffff000, 0x7f8000000000, 0x7f8000100000, 0x7f8000180000, 0x7fffffff0000, 0x7ffffffff000, 0x800000000000,
             0xffff800000000000, 0xffffffff80000000, 0xfffffffffffff000, 0xffffffffffffffff]


def put(image, at, kind, value):
    image = bytearray(image)
    struct.pack_into("<" + kind, image, at, value & ((1 << WIDTH[kind]) - 1))
    return bytes(image)


def get(image, at, kind):
    return struct.unpack_from("<" + kind, image, at)[0]


def values(kind, now):
    top = 1 << WIDTH[kind]
    list_ = [0, 1, 2, 3, now + 1, now - 1, now * 2, now ^ 0x1000, top - 1, top // 2, top // 2 - 1]
    if kind == "Q":
        list_ += FORBIDDEN + [now + 0x1000, now + 0x10, 0x100000000, 1 << 40, 1 << 46]
    if kind == "H":
        list_ += [56, 64, 100, 1000, 4096]
    return sorted({value % top for value in list_} - {now})


def segments(image):
    at, count = get(image, 32, "Q"), get(image, 56, "H")
    return [at + 56 * i for i in range(count)]


def headers(image):
    for name, (at, kind) in HEADER.items():
        for value in values(kind, get(image, at, kind)):
            yield f"header-{name}-{value:x}", put(image, at, kind, value)


def program_headers(image):
    for i, at in enumerate(segments(image)):
        if get(image, at, "I") not in (LOAD, STACK):
            continue
        for name, (offset, kind) in SEGMENT.items():
            for value in values(kind, get(image, at + offset, kind)):
                yield f"segment-{i}-{name}-{value:x}", put(image, at + offset, kind, value)


def overlaps(image):
    loads = [at for at in segments(image) if get(image, at, "I") == LOAD]
    for i, one in enumerate(loads):
        for j, other in enumerate(loads):
            if i != j:
                yield f"overlap-{i}-{j}", put(image, one + 16, "Q", get(image, other + 16, "Q"))
    first = image
    for i, at in enumerate(loads):
        first = put(first, at, "I", 0)
        yield f"loads-gone-{i}", first


def sizes(image):
    ends = [0, 1, 2, 3, 4, 5, 16, 52, 63, 64, 65, 119, 120, 121, 200, 500, 1000, 4095, 4096, 4097, 8192, len(image) // 2, len(image) - 4096, len(image) - 1]
    for end in ends:
        yield f"cut-{end}", image[:end]
    yield "zeros", bytes(len(image))
    yield "behind", image + bytes(1 << 16)


def interpreters(image, folder):
    """PT_INTERP in place of a header that nobody needs."""
    spare = [at for at in segments(image) if get(image, at, "I") not in (LOAD,)][0]
    texts = {"none": b"/nothing/there\0", "empty": b"\0", "no-zero": b"/bin/sh", "folder": folder + b"\0", "long": b"/" + b"x" * 4094 + b"\0",
             "longer": b"/" + b"x" * 5000 + b"\0", "not-elf": folder + b"/script-shell\0", "itself": folder + b"/interpreter-itself\0", "good": folder + b"/good\0",
             "relative": b"nothing\0", "mode": folder + b"/mode-644\0", "cut": folder + b"/cut-100\0", "null": b"/dev/null\0", "short-elf": folder + b"/cut-65\0"}
    for name, text in texts.items():
        changed = put(image, spare, "I", INTERP)
        changed = put(changed, spare + 8, "Q", len(image))
        changed = put(changed, spare + 32, "Q", len(text))
        yield f"interpreter-{name}", changed + text
    for name, offset, size in (("far", 1 << 40, 10), ("huge", len(image), 1 << 40), ("one", 0, 1), ("zero", 0, 0), ("top", (1 << 64) - 4096, 100)):
        changed = put(put(put(image, spare, "I", INTERP), spare + 8, "Q", offset), spare + 32, "Q", size)
        yield f"interpreter-at-{name}", changed


def scripts(folder):
    good = folder + b"/good"
    texts = {"bare": b"#!", "newline": b"#!\n", "blanks": b"#!   \n", "tabs": b"#!\t\t\n", "missing": b"#!/nothing/there\n", "folder": b"#!" + folder + b"\n",
             "shell": b"#!" + good + b"\n", "argument": b"#!" + good + b" -x y z\n", "space": b"#!  " + good + b"  \n", "tab": b"#!\t" + good + b"\t-x\n",
             "no-newline": b"#!" + good, "zero": b"#!" + good + b"\0 junk\n", "relative": b"#!nothing\n", "mode": b"#!" + folder + b"/mode-644\n",
             "itself": b"#!" + folder + b"/script-itself\n", "ping": b"#!" + folder + b"/script-pong\n", "pong": b"#!" + folder + b"/script-ping\n",
             "return": b"#!" + good + b"\r\n", "space-first": b" #!" + good + b"\n", "half": b"#", "other": b"echo hello\n", "binary": b"\x7fELF\n",
             "null": b"#!/dev/null\n", "empty-interpreter": b"#!" + folder + b"/cut-0\n", "chain-0": b"#!" + good + b"\n"}
    for length in (100, 125, 126, 127, 128, 129, 200, 253, 254, 255, 256, 257, 300, 5000):
        texts[f"long-argument-{length}"] = (b"#!" + good + b" " + b"a" * length)[:length] + b"\n"
        texts[f"long-name-{length}"] = (b"#!/" + b"a" * length)[:length] + b"\n"
        texts[f"blank-{length}"] = b"#!" + b" " * max(0, length - 2 - len(good)) + good + b"\n"
    for i in range(1, 8):
        texts[f"chain-{i}"] = b"#!" + folder + b"/script-chain-%d\n" % (i - 1)
    for name, text in texts.items():
        yield f"script-{name}", text


def make(good, target, folder):
    """All files in `target`, which the programs know as `folder`; the number of them."""
    image = good.read_bytes()
    files = dict([("good", image), ("written", image)])
    for made in (headers(image), program_headers(image), overlaps(image), sizes(image), interpreters(image, folder.encode()), scripts(folder.encode())):
        files.update(made)
    files["mode-644"] = files["mode-000"] = files["mode-111"] = files["mode-444"] = image
    for name, content in files.items():
        path = target / name
        path.write_bytes(content)
        path.chmod(int(name[5:], 8) if name.startswith("mode-") else 0o755)
    (target / "written").chmod(0o755)
    for name, to in (("link", "good"), ("link-loop", "link-loop"), ("link-nowhere", "nowhere")):
        (target / name).symlink_to(to)
    names = [*sorted(files), "link", "link-loop", "link-nowhere", "nowhere"]
    (target / "list").write_text("\n".join(names) + "\n")
    return len(names)
