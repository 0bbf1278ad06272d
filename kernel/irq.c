/* SPDX-License-Identifier: BSD-2-Clause */
/* irq.c: see irq.h; the methods of irq.idl. A level line is masked from delivery to acknowledgement; edges are never
 * masked. */
#include "irq.h"
#include "irq_kernel.h"

static struct irq *line_owner[L4_LINES];

l4_err_t irq_init(struct object *object)
{
    struct irq *irq = irq_of(object);
    list_init(&irq->in_receiver);
    list_init(&irq->in_pending);
    irq->line = -1;
    return L4_OK;
}

l4_err_t irq_attach_line(struct irq *irq, u32 line, bool level)
{
    if (line < L4_LINES && line_owner[line])
        return L4_SLOT_BUSY;
    if (line >= L4_LINES || !arch_line_open(line, level))
        return L4_BAD_ARGUMENT;
    line_owner[line] = irq;
    irq->line = (i32)line;
    irq->level = level;
    return L4_OK;
}

static void unlink_receiver(struct irq *irq)
{
    list_remove(&irq->in_receiver);
    list_remove(&irq->in_pending);
    irq->receiver = NULL;
}

l4_err_t irq_destroy_step(struct object *object, u32 *budget)
{
    struct irq *irq = irq_of(object);
    unlink_receiver(irq);
    if (irq->line >= 0) {
        arch_line_mask((u32)irq->line, true);
        line_owner[irq->line] = NULL;
    }
    return L4_OK;
}

static void deliver(const struct irq *irq, struct thread *receiver)
{
    receiver->frame.message = message_of(irq->label, l4_tag(L4_IRQ << 8, 0, 0));
}

bool irq_take(struct thread *receiver)
{
    struct list *node = list_first(&receiver->pending_irqs);
    if (!node)
        return false;
    struct irq *irq = container_of(node, struct irq, in_pending);
    list_remove(node);
    irq->pending = false;
    deliver(irq, receiver);
    return true;
}

/* Set the bit and deliver it if the receiver waits. */
inline l4_err_t irq_ring(struct irq *self, struct invocation *inv)
{
    struct thread *receiver = self->receiver;
    if (receiver && thread_state(receiver) == THREAD_RECEIVING) {
        self->pending = false;
        deliver(self, receiver);
        thread_wake(receiver);
        return L4_OK;
    }
    self->pending = true;
    if (!receiver)
        return L4_OK;
    if (list_is_empty(&self->in_pending))
        list_insert(&receiver->pending_irqs, &self->in_pending);
    receiver->hot |= THREAD_PENDING;
    return L4_OK;
}

void irq_line(u32 line)
{
    struct irq *irq = line < L4_LINES ? line_owner[line] : NULL;
    if (!irq)
        return;
    if (irq->level) {
        arch_line_mask(line, true);
        irq->masked = true;
    }
    irq_ring(irq, NULL);
}

l4_err_t irq_bind(struct irq *self, struct invocation *inv, struct thread *receiver, u64 label)
{
    unlink_receiver(self);
    self->receiver = receiver;
    self->label = label;
    list_insert(&receiver->irqs, &self->in_receiver);
    return irq_ring(self, inv);
}

l4_err_t irq_ack(struct irq *self, struct invocation *inv)
{
    if (self->masked)
        arch_line_mask((u32)self->line, false);
    self->masked = false;
    return L4_OK;
}

l4_err_t irq_unbind(struct irq *self, struct invocation *inv)
{
    unlink_receiver(self);
    return irq_ack(self, inv);
}
