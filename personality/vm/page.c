/* SPDX-License-Identifier: BSD-2-Clause */
/* page.c: see page.h. A failed map is no error of the state: the page faults again, or the fault is answered with what
 * went wrong. */
#include <l4/task.h>
#include <task.h>

#include "page.h"

const struct frames_page *frames_page(void) { return (const struct frames_page *)FRAMES_PAGE; }
void *frame_content(u32 frame) { return (void *)(FRAMES_BASE + ((u64)frame << L4_PAGE_SHIFT)); }

l4_err_t page_map(cap_t task, u32 frame, u64 address, u32 rights)
{
    u64 from = l4_fpage_memory((vaddr_t)frame_content(frame), L4_PAGE_SHIFT, 0), mapped;
    l4_err_t err = task_map(task, FRAMES_TASK, from, address, rights, &mapped);
    if (err == L4_SLOT_BUSY) {      /* it was there with other rights */
        task_unmap(task, l4_fpage_memory(address, L4_PAGE_SHIFT, 0), L4_R, false, &mapped);
        err = task_map(task, FRAMES_TASK, from, address, rights, &mapped);
    }
    return err;
}

l4_err_t page_map_run(cap_t task, u32 frame, u64 count, u64 address, u32 rights)
{
    vaddr_t from = (vaddr_t)frame_content(frame);
    l4_err_t err = l4_map_range(task, FRAMES_TASK, from, address, count << L4_PAGE_SHIFT, rights);
    for (u64 i = 0; err == L4_SLOT_BUSY && i < count; i++) {
        l4_err_t one = page_map(task, frame + (u32)i, address + (i << L4_PAGE_SHIFT), rights);
        err = one == L4_OK && i + 1 < count ? L4_SLOT_BUSY : one;
    }
    return err;
}

void pages_copy(cap_t to, cap_t from, u64 address, u64 end)
{
    while (address < end) {
        u32 order = l4_order_fit(address, address, end - address);
        u64 mapped;
        task_copy(to, from, l4_fpage_memory(address, order, 0), address, L4_R | L4_X, &mapped);
        address += 1ul << order;
    }
}

void pages_revoke(cap_t task, u64 address, u64 end, u32 rights)
{
    l4_unmap_range(task, address, end - address, rights, false);
}
