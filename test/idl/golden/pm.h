/* pm.h: Processes. A label names the process; its slots are its threads.
 * Made by idlc from pm.idl:4. Do not edit. Results are undefined when a function does not return L4_OK. */
#pragma once
#include <abi/fpage.h>
#include <l4/call.h>
#include <l4/session.h>

enum { PM_PROTOCOL = 0x1200, PM_VERSION = 1 };

enum pm_error {
    PM_AGAIN = 11,  /* no process slot is left */
    PM_NOMEM = 12,  /* vm or keeper refused */
};

/* Bits of the session's event word. */
enum pm_event {
    PM_EVENT_SIGNALLED = 0,
};

enum pm_life {
    PM_FREE = 0,
    PM_EMBRYO = 1,
    PM_RUNNING = 2,
    PM_DYING = 3,
};

struct pm_registers {
    u64 word[18];
};
_Static_assert(sizeof(struct pm_registers) == 144, "pm.idl:9");

/* Bits 0-31 of a request's tag. */
enum pm_method {
    PM_METHOD_FORK = 0x120001,
    PM_METHOD_GETPPID = 0x120002,
};

/* Make a child that starts with `child` as its registers.
 * pm.idl:12, once. */
static inline l4_err_t pm_fork(struct l4_session *s, const struct pm_registers *child, u32 *pid)
{
    u64 *mr = l4_utcb()->mr;
    u64 number = l4_number(s);
    u64 child_words[4];
    __builtin_memcpy(child_words, child, 32);
    l4_put_bytes(&mr[4], (const u8 *)child + 32, 112);
    u64 w0 = child_words[0], w1 = child_words[1], w2 = child_words[2], w3 = child_words[3];
    u64 tag = l4_tag(PM_METHOD_FORK, 18, 0);
    l4_call_numbered(s->gate, &tag, number, 4, &w0, &w1, &w2, &w3);
    *pid = (u32)w0;
    return l4_tag_status(tag);
}

/* pm.idl:13, retry. */
static inline l4_err_t pm_getppid(cap_t pm, u32 *pid)
{
    u64 w0 = 0, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(PM_METHOD_GETPPID, 0, 0);
    l4_call(pm, &tag, 0, &w0, &w1, &w2, &w3);
    *pid = (u32)w0;
    return l4_tag_status(tag);
}
