/* SPDX-License-Identifier: BSD-2-Clause */
/* receive.h: libl4's header of this name, for host tests: requests come from world.c. */
#pragma once
#include <l4/park.h>
#include <l4/utcb.h>

extern void l4_answer_wait(cap_t reply, struct l4_message *m);
static inline void l4_reply_wait(struct l4_message *m) { l4_answer_wait(0, m); }
