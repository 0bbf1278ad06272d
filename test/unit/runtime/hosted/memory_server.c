/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_server.c: vm, faked by the host's mmap. */
#define _GNU_SOURCE
#include "hosted.h"
#include <errno.h>
#include <sys/mman.h>
#include "vm.h"

static u64 place = 0x7f0000000000;      /* where the program said nothing: downwards from here, below the runtime */

int host_map_flags(u64 how, u64 *address)
{
    int flags = (how & VM_SHARED ? MAP_SHARED : MAP_PRIVATE) | (how & VM_FIXED ? MAP_FIXED : how & VM_EXACTLY ? MAP_FIXED_NOREPLACE : 0);
    if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && *address == 0)
        *address = place -= 64 << 20;
    return flags;
}

static l4_err_t map(struct request *r)
{
    u64 address = r->word[0];
    int flags = host_map_flags(r->word[3], &address);
    void *at = mmap((void *)address, r->word[1], (int)r->word[2], flags | MAP_ANONYMOUS, -1, 0);
    r->word[0] = (u64)at;
    return at == MAP_FAILED ? host_error() : L4_OK;
}

l4_err_t vm_serve(struct request *r)
{
    void *at = (void *)r->word[0];
    switch (r->method) {
    case VM_METHOD_MAP & 0xff:
        return map(r);
    case VM_METHOD_UNMAP & 0xff:
        return munmap(at, r->word[1]) ? host_error() : L4_OK;
    case VM_METHOD_PROTECT & 0xff:
        return mprotect(at, r->word[1], (int)r->word[2]) ? host_error() : L4_OK;
    case VM_METHOD_RESIZE & 0xff:
        at = mremap(at, r->word[1], r->word[2], r->word[3] == 2 ? MREMAP_MAYMOVE | MREMAP_FIXED : (int)r->word[3], (void *)r->word[4]);
        r->word[0] = (u64)at;
        return at == MAP_FAILED ? host_error() : L4_OK;
    case VM_METHOD_DISCARD & 0xff:
        return madvise(at, r->word[1], MADV_DONTNEED) ? host_error() : L4_OK;
    case VM_METHOD_EXPLAIN & 0xff:
        return VM_FAULT;
    case VM_METHOD_TOTAL & 0xff:
        r->word[0] = 1 << 16, r->word[1] = 1 << 15, r->word[2] = r->word[3] = r->word[4] = 0;
        return L4_OK;
    default:
        return L4_NO_METHOD;
    }
}
