/* SPDX-License-Identifier: BSD-2-Clause */
/* host.c: what the runtime's files expect around them, on the host: its structs as globals, an info page, the program's memory as it is. */
#include "host.h"

struct process runtime_process;
struct mm runtime_mm;
struct tally runtime_tally;
struct l4_kip runtime_kip;

struct thread *host_thread(void)
{
    static u8 block[2 * L4_PAGE_SIZE] __attribute__((aligned(L4_PAGE_SIZE)));
    __builtin_memset(block, 0, sizeof block);
    return (struct thread *)(block + L4_PAGE_SIZE);
}
