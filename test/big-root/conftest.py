# SPDX-License-Identifier: BSD-2-Clause
"""conftest.py: folders for `axo run --root`, and what the guest makes of them."""
import hashlib
import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["AXO_NATIVE"]).parent
IN_A_FOLDER = 100


def make_many(folder, count):
    """`count` small files below `folder`/many; the sum of all in the order of their names as `sort` has it."""
    texts = {}
    for i in range(count):
        name = f"many/{i // IN_A_FOLDER}/{i % IN_A_FOLDER}"
        texts[name] = b"file %d\n" % i * (1 + i % 7)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(texts[name])
    return hashlib.md5(b"".join(texts[name] for name in sorted(texts, key=os.fsencode))).hexdigest()


def make_large(folder, names, megabytes):
    """Files that differ, and the sum of each."""
    sums = []
    for name in names:
        block = hashlib.sha512(name.encode()).digest() * (1 << 14)
        with open(folder / name, "wb") as file:
            for i in range(megabytes):
                file.write(i.to_bytes(4, "little") + block[4:])
        sums.append(hashlib.md5((folder / name).read_bytes()).hexdigest())
    return sums


def guest(folder, command, *flags, timeout=240):
    words = [TOP / "axo", "run", "--no-build", "--no-install", "--build-dir", BUILD, "--root", folder, *flags, "--timeout", str(timeout),
             "--exec", command]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout + 60, text=True)
    return run.stdout, run.stderr, run.returncode
