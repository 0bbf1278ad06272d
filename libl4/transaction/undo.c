/* SPDX-License-Identifier: BSD-2-Clause */
/* undo.c: the cold half of transactions: taking back, and a new incarnation's first act. The order is
 * transaction.h's. */
#include <l4/panic.h>
#include <l4/string.h>
#include <l4/transaction.h>

void l4_log_full(void)
{
    l4_panic("one request changed more than the log's %u words", L4_LOG_WORDS);
}

/* Undo `log`, whose entries name addresses that now lie `moved` bytes higher. */
static void log_undo(struct l4_undo_log *log, i64 moved)
{
    for (u64 top = log->top; top > 1; ) {
        u64 entry = log->word[--top];
        u64 *at = (u64 *)((u64)(u32)entry + (u64)moved);
        u32 words = l4_entry_words(entry);
        if (entry & L4_ENTRY_NEW) {
            memset(at, 0, 8ul * words);
        } else {
            top -= words;
            memcpy(at, &log->word[top], 8ul * words);
        }
        L4_BARRIER();
        l4_store(&log->top, top);
        L4_BARRIER();
    }
}

void l4_undo(void)
{
    log_undo(l4_undo_log(), 0);
}

void l4_recover(struct l4_state *state)
{
    struct l4_undo_log *log = &state->log;
    i64 moved = (i64)((u64)state - L4_STATE_ADDRESS);
    if (log->top == 0) {
        if (log->slot) {
            struct l4_slot *slot = (struct l4_slot *)((u64)log->slot + (u64)moved);
            l4_store(&slot->number, log->number);
        }
        return;
    }
    log_undo(log, moved);
    log->slot = NULL;
    L4_BARRIER();
    l4_store(&log->top, 0);
    L4_BARRIER();
}
