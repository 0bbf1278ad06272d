/* SPDX-License-Identifier: BSD-2-Clause */
/* driver.c: a driver that waits for its device with all of the CPU, for ever. */
#include <l4/start.h>

void l4_main(void)
{
    for (;;)
        __asm__ volatile("");
}
