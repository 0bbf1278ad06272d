/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel.c: handlers of gadget.idl that check what arrives and answer what client.c expects. */
#include "gadget_kernel.h"
#include <assert.h>
#include <string.h>

struct l4_utcb test_utcb;
u32 test_rights = 127;

void *invocation_object(struct invocation *inv, u64 slot, enum l4_kind kind, u32 rights)
{
    if (slot != 13)
        return (void *)(slot << 16 | (u64)kind << 8 | rights);
    invocation_answer(inv, L4_NO_CAPABILITY, 0, 0, 0, 0, 0);
    return NULL;
}

l4_err_t invocation_refuse(struct invocation *inv, u32 needed)
{
    bool held = (inv->used->rights & needed) == needed;
    return invocation_answer(inv, held ? L4_BAD_MESSAGE : L4_NO_RIGHT, 1, needed, 0, 0, 0);
}

void l4_invoke(cap_t cap, u64 *tag, u64 number, u64 *w0, u64 *w1, u64 *w2, u64 *w3)
{
    struct thread caller = { .frame.message = { cap, *tag, number, { *w0, *w1, *w2, *w3 } }, .utcb = &test_utcb };
    struct cap used = { .rights = (u8)test_rights };
    struct invocation inv = { &caller, &used };
    const struct message *m = &caller.frame.message;
    assert(cap == 5 && number == 0);
    l4_err_t err = gadget_dispatch(NULL, &inv);
    if (err != ANSWERED)
        invocation_answer(&inv, err, 0, 0, 0, 0, 0);
    *tag = m->tag;
    *w0 = m->word[0];
    *w1 = m->word[1];
    *w2 = m->word[2];
    *w3 = m->word[3];
}

l4_err_t gadget_join(struct gadget *self, struct invocation *inv, struct task *source, struct thread *target, u64 at,
                     u64 *joined)
{
    (void)self, (void)inv;
    assert((u64)source == (7ul << 16 | L4_TASK << 8 | L4_O) && (u64)target == (8ul << 16 | L4_THREAD << 8 | L4_C));
    *joined = at + 1;
    return L4_OK;
}

static struct gadget_registers kept;

l4_err_t gadget_set(struct gadget *self, struct invocation *inv, const struct gadget_registers *new, enum gadget_mode how)
{
    (void)self, (void)inv;
    assert(how == GADGET_FAST);
    kept = *new;
    return L4_OK;
}

l4_err_t gadget_get(struct gadget *self, struct invocation *inv, struct gadget_registers *now)
{
    (void)self, (void)inv;
    *now = kept;
    return L4_OK;
}

l4_err_t gadget_configure(struct gadget *self, struct invocation *inv, const struct gadget_flags *wanted, i32 bias,
                          struct gadget_flags *old, i16 *trimmed)
{
    (void)self, (void)inv;
    assert(wanted->armed && wanted->now == GADGET_SLOW && wanted->count == 77);
    *old = (struct gadget_flags){ .now = GADGET_FAST, .count = 78 };
    *trimmed = (i16)bias;
    return L4_OK;
}

l4_err_t gadget_label(struct gadget *self, struct invocation *inv, u32 slot, const u8 *name, u32 length, u8 *before,
                      u32 *before_length)
{
    (void)self, (void)inv;
    assert(slot == 4000000000u && length == 11 && !__builtin_memcmp(name, "hello world", 11));
    memcpy(before, "old", 3);
    *before_length = 3;
    return L4_OK;
}

l4_err_t gadget_lend(struct gadget *self, struct invocation *inv, u64 window, bool keep)
{
    (void)self, (void)inv, (void)window;
    return keep ? L4_OK : L4_NOT_MAPPED;
}

l4_err_t gadget_make(struct gadget *self, struct invocation *inv, enum l4_kind kind, u32 slot)
{
    (void)self, (void)inv;
    return kind == (slot == 12 ? L4_GATE : L4_IRQ) ? L4_OK : L4_WRONG_KIND;
}
