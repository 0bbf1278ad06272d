/* SPDX-License-Identifier: BSD-2-Clause */
/* message.c: calls and answers, inside a task and between two, and what they carry. */
#include "bench.h"
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/utcb.h>
#include "factory.h"
#include "gate.h"
#include "spawn.h"
#include "test.h"

enum { PRIORITY = 63, METHOD = 0x100001, WINDOW_SLOT = 4096, WINDOW_SLOTS_LOG2 = 8, WINDOW_LOG2 = 24 };
#define WINDOW 0x60000000ul

static u8 page[L4_PAGE_SIZE] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;

/* Answers each call with as many words as `words`. */
static void serve(u64 words)
{
    u64 word = 0, answer = l4_tag(0, (u32)words, 0);
    bench_receive();
    for (;;) {
        bench_answer(answer, &word);
    }
}

/* With one word; takes what a call carries. */
static void serve_word(u64 unused)
{
    u64 answer = l4_tag(0, 1, 0);
    l4_utcb()->window_caps = l4_fpage_caps(WINDOW_SLOT, WINDOW_SLOTS_LOG2);
    l4_utcb()->window_memory = l4_fpage_memory(WINDOW, WINDOW_LOG2, L4_R | L4_W);
    bench_receive();
    for (;;) {
        bench_answer_word(answer);
    }
}

static u32 refused(u32 i)
{
    u32 start = bench_begin();
    bench_call(SLOT_EMPTY, METHOD);
    return bench_end() - start;
}

static inline __attribute__((always_inline)) u32 words(u64 count)
{
    u32 start = bench_begin();
    bench_call(SLOT_DOOR, l4_tag(METHOD, count, 0));
    return bench_end() - start;
}

static u32 words_1(u32 i)
{
    u32 start = bench_begin();
    bench_call_word(SLOT_DOOR, l4_tag(METHOD, 1, 0));
    return bench_end() - start;
}
static u32 words_4(u32 i) { return words(4); }
static u32 words_8(u32 i) { return words(8); }
static u32 words_63(u32 i) { return words(63); }

static u32 item(u64 fpage, u64 hot)
{
    u32 start = bench_begin();
    l4_utcb()->item[0] = (struct l4_item){ fpage, hot };
    bench_call_word(SLOT_DOOR, l4_tag(METHOD, 1, 1));
    return bench_end() - start;
}

static u32 capability(u32 i) { return item(l4_fpage_caps(SLOT_GATE, 0), (u64)i << 12 | L4_R); }
static u32 one_page(u32 i) { return item(l4_fpage_memory((u64)page, L4_PAGE_SHIFT, L4_R), (u64)i << 12); }

static void with_server(bool same, u64 words, const char *id, u32 (*once)(u32))
{
    struct spawned server = (same ? spawn_thread_run : spawn_task_run)(0, PRIORITY, words == 1 ? serve_word : serve, words);
    l4_must(gate_bind(SLOT_GATE, server.thread));
    bench_each(id, once);
    spawn_end(&server);
}

void bench_messages(void)
{
    bench_each("k_null", refused);
    l4_must(factory_make_gate(L4_BOOT_FACTORY, SLOT_GATE));
    l4_must(gate_mint(SLOT_GATE, SLOT_DOOR, 1, L4_R));
    with_server(true, 4, "k_ipc_same_4", words_4);
    with_server(false, 1, "k_ipc_cross_1", words_1);
    with_server(false, 4, "k_ipc_cross_4", words_4);
    with_server(false, 8, "k_ipc_cross_8", words_8);
    with_server(false, 63, "k_ipc_cross_63", words_63);
    with_server(false, 1, "k_ipc_cap", capability);
    with_server(false, 1, "k_ipc_page", one_page);
    test_drop(SLOT_GATE);
}
