# SPDX-License-Identifier: BSD-2-Clause
"""output.py: which files come out of which units."""
from idlc import lock
from idlc.client import client_header
from idlc.document import document
from idlc.kernel import dispatch_header, kernel_header
from idlc.names import calls_json, interfaces, names_header, names_source, system_headers
from idlc.server import fuzz_source, kill_header, server_header


def everything(units):
    """name -> text of all that `build` writes."""
    files = {"interfaces_names.h": names_header(units), "interfaces_names.c": names_source(units),
             "interfaces.json": calls_json(units),
             "kernel_dispatch.h": dispatch_header([face for face in interfaces(units) if face.kernel])}
    for unit in units:
        if unit.errors:
            files.update(system_headers(unit, interfaces(units)))
        if unit.interface:
            files[f"{unit.interface.name}.h"] = client_header(unit)
            if unit.interface.kernel:
                files[f"{unit.interface.name}_kernel.h"] = kernel_header(unit)
        if unit.server:
            files[f"{unit.server.name}_server.h"] = server_header(unit)
            files[f"{unit.server.name}_kill.h"] = kill_header(unit)
            files[f"{unit.server.name}_fuzz.c"] = fuzz_source(unit)
    files.update({f"doc/{name}": text for name, text in documents(units).items()})
    return files


def documents(units):
    return {f"{unit.interface.name}.md": document(unit, units) for unit in units if unit.interface}


def frozen(units, old):
    """The lock's text: what `units` promise now, and what it says about interfaces that are not given."""
    given = {unit.interface.name for unit in units if unit.interface}
    facts = [line for line in (old or "").split("\n") if line and not line.startswith("#")]
    kept = [line for line in facts if line.split()[0] not in given]
    now = [line for unit in units if unit.interface for line in lock.lines(unit)]
    return lock.HEADER + "\n".join(sorted(kept + now, key=lock.order)) + "\n"


def write(folder, files):
    """Write what differs: a file that comes out the same keeps its time."""
    for name, text in sorted(files.items()):
        path = folder / name
        if path.exists() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
