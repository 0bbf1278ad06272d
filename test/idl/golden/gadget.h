/* gadget.h: A kernel object with every shape that the kernel decodes.
 * Made by idlc from gadget.idl:2. Do not edit. Results are undefined when a function does not return L4_OK. */
#pragma once
#include <abi/fpage.h>
#include <l4/invoke.h>

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
 * gadget.idl:8, retry, needs IW. */
static inline l4_err_t gadget_join(cap_t gadget, cap_t source, cap_t target, u64 at, u64 *joined)
{
    u64 w0 = source, w1 = target, w2 = at, w3 = 0;
    u64 tag = l4_tag(GADGET_METHOD_JOIN, 3, 0);
    l4_invoke(gadget, &tag, 0, &w0, &w1, &w2, &w3);
    *joined = (u64)w0;
    return l4_tag_status(tag);
}

/* A struct far beyond the registers.
 * gadget.idl:10, retry, needs C. */
static inline l4_err_t gadget_set(cap_t gadget, const struct gadget_registers *new, enum gadget_mode how)
{
    u64 *mr = l4_utcb()->mr;
    u64 new_words[4];
    __builtin_memcpy(new_words, new, 32);
    l4_put_bytes(&mr[4], (const u8 *)new + 32, 112);
    mr[18] = how;
    u64 w0 = new_words[0], w1 = new_words[1], w2 = new_words[2], w3 = new_words[3];
    u64 tag = l4_tag(GADGET_METHOD_SET, 19, 0);
    l4_invoke(gadget, &tag, 0, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}

/* gadget.idl:11, retry, needs R. */
static inline l4_err_t gadget_get(cap_t gadget, struct gadget_registers *now)
{
    u64 *mr = l4_utcb()->mr;
    u64 w0 = 0, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(GADGET_METHOD_GET, 0, 0);
    l4_invoke(gadget, &tag, 0, &w0, &w1, &w2, &w3);
    u64 now_words[4] = { w0, w1, w2, w3 };
    __builtin_memcpy(now, now_words, 32);
    __builtin_memcpy((u8 *)now + 32, &mr[4], 112);
    return l4_tag_status(tag);
}

/* gadget.idl:12, retry. */
static inline l4_err_t gadget_configure(cap_t gadget, const struct gadget_flags *wanted, i32 bias,
                                        struct gadget_flags *old, i16 *trimmed)
{
    u64 wanted_words[2] = { 0 };
    __builtin_memcpy(wanted_words, wanted, 12);
    u64 w0 = wanted_words[0], w1 = wanted_words[1], w2 = (u64)(i64)bias, w3 = 0;
    u64 tag = l4_tag(GADGET_METHOD_CONFIGURE, 3, 0);
    l4_invoke(gadget, &tag, 0, &w0, &w1, &w2, &w3);
    u64 old_words[2] = { w0, w1 };
    __builtin_memcpy(old, old_words, 12);
    *trimmed = (i16)w2;
    return l4_tag_status(tag);
}

/* gadget.idl:13, retry, needs W. */
static inline l4_err_t gadget_label(cap_t gadget, u32 slot, struct l4_bytes name, struct l4_bytes *before)
{
    if (name.length > 16)
        return L4_BAD_MESSAGE;
    u64 *mr = l4_utcb()->mr;
    l4_put_bytes(&mr[4], name.at, name.length);
    u64 w0 = slot, w1 = name.length, w2 = 0, w3 = 0;
    u64 tag = l4_tag(GADGET_METHOD_LABEL, 4 + l4_words(name.length), 0);
    l4_invoke(gadget, &tag, 0, &w0, &w1, &w2, &w3);
    if (l4_tag_status(tag) != L4_OK)
        return l4_tag_status(tag);
    if (w0 > 16)
        return L4_BAD_MESSAGE;
    *before = (struct l4_bytes){ (const u8 *)&mr[4], (u32)w0 };
    return l4_tag_status(tag);
}

/* A flexpage is a plain word here.
 * gadget.idl:15, retry. */
static inline l4_err_t gadget_lend(cap_t gadget, u64 window, bool keep)
{
    u64 w0 = window, w1 = keep, w2 = 0, w3 = 0;
    u64 tag = l4_tag(GADGET_METHOD_LEND, 2, 0);
    l4_invoke(gadget, &tag, 0, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}

/* One handler for two methods.
 * gadget.idl:17, retry, needs W. */
static inline l4_err_t gadget_make_gate(cap_t gadget, u32 slot)
{
    u64 w0 = slot, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(GADGET_METHOD_MAKE_GATE, 1, 0);
    l4_invoke(gadget, &tag, 0, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}

/* gadget.idl:18, retry, needs W. */
static inline l4_err_t gadget_make_irq(cap_t gadget, u32 slot)
{
    u64 w0 = slot, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(GADGET_METHOD_MAKE_IRQ, 1, 0);
    l4_invoke(gadget, &tag, 0, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}
