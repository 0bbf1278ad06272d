/* SPDX-License-Identifier: BSD-2-Clause */
/* irq.h: one bit, set by a hardware line or by software, delivered to one thread. Never lost, never queued. */
#pragma once
#include "thread.h"

struct irq {
    struct object object;
    struct thread *receiver;    /* NULL: unbound; the bit keeps */
    u64 label;                  /* what the receiver sees */
    struct list in_receiver;    /* receiver->irqs */
    struct list in_pending;     /* receiver->pending_irqs, while pending and bound */
    bool pending, level, masked;
    i32 line;                   /* global system interrupt, -1: software */
};

static inline struct irq *irq_of(struct object *object) { return container_of(object, struct irq, object); }
l4_err_t irq_init(struct object *object);
/* Attach a fresh irq to a hardware line. L4_SLOT_BUSY if another object has it, L4_BAD_ARGUMENT if there is no such
 * line. */
l4_err_t irq_attach_line(struct irq *irq, u32 line, bool level);
l4_err_t irq_destroy_step(struct object *object, u32 *budget);

/* A hardware line rang. */
void irq_line(u32 line);
/* Give `receiver`, in an open receive, its first pending irq; false if there is none. */
bool irq_take(struct thread *receiver);
