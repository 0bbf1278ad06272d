/* pipe.h: Byte pipes between clients. A label names a client; its ends are small integers.
 * Made by idlc from pipe.idl:2. Do not edit. Results are undefined when a function does not return L4_OK. */
#pragma once
#include <abi/fpage.h>
#include <l4/call.h>
#include <l4/session.h>

enum { PIPE_PROTOCOL = 0x1210, PIPE_VERSION = 2 };
enum { PIPE_CAPACITY = 4096 };

enum pipe_error {
    PIPE_BAD_END = 1,  /* no such end, or one of the other kind, or not the caller's */
    PIPE_BROKEN = 2,  /* nobody reads this pipe any more */
    PIPE_FULL = 3,  /* no pipe is left */
};

/* Bits of the session's event word. */
enum pipe_event {
    PIPE_EVENT_READABLE = 0,
};

enum pipe_side {
    PIPE_READER = 0,
    PIPE_WRITER = 1,
};

struct pipe_info {
    u32 readers;
    u32 writers;
    u32 bytes;
};
_Static_assert(sizeof(struct pipe_info) == 12, "pipe.idl:9");

/* Bits 0-31 of a request's tag. */
enum pipe_method {
    PIPE_METHOD_MAKE = 0x121001,
    PIPE_METHOD_WRITE = 0x121002,
    PIPE_METHOD_READ = 0x121003,
    PIPE_METHOD_CLOSE = 0x121004,
    PIPE_METHOD_STAT = 0x121005,
};

/* Make a pipe; both ends belong to the caller.
 * pipe.idl:12, once. */
static inline l4_err_t pipe_make(struct l4_session *s, u32 *reader, u32 *writer)
{
    u64 number = l4_number(s);
    u64 w0 = 0, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(PIPE_METHOD_MAKE, 0, 0);
    l4_call_numbered(s->gate, &tag, number, 0, &w0, &w1, &w2, &w3);
    *reader = (u32)w0;
    *writer = (u32)w1;
    return l4_tag_status(tag);
}

/* Append bytes; waits while there is no room for one, then takes what fits.
 * pipe.idl:14, once, needs W, parks. */
static inline l4_err_t pipe_write(struct l4_session *s, u32 end, struct l4_bytes data, u32 *done)
{
    if (data.length > 4096)
        return L4_BAD_MESSAGE;
    u64 number = l4_number(s);
    __builtin_memcpy(s->window, data.at, data.length);
    u64 w0 = end, w1 = data.length, w2 = 0, w3 = 0;
    u64 tag = l4_tag(PIPE_METHOD_WRITE, 2, 0);
    l4_call_numbered(s->gate, &tag, number, 2, &w0, &w1, &w2, &w3);
    *done = (u32)w0;
    return l4_tag_status(tag);
}

/* Take up to `most` bytes; waits while there are none; none and no writer left is the end.
 * pipe.idl:16, once, needs R, parks. */
static inline l4_err_t pipe_read(struct l4_session *s, u32 end, u32 most, struct l4_bytes *data)
{
    u64 number = l4_number(s);
    u64 w0 = end, w1 = most, w2 = 0, w3 = 0;
    u64 tag = l4_tag(PIPE_METHOD_READ, 2, 0);
    l4_call_numbered(s->gate, &tag, number, 2, &w0, &w1, &w2, &w3);
    if (l4_tag_status(tag) != L4_OK)
        return l4_tag_status(tag);
    if (w0 > 4096)
        return L4_BAD_MESSAGE;
    *data = (struct l4_bytes){ s->window, (u32)w0 };
    return l4_tag_status(tag);
}

/* pipe.idl:17, once. */
static inline l4_err_t pipe_close(struct l4_session *s, u32 end)
{
    u64 number = l4_number(s);
    u64 w0 = end, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(PIPE_METHOD_CLOSE, 1, 0);
    l4_call_numbered(s->gate, &tag, number, 1, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}

/* pipe.idl:18, retry. */
static inline l4_err_t pipe_stat(cap_t pipe, u32 end, struct pipe_info *now)
{
    u64 w0 = end, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(PIPE_METHOD_STAT, 1, 0);
    l4_call(pipe, &tag, 1, &w0, &w1, &w2, &w3);
    u64 now_words[2] = { w0, w1 };
    __builtin_memcpy(now, now_words, 12);
    return l4_tag_status(tag);
}
