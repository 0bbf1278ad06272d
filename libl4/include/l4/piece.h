/* SPDX-License-Identifier: BSD-2-Clause */
/* piece.h: work that the undo log cannot hold at once, or that must stand even if the request is refused. A handler
 * does it before its own transaction, in transactions of their own: each leaves a state that is right, and doing all
 * again after a crash goes on where it ended, since the request that asked for it is not answered yet and comes
 * again. So a piece only does what the whole request would do in any case: give back, or fill what nobody sees yet.
 * Header words of the log change only while it is empty (top == 1), where recovery clears them. */
#pragma once
#include <l4/transaction.h>

struct pieces { struct l4_slot *slot; u64 number; };

/* Caller: nothing was changed yet. */
static inline struct pieces pieces_open(void)
{
    struct l4_undo_log *log = l4_undo_log();
    struct pieces own = { log->slot, log->number };
    log->slot = NULL;
    L4_BARRIER();
    l4_hook();
    return own;
}

/* What was done so far stays. */
static inline void piece_commit(void)
{
    l4_commit(NULL, 0);
    l4_step();
    l4_store(&l4_undo_log()->top, 1);
    L4_BARRIER();
}

/* Before a step that logs at most PIECE_STEP words. */
enum { PIECE_STEP = 1000 };
static inline void piece_pause(void)
{
    if (l4_undo_log()->top > L4_LOG_WORDS - PIECE_STEP) {
        piece_commit();
    }
}

static inline void pieces_close(struct pieces own)
{
    struct l4_undo_log *log = l4_undo_log();
    piece_commit();
    log->number = own.number;
    l4_hook();
    L4_BARRIER();
    log->slot = own.slot;
    L4_BARRIER();
    l4_hook();
}
