/* SPDX-License-Identifier: BSD-2-Clause */
/* transfer.h: what a message carries beyond registers. */
#pragma once
#include "thread.h"

/* Words 4 to n - 1, UTCB to UTCB. */
void transfer_words(const struct thread *from, struct thread *to, u32 n);
/* Map or grant `count` typed items of the sender into the receiver's windows. L4_MAP_FAILED with *index, RESTART
 * (sender's progress is kept; doing it again is harmless), or L4_OK. Items before a failed one stand. */
l4_err_t transfer_items(struct thread *from, struct thread *to, u32 count, u32 *index);
/* `from`'s registers and last exception into a handler's UTCB. */
void transfer_exception(const struct thread *from, struct l4_utcb *to);
