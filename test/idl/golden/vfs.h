/* vfs.h: Names and open files, as pm sees them.
 * Made by idlc from vfs.idl:2. Do not edit. Results are undefined when a function does not return L4_OK. */
#pragma once
#include <abi/fpage.h>
#include <l4/call.h>
#include <l4/session.h>

enum { VFS_PROTOCOL = 0x1202, VFS_VERSION = 1 };

enum vfs_error {
    VFS_NFILE = 23,  /* no descriptor table left */
};

/* Bits 0-31 of a request's tag. */
enum vfs_method {
    VFS_METHOD_FORK = 0x120201,
};

/* vfs.idl:4, once. */
static inline l4_err_t vfs_fork(struct l4_session *s, u32 from, u32 to)
{
    u64 number = l4_number(s);
    u64 w0 = from, w1 = to, w2 = 0, w3 = 0;
    u64 tag = l4_tag(VFS_METHOD_FORK, 2, 0);
    l4_call_numbered(s->gate, &tag, number, 2, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}
