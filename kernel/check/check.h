/* SPDX-License-Identifier: BSD-2-Clause */
/* check.h: the kernel's named invariants, for debug builds and host tests. Each walks everything it
 * is given and panics with the invariant's name where it does not hold. Nothing here is bounded: never for a running
 * system. */
#pragma once
#include "cap.h"
#include "factory.h"
#include "memory.h"
#include "print.h"
#include "space.h"
#include "task.h"

#define INVARIANT(name, holds, at) do { \
        if (!(holds)) \
            panic("INVARIANT " name ": %s:%d: not so at %lx: %s", __FILE__, __LINE__, (u64)(at), #holds); \
    } while (0)

void space_check(const struct space *space);        /* shadow, counts, family, inside, given, ports */
void cap_check(const struct cap_table *table);      /* family, given, root, mask, absent */
void factory_check(const struct factory *factory);  /* owned, quota; of child factories and tasks too */
u64 memory_check(void);                             /* slabs, zero; returns the free bytes */
/* Threads, gates and irqs of this factory and its children, ready queues and timeouts (threads.c): senders, held, reply, pending, bound, monitor, ready,
 * heap, linked, traced. Between two entries into the kernel. */
void threads_check(const struct factory *root);
/* What a space or table has charged to its factory, in bytes. */
u64 space_bytes(const struct space *space);
u64 cap_table_bytes(const struct cap_table *table);
