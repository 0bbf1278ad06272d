/* gadget_kernel.h: the kernel's side of gadget: prototypes of the handlers and the decoder that calls them.
 * Made by idlc from gadget.idl:2. Do not edit. A handler that returns an error has given no results. */
#pragma once
#include <abi/error.h>
#include <abi/ipc.h>
#include <abi/object.h>
#include "invoke.h"

struct gadget;
struct task;
struct thread;

enum { GADGET_PROTOCOL = 0x9, GADGET_VERSION = 1 };

enum gadget_mode {
    GADGET_OFF = 0,
    GADGET_SLOW = 1,
    GADGET_FAST = 2,
};

struct gadget_registers {
    u64 word[18];
};
_Static_assert(sizeof(struct gadget_registers) == 144, "gadget.idl:4");

struct gadget_flags {
    bool armed;
    enum gadget_mode now;
    u32 count;
};
_Static_assert(sizeof(struct gadget_flags) == 12, "gadget.idl:5");

/* Bits 0-31 of a request's tag. */
enum gadget_method {
    GADGET_METHOD_JOIN = 0x901,
    GADGET_METHOD_SET = 0x902,
    GADGET_METHOD_GET = 0x903,
    GADGET_METHOD_CONFIGURE = 0x904,
    GADGET_METHOD_LABEL = 0x905,
    GADGET_METHOD_LEND = 0x906,
    GADGET_METHOD_MAKE_GATE = 0x907,
    GADGET_METHOD_MAKE_IRQ = 0x908,
};

/* Two capabilities of the caller.
 * gadget.idl:8, needs IW. */
l4_err_t gadget_join(struct gadget *self, struct invocation *inv, struct task *source, struct thread *target, u64 at,
                     u64 *joined);

/* A struct far beyond the registers.
 * gadget.idl:10, needs C. */
l4_err_t gadget_set(struct gadget *self, struct invocation *inv, const struct gadget_registers *new,
                    enum gadget_mode how);

/* gadget.idl:11, needs R. */
l4_err_t gadget_get(struct gadget *self, struct invocation *inv, struct gadget_registers *now);

/* gadget.idl:12. */
l4_err_t gadget_configure(struct gadget *self, struct invocation *inv, const struct gadget_flags *wanted, i32 bias,
                          struct gadget_flags *old, i16 *trimmed);

/* gadget.idl:13, needs W. */
l4_err_t gadget_label(struct gadget *self, struct invocation *inv, u32 slot, const u8 *name, u32 name_length,
                      u8 *before, u32 *before_length);

/* A flexpage is a plain word here.
 * gadget.idl:15. */
l4_err_t gadget_lend(struct gadget *self, struct invocation *inv, u64 window, bool keep);

/* One handler for two methods.
 * gadget.idl:17, needs W. */
l4_err_t gadget_make(struct gadget *self, struct invocation *inv, enum l4_kind kind, u32 slot);

/* gadget.idl:18, needs W. */

/* Run the method that the tag names. ANSWERED: with its results, which are in the caller's frame and UTCB. */
static inline l4_err_t gadget_dispatch(struct gadget *self, struct invocation *inv)
{
    const struct message *m = &inv->caller->frame.message;
    switch ((u32)m->tag) {
    case GADGET_METHOD_JOIN: {
        if ((m->tag >> 32 & 0x1ff) != 3 || ~inv->used->rights & (L4_I | L4_W))
            return invocation_refuse(inv, L4_I | L4_W);
        u64 joined = 0;
        void *source = invocation_object(inv, m->word[0], L4_TASK, L4_O);
        if (!source)
            return ANSWERED;
        void *target = invocation_object(inv, m->word[1], L4_THREAD, L4_C);
        if (!target)
            return ANSWERED;
        l4_err_t err = gadget_join(self, inv, source, target, m->word[2], &joined);
        if (err != L4_OK)
            return err;
        return invocation_answer(inv, L4_OK, 1, joined, 0, 0, 0);
    }
    case GADGET_METHOD_SET: {
        if ((m->tag >> 32 & 0x1ff) != 19 || ~inv->used->rights & (L4_C))
            return invocation_refuse(inv, L4_C);
        union { u64 word[18]; struct gadget_registers value; } new;
        new.word[0] = m->word[0];
        new.word[1] = m->word[1];
        new.word[2] = m->word[2];
        new.word[3] = m->word[3];
        for (u32 i = 4; i < 18; i++)
            new.word[i] = *(const volatile u64 *)&inv->caller->utcb->mr[i];
        u64 how = *(const volatile u64 *)&inv->caller->utcb->mr[18];
        if (how > 2)
            return L4_BAD_MESSAGE;
        return gadget_set(self, inv, &new.value, (enum gadget_mode)how);
    }
    case GADGET_METHOD_GET: {
        if ((m->tag >> 32 & 0x1ff) || ~inv->used->rights & (L4_R))
            return invocation_refuse(inv, L4_R);
        union { u64 word[18]; struct gadget_registers value; } now = { { 0 } };
        l4_err_t err = gadget_get(self, inv, &now.value);
        if (err != L4_OK)
            return err;
        for (u32 i = 4; i < 18; i++)
            inv->caller->utcb->mr[i] = now.word[i];
        return invocation_answer(inv, L4_OK, 18, now.word[0], now.word[1], now.word[2], now.word[3]);
    }
    case GADGET_METHOD_CONFIGURE: {
        if ((m->tag >> 32 & 0x1ff) != 3)
            return invocation_refuse(inv, 0);
        union { u64 word[2]; struct gadget_flags value; } wanted;
        wanted.word[0] = m->word[0];
        wanted.word[1] = m->word[1];
        union { u64 word[2]; struct gadget_flags value; } old = { { 0 } };
        i16 trimmed = 0;
        if (*(const u8 *)&wanted.value.armed > 1 || (u32)wanted.value.now > 2 || m->word[2] != (u64)(i32)m->word[2])
            return L4_BAD_MESSAGE;
        l4_err_t err = gadget_configure(self, inv, &wanted.value, (i32)m->word[2], &old.value, &trimmed);
        if (err != L4_OK)
            return err;
        return invocation_answer(inv, L4_OK, 3, old.word[0], old.word[1], (u64)(i64)trimmed, 0);
    }
    case GADGET_METHOD_LABEL: {
        if ((m->tag >> 32 & 0x1c0) || ~inv->used->rights & (L4_W))
            return invocation_refuse(inv, L4_W);
        u64 name_length = m->word[1];
        u32 before_length = 0;
        if (m->word[0] != (u64)(u32)m->word[0] || name_length > 16 || l4_tag_words(m->tag) != 4 + (name_length + 7) / 8)
            return L4_BAD_MESSAGE;
        l4_err_t err = gadget_label(self, inv, (u32)m->word[0], (const u8 *)&inv->caller->utcb->mr[4],
            (u32)name_length, (u8 *)&inv->caller->utcb->mr[4], &before_length);
        if (err != L4_OK)
            return err;
        return invocation_answer(inv, L4_OK, 4 + (before_length + 7) / 8, before_length, 0, 0, 0);
    }
    case GADGET_METHOD_LEND: {
        if ((m->tag >> 32 & 0x1ff) != 2)
            return invocation_refuse(inv, 0);
        if (m->word[1] > 1)
            return L4_BAD_MESSAGE;
        return gadget_lend(self, inv, m->word[0], (bool)m->word[1]);
    }
    case GADGET_METHOD_MAKE_GATE: {
        if ((m->tag >> 32 & 0x1ff) != 1 || ~inv->used->rights & (L4_W))
            return invocation_refuse(inv, L4_W);
        if (m->word[0] != (u64)(u32)m->word[0])
            return L4_BAD_MESSAGE;
        return gadget_make(self, inv, L4_GATE, (u32)m->word[0]);
    }
    case GADGET_METHOD_MAKE_IRQ: {
        if ((m->tag >> 32 & 0x1ff) != 1 || ~inv->used->rights & (L4_W))
            return invocation_refuse(inv, L4_W);
        if (m->word[0] != (u64)(u32)m->word[0])
            return L4_BAD_MESSAGE;
        return gadget_make(self, inv, L4_IRQ, (u32)m->word[0]);
    }
    }
    return L4_NO_METHOD;
}
