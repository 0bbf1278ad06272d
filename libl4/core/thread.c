/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.c: another thread in one's own task. */
#include <l4/thread.h>
#include <l4/start.h>
#include <l4/types.h>
#include "factory.h"
#include "thread.h"

l4_err_t l4_thread_make(cap_t factory, cap_t task, cap_t slot, vaddr_t block, void (*entry)(void *), void *argument,
    cap_t pager, cap_t exception)
{
    u64 *top = (u64 *)(block + L4_STACK_BYTES) - 1;
    l4_err_t err = factory_make_thread(factory, (u32)slot);
    if (err == L4_OK)
        err = thread_bind(slot, task, block);
    if (err == L4_OK)
        err = thread_set_handlers(slot, (u32)pager, (u32)exception);
    if (err != L4_OK)
        return err;
    *top = 0; /* a return address: entry never returns, and finds the stack aligned as after a call */
    return thread_start(slot, (u64)entry, (u64)top, (u64)argument);
}
