/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the root task's beginning: memory, archive, its own gate and state, then every service of the manifest, then it serves. */
#include "keeperd_server.h"

#include <abi/object.h>
#include <factory.h>
#include <gate.h>
#include <irq.h>
#include <l4/panic.h>

#include "handlers.h"
#include "memory.h"
#include "service.h"
#include "slots.h"

void l4_main(void)
{
    archive_map();
    if (!memory_take_at(L4_STATE_ADDRESS, sizeof(struct keeperd_state))) {
        l4_panic("no memory for keeper's state");
    }
    l4_must(factory_make_gate(L4_BOOT_FACTORY, KEEPER_GATE));
    l4_must(gate_bind(KEEPER_GATE, L4_BOOT_THREAD));
    l4_must(factory_make_irq(L4_BOOT_FACTORY, KEEPER_SELF));
    l4_must(irq_bind(KEEPER_SELF, L4_BOOT_THREAD, KEEPER_SELF_LABEL));
    services_make();
    keeperd_serve(&keeper_ops);
}
