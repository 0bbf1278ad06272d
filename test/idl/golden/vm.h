/* vm.h: Address spaces, as pm sees them.
 * Made by idlc from vm.idl:2. Do not edit. Results are undefined when a function does not return L4_OK. */
#pragma once
#include <abi/fpage.h>
#include <l4/call.h>
#include <l4/session.h>

enum { VM_PROTOCOL = 0x1201, VM_VERSION = 1 };

enum vm_error {
    VM_NOMEM = 12,  /* no frame left */
};

/* Bits 0-31 of a request's tag. */
enum vm_method {
    VM_METHOD_FORK = 0x120101,
    VM_METHOD_DROP = 0x120102,
};

/* vm.idl:4, once. */
static inline l4_err_t vm_fork(struct l4_session *s, u32 from, u32 to, u32 done, u32 *copied, bool *more)
{
    u64 number = l4_number(s);
    u64 w0 = from, w1 = to, w2 = done, w3 = 0;
    u64 tag = l4_tag(VM_METHOD_FORK, 3, 0);
    l4_call_numbered(s->gate, &tag, number, 3, &w0, &w1, &w2, &w3);
    *copied = (u32)w0;
    *more = (bool)w1;
    return l4_tag_status(tag);
}

/* vm.idl:5, once. */
static inline l4_err_t vm_drop(struct l4_session *s, u32 space)
{
    u64 number = l4_number(s);
    u64 w0 = space, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(VM_METHOD_DROP, 1, 0);
    l4_call_numbered(s->gate, &tag, number, 1, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}
