/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.h: the two halves of this test. */
#pragma once
#include "spawn.h"
#include "test.h"
#include "thread.h"

enum { GATE = TEST_SLOTS, DOOR, WEAK, SPARE, EMPTY_SLOT = 300, HALTED = 5 };

static inline u32 state_of(cap_t thread)
{
    u32 state = 99;
    u64 n;
    thread_look(thread, &state, &n, &n, &n);
    return state;
}

static inline struct thread_registers registers_of(const struct spawned *s)
{
    struct thread_registers r = { 0 };
    test_ok("its registers", thread_get_registers(s->thread, &r));
    return r;
}

void test_trace(void);
