#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mutate.py: breaks the protocol in one place, to prove that the kill test notices.

    mutate.py MUTANT SERVER GENERATED LIBL4 OUT

writes the changed copies to OUT: headers (OUT goes first on the include path) and sources (compiled instead of the originals). A
text that is no longer where the mutant expects it is an error: the mutant has to be mended then."""
import sys
from pathlib import Path

# name: (file, what it says, what the mutant says). {S} is the server's name, {G} generated, {L} libl4.
MUTANTS = {
    "no-undo": ("{L}/transaction/undo.c", "    log_undo(log, moved);\n", ""),
    "no-slot-check": ("{G}/{S}_server.h", "slot->number == m->number", "false && slot->number == m->number"),
    "header-first": ("{L}/include/l4/transaction.h", """    l4_store(&log->top, 1);
    L4_BARRIER();
    log->slot = slot;
    l4_hook();
    log->number = number;
    l4_hook();
""", """    log->slot = slot;
    l4_hook();
    log->number = number;
    l4_hook();
    L4_BARRIER();
    l4_store(&log->top, 1);
"""),
    "entry-late": ("{L}/include/l4/transaction.h", """    log->word[top + words] = l4_entry(at, words, kind, word);
    L4_BARRIER();
    l4_store(&log->top, top + words + 1);
""", """    l4_store(&log->top, top + words + 1);
    L4_BARRIER();
    log->word[top + words] = l4_entry(at, words, kind, word);
"""),
    "number-early": ("{L}/include/l4/transaction.h", """    l4_store(&l4_undo_log()->top, 0);
    L4_BARRIER();
    if (slot) {
        l4_store(&slot->number, number);
    }
""", """    if (slot) {
        l4_store(&slot->number, number);
    }
    L4_BARRIER();
    l4_store(&l4_undo_log()->top, 0);
"""),
    "number-unfinished": ("{L}/transaction/undo.c", "            l4_store(&slot->number, log->number);\n", "            (void)slot;\n"),
    "op-not-resent": ("{L}/server/loop.c", "    v->ops_due = true;\n    l4_server_settle", "    l4_server_settle"),
    "effects-lost": ("{L}/server/loop.c", "    server->start(ops);\n    v->ops_due",
                     "    server->start(ops);\n    v->afters = 0;\n    v->ops_due"),
    "label-not-told": ("{L}/server/loop.c", "!(m->label & L4_LABEL_OWN)", "(u32)m->tag >> 8 != l4_volatile.server->served[0].protocol"),
    "pass-unjudged": ("{L}/server/loop.c", "    if (verdict == L4_OK && gate_pass(", "    verdict = L4_OK;\n    if (gate_pass("),
}


def main(mutant, server, generated, libl4, out):
    file, old, new = MUTANTS[mutant]
    path = Path(file.format(S=server, G=generated, L=libl4))
    text = path.read_text()
    if old not in text:
        sys.exit(f"mutate.py: {path} no longer says what `{mutant}` changes")
    inside = path.relative_to(f"{libl4}/include") if "include" in path.parts else Path(path.name)
    target = Path(out) / inside
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text.replace(old, new))


if __name__ == "__main__":
    main(*sys.argv[1:])
