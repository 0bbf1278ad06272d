/* SPDX-License-Identifier: BSD-2-Clause */
/* resend_offsets.c: what resend.S believes about the ABI, checked by the compiler. No code. */
#include <abi/error.h>
#include <abi/ipc.h>

_Static_assert(offsetof(struct l4_utcb, mr) == 0, "resend.S");
_Static_assert(offsetof(struct l4_utcb, sent_cap) == 504, "resend.S");
_Static_assert(offsetof(struct l4_utcb, sent_tag) == 512, "resend.S");
_Static_assert(offsetof(struct l4_utcb, sent_number) == 520, "resend.S");
_Static_assert(L4_PEER_RESTARTED == -3, "resend.S");
