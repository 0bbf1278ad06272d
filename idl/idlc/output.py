# SPDX-License-Identifier: BSD-2-Clause
"""output.py: which files come out of which units, and what is checked over all of them."""
from idlc.client import client_header
from idlc.kernel import kernel_header
from idlc.server import server_header


def check_together(units, loaded, lock, command):
    """Problems of all files, in order of file and line, each once."""
    problems = [p for unit in loaded for p in unit.problems]
    return sorted(problems, key=lambda p: (p.path, p.line))


def everything(units):
    """name -> text of all that `build` writes."""
    files = {}
    for unit in units:
        if unit.interface:
            files[f"{unit.interface.name}.h"] = client_header(unit)
            if unit.interface.kernel:
                files[f"{unit.interface.name}_kernel.h"] = kernel_header(unit)
        if unit.server:
            files[f"{unit.server.name}_server.h"] = server_header(unit)
    return files


def documents(units):
    return {}


def write(folder, files):
    """Write what differs: a file that comes out the same keeps its time."""
    for name, text in sorted(files.items()):
        path = folder / name
        if path.exists() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
