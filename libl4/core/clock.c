/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.c: waiting for a time. */
#include <l4/clock.h>
#include <l4/invoke.h>

void l4_sleep_until(u64 ns)
{
    u64 tag, none = 0;
    do {
        u64 w0 = 0, w1 = 0, w2 = 0, w3 = 0;
        l4_utcb()->deadline = ns;
        tag = l4_tag(0, 0, 0) | L4_TAG_WAIT | L4_TAG_TIMEOUT;
        l4_invoke(0, &tag, none, &w0, &w1, &w2, &w3);
    } while ((l4_tag_status(tag) == L4_KICKED || l4_tag_status(tag) == L4_PEER_RESTARTED) && l4_now() < ns);
}
