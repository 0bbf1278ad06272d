/* keeper.h: Who owns every gate and state object.
 * Made by idlc from keeper.idl:2. Do not edit. Results are undefined when a function does not return L4_OK. */
#pragma once
#include <abi/fpage.h>
#include <l4/call.h>
#include <l4/session.h>

enum { KEEPER_PROTOCOL = 0x1100, KEEPER_VERSION = 1 };

enum keeper_error {
    KEEPER_EXISTS = 1,  /* the slot holds something else */
    KEEPER_QUOTA = 2,  /* the factory is empty */
};

/* Bits 0-31 of a request's tag. */
enum keeper_method {
    KEEPER_METHOD_MAKE = 0x110001,
    KEEPER_METHOD_SESSION = 0x110002,
};

/* keeper.idl:5, once. */
static inline l4_err_t keeper_make(struct l4_session *s, u32 slot, u64 label)
{
    u64 number = l4_number(s);
    u64 w0 = slot, w1 = label, w2 = 0, w3 = 0;
    u64 tag = l4_tag(KEEPER_METHOD_MAKE, 2, 0);
    l4_call_numbered(s->gate, &tag, number, 2, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}

/* What the client may call; the label is stored, never the capability.
 * keeper.idl:7, retry. */
static inline l4_err_t keeper_session(cap_t keeper, struct l4_bytes name, cap_t session)
{
    if (name.length > 64)
        return L4_BAD_MESSAGE;
    struct l4_utcb *utcb = l4_utcb();
    u64 *mr = utcb->mr;
    l4_put_bytes(&mr[4], name.at, name.length);
    u64 session_window = utcb->window_caps;
    utcb->window_caps = l4_fpage_caps(session, 0);
    u64 w0 = name.length, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(KEEPER_METHOD_SESSION, 4 + l4_words(name.length), 0);
    l4_call(keeper, &tag, 4, &w0, &w1, &w2, &w3);
    utcb->window_caps = session_window;
    return l4_tag_status(tag);
}
