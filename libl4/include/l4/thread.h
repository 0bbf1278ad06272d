/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.h: another thread in one's own task. */
#pragma once
#include <abi/types.h>

/* Make a thread in `slot` that runs entry(argument) on the stack block at `block` (64 KB aligned, pages 1-15 mapped;
 * the UTCB goes into
 * page 0). Its page faults and exceptions go to the slots given, 0 for none. It starts with the default priority. */
l4_err_t l4_thread_make(cap_t factory, cap_t task, cap_t slot, vaddr_t block, void (*entry)(void *), void *argument,
    cap_t pager, cap_t exception);
