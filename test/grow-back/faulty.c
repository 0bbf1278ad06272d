/* SPDX-License-Identifier: BSD-2-Clause */
/* faulty.c: a service that never works. */
#include <l4/panic.h>

void l4_main(void) { l4_panic("as always"); }
