/* SPDX-License-Identifier: BSD-2-Clause */
/* transaction.h: undo log and commit. A request is a local transaction:
 *
 *   l4_begin(slot, n)    log.top = 1, THEN the header (slot, n): with top 0 the header means "answered"
 *   l4_keep(at, words)   old bytes and their place, THEN top; after that the caller may change them
 *   (the answer goes into the slot)
 *   l4_commit(slot, n)   log.top = 0, the one commit word; THEN slot.number = n, which recovery would finish
 *   l4_undo()            entries from the last to the first, each restored BEFORE top is lowered past it
 *
 * The order of the stores is the protocol: the compiler barriers hold it, x86 keeps stores in order, and a kill
 * between any two instructions leaves either the state before or the state after. Caller: the state's only thread. */
#pragma once
#include <abi/types.h>
#include <l4/hook.h>
#include <l4/state.h>

#define L4_BARRIER() __asm__ volatile("" ::: "memory")

/* Log entry:  63  62       54 53             43 42     32 31        0
 *            +---+-----------+-----------------+---------+-----------+
 *            |new| kind      | word in record  | words   | address   |
 *            +---+-----------+-----------------+---------+-----------+
 * kind 0: no record whose invariants need a check. new: nothing was copied, undo zeroes. */
enum { L4_ENTRY_WORDS_MAX = 2047 };
#define L4_ENTRY_NEW (1ul << 63)
static inline u64 l4_entry(const void *at, u32 words, u32 kind, u32 word)
{
    return (u64)at | (u64)words << 32 | (u64)word << 43 | (u64)kind << 54;
}
static inline u32 l4_entry_words(u64 entry) { return (u32)(entry >> 32) & 2047; }
static inline u32 l4_entry_kind(u64 entry) { return (u32)(entry >> 54) & 511; }
/* The record that the entry is part of. */
static inline const void *l4_entry_record(u64 entry)
{
    return (const void *)((u64)(u32)entry - 8 * (entry >> 43 & 2047));
}

/* More was changed in one transaction than the log holds: a crash, undone. */
extern _Noreturn void l4_log_full(void);

static inline void l4_store(u64 *at, u64 value)
{
    l4_hook();
    *(volatile u64 *)at = value;
    l4_hook();
}

static inline void l4_begin(struct l4_slot *slot, u64 number)
{
    struct l4_undo_log *log = l4_undo_log();
    l4_store(&log->top, 1);
    L4_BARRIER();
    log->slot = slot;
    l4_hook();
    log->number = number;
    l4_hook();
    L4_BARRIER();
}

static inline void l4_commit(struct l4_slot *slot, u64 number)
{
    L4_BARRIER();
    l4_store(&l4_undo_log()->top, 0);
    L4_BARRIER();
    if (slot) {
        l4_store(&slot->number, number);
    }
    L4_BARRIER();
}

/* Log `words` words at `at`, which are word number `word` and following of a record of `kind`. */
static inline __attribute__((always_inline)) void l4_keep_part(const void *at, u32 words, u32 kind, u32 word)
{
    struct l4_undo_log *log = l4_undo_log();
    u64 top = log->top;
    const u64 *from = at;
    if (__builtin_expect(top + words >= L4_LOG_WORDS, 0)) {
        l4_log_full();
    }
    for (u32 i = 0; i < words; i++) {
        log->word[top + i] = from[i];
    }
    log->word[top + words] = l4_entry(at, words, kind, word);
    L4_BARRIER();
    l4_store(&log->top, top + words + 1);
    L4_BARRIER();
}

static inline __attribute__((always_inline)) void l4_keep(const void *at, u32 words) { l4_keep_part(at, words, 0, 0); }

/* Log that the zero words at `at` come into use: undo zeroes them. */
static inline __attribute__((always_inline)) void l4_keep_new(const void *at, u32 words, u32 kind)
{
    struct l4_undo_log *log = l4_undo_log();
    u64 top = log->top;
    if (__builtin_expect(top >= L4_LOG_WORDS, 0)) {
        l4_log_full();
    }
    log->word[top] = l4_entry(at, words, kind, 0) | L4_ENTRY_NEW;
    L4_BARRIER();
    l4_store(&log->top, top + 1);
    L4_BARRIER();
}

/* Take back all that was logged. The transaction stays open, empty. May be cut short anywhere and called again. */
extern void l4_undo(void);

/* A new incarnation's first act: finish what was committed, undo what was not. May be cut short anywhere.
 * `state` may be an older version's, mapped elsewhere (writable): addresses in its log are moved. */
extern void l4_recover(struct l4_state *state);
