/* SPDX-License-Identifier: BSD-2-Clause */
/* task.c: ranges of any length as the fewest flexpages. */
#include <l4/task.h>
#include <abi/object.h>
#include <l4/types.h>
#include "task.h"

u32 l4_order_fit(vaddr_t at, vaddr_t with, u64 bytes)
{
    u64 place = at | with;
    u32 aligned = place ? (u32)__builtin_ctzl(place) : 47;
    u32 fits = 63 - (u32)__builtin_clzl(bytes);
    u32 order = aligned < fits ? aligned : fits;
    return order < 47 ? order : 47;
}

l4_err_t l4_map_range(cap_t destination, cap_t source, vaddr_t from, vaddr_t to, u64 bytes, u32 rights)
{
    while (bytes) {
        u64 mapped;
        u32 order = l4_order_fit(from, to, bytes);
        l4_err_t err = task_map(destination, source, l4_fpage_memory(from, order, rights), to, rights, &mapped);
        if (err)
            return err;
        from += 1ul << order;
        to += 1ul << order;
        bytes -= 1ul << order;
    }
    return L4_OK;
}

l4_err_t l4_unmap_range(cap_t task, vaddr_t at, u64 bytes, u32 rights, bool derived_only)
{
    while (bytes) {
        u64 changed;
        u32 order = l4_order_fit(at, 0, bytes);
        l4_err_t err = task_unmap(task, l4_fpage_memory(at, order, rights), rights, derived_only, &changed);
        if (err)
            return err;
        at += 1ul << order;
        bytes -= 1ul << order;
    }
    return L4_OK;
}

l4_err_t l4_map_cap(cap_t destination, cap_t source, cap_t from, cap_t to, u32 rights)
{
    u64 mapped;
    return task_map(destination, source, l4_fpage_caps(from, 0), to, rights, &mapped);
}

l4_err_t l4_unmap_cap(cap_t task, cap_t slot)
{
    u64 changed;
    return task_unmap(task, l4_fpage_caps(slot, 0), L4_RIGHTS_ALL, false, &changed);
}
