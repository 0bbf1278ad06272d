/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c: calls about the address space. vm owns the regions; here is only where the heap ends, which nobody else asks. */
#include "calls.h"
#include "file.h"
#include "vm.h"

#define PAGE_UP(x) (((x) + L4_PAGE_SIZE - 1) & ~(u64)(L4_PAGE_SIZE - 1))
enum { PAGE_MASK = L4_PAGE_SIZE - 1 };

/* Linux's addresses: what starts or ends above is refused before vm is asked. */
static bool is_range(u64 at, u64 bytes) { return !(at & PAGE_MASK) && bytes && user_range(at, PAGE_UP(bytes)) && PAGE_UP(bytes) >= bytes; }

static u32 how_of(u64 flags)
{
    return ((flags & MAP_TYPE) == MAP_PRIVATE ? VM_PRIVATE : VM_SHARED) | (flags & MAP_FIXED_NOREPLACE ? VM_EXACTLY : flags & MAP_FIXED ? VM_FIXED : 0)
        | (flags & MAP_POPULATE ? VM_LOCKED : 0);
}

i64 sys_mmap(struct thread *t, const u64 *a)
{
    u64 address = a[0], bytes = PAGE_UP(a[1]), flags = a[3], at = 0, type = flags & MAP_TYPE;
    if (a[5] & PAGE_MASK || a[1] == 0 || (type != MAP_PRIVATE && type != MAP_SHARED && type != 3))
        return -EINVAL;
    if (bytes < a[1])
        return -ENOMEM;
    if (!(flags & MAP_ANONYMOUS) && (i64)(a[5] + bytes) < 0)
        return -EOVERFLOW;
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (address & PAGE_MASK)
            return -EINVAL;
        if (!user_range(address, bytes))
            return -ENOMEM;
        if (address < VM_ADDRESS_FIRST)
            return -EPERM;
    } else {
        address &= ~(u64)PAGE_MASK;
        if (!user_range(address, bytes))
            address = 0;
    }
    u32 protection = (u32)a[2] & VM_RWX;
    i64 err = flags & MAP_ANONYMOUS ? ASK(vm_map(&t->vm, address, bytes, protection, how_of(flags), &at))
                                    : ASK(vfs_map(&t->vfs, file_number(a[4]), a[5], address, bytes, protection, how_of(flags), &at));
    return err ? err : (i64)at;
}

i64 sys_munmap(struct thread *t, const u64 *a)
{
    return is_range(a[0], a[1]) ? ASK(vm_unmap(&t->vm, a[0], PAGE_UP(a[1]))) : -EINVAL;
}

i64 sys_mprotect(struct thread *t, const u64 *a)
{
    if (a[0] & PAGE_MASK || a[2] & ~(u64)VM_RWX)
        return -EINVAL;
    if (a[1] == 0)
        return 0;
    return is_range(a[0], a[1]) ? ASK(vm_protect(&t->vm, a[0], PAGE_UP(a[1]), (u32)a[2])) : -ENOMEM;
}

i64 sys_mremap(struct thread *t, const u64 *a)
{
    u64 at = 0;
    if (a[3] & ~(u64)(MREMAP_MAYMOVE | MREMAP_FIXED) || (a[3] & MREMAP_FIXED && !(a[3] & MREMAP_MAYMOVE)) || !is_range(a[0], a[1]) || a[2] == 0)
        return -EINVAL;
    if (a[3] & MREMAP_FIXED && !is_range(a[4], a[2]))
        return -EINVAL;
    u32 may_move = a[3] & MREMAP_FIXED ? 2 : a[3] & MREMAP_MAYMOVE ? 1 : 0;
    i64 err = ASK(vm_resize(&t->vm, a[0], PAGE_UP(a[1]), PAGE_UP(a[2]), may_move, a[4], &at));
    return err ? err : (i64)at;
}

/* The frames of a shared mapping are the file's: nothing is left to write. */
i64 sys_msync(struct thread *t, const u64 *a)
{
    return a[0] & PAGE_MASK || a[2] & ~7ul || (a[2] & 5) == 5 ? -EINVAL : 0;
}

i64 sys_madvise(struct thread *t, const u64 *a)
{
    if (a[0] & PAGE_MASK)
        return -EINVAL;
    if (a[1] == 0 || ((u32)a[2] != MADV_DONTNEED && (u32)a[2] != MADV_FREE))
        return (u32)a[2] <= 25 ? 0 : -EINVAL;
    return is_range(a[0], a[1]) ? ASK(vm_discard(&t->vm, a[0], PAGE_UP(a[1]))) : -EINVAL;
}

/* brk answers where the heap ends, whether or not it could be moved. */
i64 sys_brk(struct thread *t, const u64 *a)
{
    struct mm *m = mm();
    u64 wanted = a[0], old = PAGE_UP(m->brk), new = PAGE_UP(wanted), at;
    if (wanted < m->brk_start || wanted >= USER_END || new < wanted)
        return (i64)m->brk;
    i64 err = 0;
    if (new > old)
        err = ASK(vm_map(&t->vm, old, new - old, VM_RW, VM_PRIVATE | VM_EXACTLY | VM_HEAP, &at));
    else if (new < old)
        err = ASK(vm_unmap(&t->vm, new, old - new));
    if (!err)
        m->brk = wanted;
    return (i64)m->brk;
}
