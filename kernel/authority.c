/* SPDX-License-Identifier: BSD-2-Clause */
/* authority.c: sched.idl and log.idl: objects that are nothing but authority. The highest priority that a sched
 * capability may give is its label. */
#include "arch.h"
#include "log_kernel.h"
#include "sched.h"
#include "sched_kernel.h"

l4_err_t sched_set(struct sched *self, struct invocation *inv, struct thread *subject, u32 priority, u64 slice_ns)
{
    if (priority >= PRIORITIES)
        return L4_BAD_ARGUMENT;
    if (priority > inv->used->label)
        return L4_NO_RIGHT;
    sched_set_priority(subject, priority);
    subject->slice_ns = slice_ns;
    return L4_OK;
}

l4_err_t sched_look(struct sched *self, struct invocation *inv, u32 *highest)
{
    *highest = (u32)inv->used->label;
    return L4_OK;
}

l4_err_t log_write(struct log *self, struct invocation *inv, const u8 *text, u32 length)
{
    for (u32 i = 0; i < length; i++)
        arch_log((char)text[i]);
    return L4_OK;
}
