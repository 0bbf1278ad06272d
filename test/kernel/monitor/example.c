/* SPDX-License-Identifier: BSD-2-Clause */
/* example.c: the monitor that docs/hooks.md shows, word for word (test/system/test_documentation.py): nobody writes who has an odd label. */
#include <abi/error.h>
#include <fs.h>
#include <gate.h>
#include "example.h"
#include "wire.h"

void example(u64 watched)
{
    struct l4_message m = { 0 };
    for (;;) {
        m.tag |= L4_TAG_WAIT;               /* answer whoever is left, then wait */
        wire_invoke(0, &m);
        bool may = (u32)m.tag != FS_METHOD_WRITE || !(m.label & 1);
        passed += may && gate_pass(watched) == L4_OK;
        m = (struct l4_message){ .tag = l4_tag(may ? (u32)L4_PEER_RESTARTED : (u32)L4_REFUSED, 0, 0) };
    }
}
