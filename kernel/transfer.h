/* SPDX-License-Identifier: BSD-2-Clause */
/* transfer.h: what a message carries beyond registers. */
#pragma once
#include "thread.h"

/* Words 4 to n - 1, UTCB to UTCB. */
void transfer_words(const struct thread *from, struct thread *to, u32 n);
/* Map or grant the typed items that `tag` announces into the receiver's windows. L4_MAP_FAILED or RESTART with
 * from->items_done (doing it again goes on there), or L4_OK. Items before a failed one stand. */
l4_err_t transfer_items(struct thread *from, struct thread *to, u64 tag);
/* It will not be done again. */
static inline void transfer_forget(struct thread *from) { from->progress = from->items_to = 0; }
/* `from`'s registers and last exception into a handler's UTCB. */
void transfer_exception(const struct thread *from, struct l4_utcb *to);
