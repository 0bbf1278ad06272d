# SPDX-License-Identifier: BSD-2-Clause
"""Generated headers compile alone, without a warning, and a stub costs what it should."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import regenerate
from idlc import output
from idlc.model import load

ROOT = Path(__file__).resolve().parents[2]
# The house's (cmake/axolotl.cmake); the last is clang's word for a GNU extension: an op's record ends in its message's words.
WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wstrict-prototypes", "-Wundef",
            "-Wno-gnu-variable-sized-type-not-at-end"]
FLAGS = [*WARNINGS, "-O2", "-ffreestanding", "-mgeneral-regs-only", "-Werror=cast-qual", f"-I{ROOT}/kernel/include",
         f"-I{ROOT}/libl4/include"]
KERNEL = [f"-I{ROOT}/kernel", f"-I{ROOT}/kernel/arch/x86_64"]
COMPILERS = [cc for cc in ("gcc", "clang") if shutil.which(cc)]
HEADERS = sorted(name for name in regenerate.good() if name.endswith((".h", ".c")))


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    system = output.everything([load(path) for path in sorted((ROOT / "idl/interfaces").glob("*.idl"))])
    output.write(folder, {name: text for name, text in system.items() if name.startswith("abi/")})
    output.write(folder, regenerate.good())
    return folder


def compile_text(cc, folder, text, out="/dev/null", flags=()):
    run = subprocess.run([cc, *FLAGS, *flags, f"-I{folder}", "-x", "c", "-c", "-", "-o", str(out)], input=text,
                         text=True, 
                         capture_output=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("cc", COMPILERS)
@pytest.mark.parametrize("name", HEADERS)
def test_compiles_alone(generated, cc, name):
    kernel = KERNEL if name.endswith(("_kernel.h", "kernel_dispatch.h")) else []
    compile_text(cc, generated, f'#include "{name}"\n', flags=kernel)


def test_a_retry_stub_of_four_words_is_short(generated):
    text = """#include "block.h"
    l4_err_t stub(cap_t c, u64 sector, u32 count, u8 slot, u64 at,
                  u32 *done) { return block_read(c, sector, count, slot, at, done); }"""
    compile_text("gcc", generated, text, generated / "stub.o",
                 ["-fno-asynchronous-unwind-tables", "-fcf-protection=none"])
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "--section=.text", str(generated / "stub.o")],
                             capture_output=True, text=True, check=True).stdout
    assert len(re.findall(r"^ +[0-9a-f]+:\t", listing, re.M)) <= 25, listing


def test_stub_and_decoder_agree(generated):
    """Every method of gadget.idl there and back, and what a decoder must refuse, under the sanitizers."""
    here = ROOT / "test/idl/roundtrip"
    common = [*WARNINGS, "-g", "-fsanitize=address,undefined", f"-I{generated}",
              f"-I{ROOT}/kernel/include"]
    for name, include in (("client", [f"-I{here}", f"-I{ROOT}/libl4/include"]), ("kernel", KERNEL)):
        subprocess.run(["gcc", *common, *include, "-c", str(here / f"{name}.c"), "-o", str(generated / f"{name}.o")],
                       check=True)
    subprocess.run(["gcc", "-fsanitize=address,undefined", "-o", str(generated / "roundtrip"),
                    str(generated / "client.o"), 
                    str(generated / "kernel.o")], check=True)
    run = subprocess.run([str(generated / "roundtrip")], capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout == "ok\n", run.stderr


def test_a_call_is_sent_again_as_it_was(generated):
    """l4_call and resend.S with a real `syscall`; a tracing parent is the kernel whose server dies three times."""
    program = generated / "resend"
    sources = [ROOT / "test/idl/roundtrip/resend.c", ROOT / "libl4/arch/x86_64/resend.S"]
    subprocess.run(["gcc", *WARNINGS, "-O2", f"-I{ROOT}/kernel/include",
                    f"-I{ROOT}/libl4/include", f"-I{generated}", *map(str, sources), "-o", str(program)], check=True)
    run = subprocess.run([str(program)], capture_output=True, text=True, timeout=20)
    if run.returncode == 77:
        pytest.skip("this machine forbids tracing")
    assert run.returncode == 0 and run.stdout == "ok\n", run.stderr
