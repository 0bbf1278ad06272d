/* SPDX-License-Identifier: BSD-2-Clause */
/* gate.h: where callers meet a server. The gate outlives its server: it can be rebound, and while unbound its callers
 * wait.
 * A gate may have a monitor: another gate that each message goes to first, whose server passes it on or answers. The server behind
 * is THREAD_PENDING all the time, so the direct way sees it in the compare that it makes anyway.
 * INVARIANT bound: gate is on server->gates <=> gate->server == server.
 * INVARIANT monitor: gate->monitor == m <=> m->monitored == gate; a monitor has none, and is not its own. */
#pragma once
#include "thread.h"

enum { GATE_BANDS = 4 };        /* senders wait in four bands of 16 priorities, first come first served inside */

struct gate {
    struct object object;
    struct thread *server;      /* &thread_nobody: unbound */
    struct list in_server;      /* server->gates */
    struct list band[GATE_BANDS];   /* thread.queue of senders; the last band is the most urgent */
    u32 waiting;                /* senders in all bands */
    struct gate *monitor;       /* gets each message first; NULL: none */
    struct gate *monitored;     /* whose monitor this one is; NULL: nobody's */
};

static inline struct gate *gate_of(struct object *object) { return container_of(object, struct gate, object); }
l4_err_t gate_init(struct object *object);
l4_err_t gate_destroy_step(struct object *object, u32 *budget);

void gate_enqueue(struct gate *gate, struct thread *sender);
void gate_dequeue(struct thread *sender);
/* The most urgent sender, NULL if none. It stays queued. */
struct thread *gate_first(const struct gate *gate);
