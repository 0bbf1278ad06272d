/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c: calls every method of gadget.idl through its stub; kernel.c is at the other end. */
#include "gadget.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

extern u32 test_rights;
enum { GADGET = 5 };

/* Send words as they are: what no stub would. */
static l4_err_t raw(u32 what, u32 words, u32 items, u64 w0, u64 w1, u64 w2)
{
    u64 w3 = 0, tag = l4_tag(what, words, items);
    l4_invoke(GADGET, &tag, 0, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}

static void good(void)
{
    u64 joined;
    assert(gadget_join(GADGET, 7, 8, 41, &joined) == L4_OK && joined == 42);
    assert(gadget_join(GADGET, 7, 13, 41, &joined) == L4_NO_CAPABILITY);
    struct gadget_registers in, out = { { 0 } };
    for (u32 i = 0; i < 18; i++)
        in.word[i] = 0x1111111111111111ul * i;
    assert(gadget_set(GADGET, &in, GADGET_FAST) == L4_OK);
    assert(gadget_get(GADGET, &out) == L4_OK && !memcmp(&in, &out, sizeof in));
    struct gadget_flags wanted = { .armed = true, .now = GADGET_SLOW, .count = 77 }, old;
    i16 trimmed;
    assert(gadget_configure(GADGET, &wanted, -5, &old, &trimmed) == L4_OK);
    assert(trimmed == -5 && !old.armed && old.now == GADGET_FAST && old.count == 78);
    struct l4_bytes before;
    assert(gadget_label(GADGET, 4000000000u, l4_text("hello world"), &before) == L4_OK);
    assert(before.length == 3 && !memcmp(before.at, "old", 3));
    assert(gadget_make_gate(GADGET, 12) == L4_OK && gadget_make_irq(GADGET, 13) == L4_OK);
    assert(gadget_make_gate(GADGET, 13) == L4_WRONG_KIND);
    assert(gadget_lend(GADGET, 0x1000, true) == L4_OK && gadget_lend(GADGET, 0x1000, false) == L4_NOT_MAPPED);
}

static void refused(void)
{
    struct l4_bytes before;
    u64 joined;
    assert(gadget_label(GADGET, 1, l4_text("seventeen letters"), &before) == L4_BAD_MESSAGE);
    assert(raw(GADGET_METHOD_LABEL, 5, 0, 1, 17, 0) == L4_BAD_MESSAGE);         /* longer than its bound */
    assert(raw(GADGET_METHOD_LABEL, 5, 0, 1, 11, 0) == L4_BAD_MESSAGE);         /* more than was sent */
    assert(raw(GADGET_METHOD_LABEL, 5, 0, 1ul << 32, 3, 0) == L4_BAD_MESSAGE);  /* no u32 */
    assert(raw(GADGET_METHOD_LEND, 2, 0, 0, 2, 0) == L4_BAD_MESSAGE);           /* no bool */
    assert(raw(GADGET_METHOD_LEND, 1, 0, 0, 1, 0) == L4_BAD_MESSAGE);           /* a word too few */
    assert(raw(GADGET_METHOD_LEND, 2, 1, 0, 1, 0) == L4_BAD_MESSAGE);           /* an item too many */
    assert(raw(GADGET_METHOD_CONFIGURE, 3, 0, 2, 0, 0) == L4_BAD_MESSAGE);      /* no bool inside a struct */
    assert(raw(GADGET_METHOD_CONFIGURE, 3, 0, 1, 0, 1ul << 31) == L4_BAD_MESSAGE);
    assert(raw(GADGET_METHOD_MAKE_IRQ + 1, 0, 0, 0, 0, 0) == L4_NO_METHOD);
    struct gadget_registers in = { { 0 } };
    assert(gadget_set(GADGET, &in, (enum gadget_mode)3) == L4_BAD_MESSAGE);
    test_rights = 127 & ~(L4_C | L4_I);
    assert(gadget_set(GADGET, &in, GADGET_FAST) == L4_NO_RIGHT);
    assert(gadget_join(GADGET, 7, 8, 41, &joined) == L4_NO_RIGHT);
}

int main(void)
{
    good();
    refused();
    puts("ok");
    return 0;
}
