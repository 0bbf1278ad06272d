/* SPDX-License-Identifier: BSD-2-Clause */
/* vm.c: the server: its methods and its start. */
#include "vmd_server.h"

#include <l4/log.h>
#include <l4/panic.h>

#include "fault.h"
#include "fill.h"
#include "limit.h"
#include "look.h"
#include "map.h"
#include "object.h"
#include "page.h"
#include "life.h"

/* The first start makes the pool, from its beginning if that is cut short: `ready` commits with what is taken from it.
 * Later ones find
 * all of it right, and page tables as far as they were filled: processes fault in the rest, file systems cannot. */
static void do_start(struct vmd_tx tx)
{
    const struct frames_page *page = frames_page();
    fill_begin();
    if (vmd_state()->ready) {
        fill_objects(tx);
        return;
    }
    if (page->magic != FRAMES_MAGIC || page->pool_bytes < frames_pool_bytes(page->top, page->chunks) || !page->ranges) {
        l4_panic("no frames from keeper");
    }
    pool_format();
    u32 frame = frame_take(tx, 0);
    memset(frame_content(frame), 0, L4_PAGE_SIZE);
    vmd_set_zeros(tx, frame);
    runtime_make(tx);
    vmd_set_ready(tx, 1);
    l4_log("%lu MB of frames", frames_total() >> 8);
}

static const struct vmd_ops ops = {
    .hooks.start = do_start,
    .hooks.timeout = memory_again,
    .vm_map = vm_map_do,
    .vm_unmap = vm_unmap_do,
    .vm_protect = vm_protect_do,
    .vm_resize = vm_resize_do,
    .vm_discard = vm_discard_do,
    .vm_look = vm_look_do,
    .vm_explain = vm_explain_do,
    .vm_total = vm_total_do,
    .vm_use = vm_use_do,
    .vm_peek = vm_peek_do,
    .vm_make = vm_make_do,
    .vm_fork = vm_fork_do,
    .vm_exec = vm_exec_do,
    .vm_drop = vm_drop_do,
    .vm_make_thread = vm_make_thread_do,
    .vm_drop_thread = vm_drop_thread_do,
    .vm_largest = vm_largest_do,
    .vm_limit = vm_limit_do,
    .vm_make_object = vm_make_object_do,
    .vm_adopt_object = vm_adopt_object_do,
    .vm_resize_object = vm_resize_object_do,
    .vm_move_object = vm_move_object_do,
    .vm_drop_object = vm_drop_object_do,
    .vm_retire_object = vm_retire_object_do,
    .vm_map_object = vm_map_object_do,
    .vm_module = vm_module_do,
    .pager_fault = vm_fault_do,
    .fill = fill_do,
};

void l4_main(void) { vmd_serve(&ops); }
