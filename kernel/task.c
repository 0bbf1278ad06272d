/* SPDX-License-Identifier: BSD-2-Clause */
/* task.c: life of a task, its UTCB pages, and the methods of task.idl.
 * A UTCB page is a kernel frame mapped without a node; bits 52-55 of its entry tell which of its four UTCBs are taken.
 * */
#include "task.h"
#include <abi/fpage.h>
#include "factory.h"
#include "invoke.h"
#include "memory.h"
#include "paging.h"
#include "task_kernel.h"
#include "thread.h"

enum { CAPS_STEP = 64, UTCBS = 15 };    /* UTCBS: mask of the four in a page */

l4_err_t task_init(struct object *object)
{
    struct task *task = task_of(object);
    list_init(&task->threads);
    task->native.end = task->leave.start = task->leave.end = ~0ul;
    l4_err_t err = space_init(&task->space, object->factory, object->id);
    if (err != L4_OK)
        return err;
    err = cap_table_init(&task->caps, object->factory);
    if (err != L4_OK)
        paging_destroy(task->space.root, object->factory);
    return err;
}

/* Threads first, so that nobody runs in what is taken apart; then capabilities, then memory. */
l4_err_t task_destroy_step(struct object *object)
{
    struct task *task = task_of(object);
    struct list *thread = list_first(&task->threads);
    if (thread) {
        thread_unbind(container_of(thread, struct thread, in_task));
        return RESTART;
    }
    if (task->caps.pages) {
        if (cap_table_fini_step(&task->caps) == L4_OK)
            task->caps.pages = NULL;
        return RESTART;
    }
    return space_fini_step(&task->space);
}

/* ---- UTCBs ---- */

static u64 utcb_bit(vaddr_t at) { return ENTRY_COUNT << (at / L4_UTCB_SIZE & 3); }

static bool is_utcb_page(struct place place) { return place.order == L4_PAGE_SHIFT && (*place.entry & ENTRY_KERNEL); }

/* A fresh page for UTCBs at `at`. */
static l4_err_t add_page(struct task *task, vaddr_t at)
{
    paddr_t frame = memory_take_frame(task->space.factory);
    if (!frame)
        return L4_NO_MEMORY;
    l4_err_t err = space_map_kernel(&task->space, at & ~(vaddr_t)(L4_PAGE_SIZE - 1), frame);
    if (err != L4_OK)
        memory_give_frame(task->space.factory, frame);
    return err;
}

l4_err_t task_utcb_take(struct task *task, vaddr_t at, struct l4_utcb **utcb)
{
    if (at & (L4_UTCB_SIZE - 1) || at >= L4_USER_END)
        return L4_BAD_ARGUMENT;
    struct place place = paging_find(task->space.root, at);
    if (!is_utcb_page(place)) {
        l4_err_t err = add_page(task, at);
        if (err != L4_OK)
            return err;
        place = paging_find(task->space.root, at);
    }
    if (*place.entry & utcb_bit(at))
        return L4_SLOT_BUSY;
    *place.entry |= utcb_bit(at);
    *utcb = arch_pointer(paging_frame(*place.entry, L4_PAGE_SHIFT) + (at & (L4_PAGE_SIZE - 1)));
    __builtin_memset(*utcb, 0, sizeof **utcb);
    return L4_OK;
}

void task_utcb_give(struct task *task, vaddr_t at)
{
    struct place place = paging_find(task->space.root, at);
    *place.entry &= ~utcb_bit(at);
    if (*place.entry & UTCBS * ENTRY_COUNT)
        return;
    paddr_t frame = paging_frame(*place.entry, L4_PAGE_SHIFT);
    space_remove_kernel(&task->space, at & ~(vaddr_t)(L4_PAGE_SIZE - 1));
    memory_give_frame(task->space.factory, frame);
}

/* ---- task.idl ---- */

static bool is_cap_window(u64 fpage, u64 to)
{
    u64 base = l4_fpage_base(fpage), size = 1ul << (l4_fpage_order(fpage) & 15);
    return l4_fpage_order(fpage) <= 15 && !(base & (size - 1)) && base < L4_CAP_SLOTS && !(to & (size - 1))
        && to < L4_CAP_SLOTS;
}

/* Progress of work on capabilities: the slots that are done, above them what was changed. */
enum { SLOT_BITS = 16, SLOT_MASK = (1 << SLOT_BITS) - 1 };

static l4_err_t map_caps(struct task *to, struct task *from, u64 fpage, u64 to_slot, u32 rights, u64 *progress)
{
    u64 slots = 1ul << l4_fpage_order(fpage);
    for (u32 budget = CAPS_STEP; (*progress & SLOT_MASK) < slots; budget--) {
        u64 i = *progress & SLOT_MASK;
        struct cap *cap = cap_find(&from->caps, l4_fpage_base(fpage) + i);
        if (!budget)
            return RESTART;
        if (cap->kind != L4_NOTHING) {
            l4_err_t err = cap_map(&to->caps, to_slot + i, cap, rights, false);
            if (err != L4_OK)
                return err;
            *progress += 1 << SLOT_BITS;
        }
        ++*progress;
    }
    return *progress >> SLOT_BITS ? L4_OK : L4_NOT_MAPPED;
}

l4_err_t task_map(struct task *self, struct invocation *inv, struct task *source, u64 from, u64 to, u32 rights,
                  u64 *mapped)
{
    if (self->object.dying || source->object.dying)
        return L4_BAD_STATE;
    if (l4_fpage_type(from) != L4_FPAGE_CAP)
        return space_map(&self->space, &source->space, from, to, rights, false, false, inv->progress, mapped);
    if (!is_cap_window(from, to))
        return L4_BAD_ARGUMENT;
    l4_err_t err = map_caps(self, source, from, to, rights, inv->progress);
    *mapped = *inv->progress >> SLOT_BITS;
    return err;
}

l4_err_t task_copy(struct task *self, struct invocation *inv, struct task *source, u64 from, u64 to, u32 rights,
                   u64 *mapped)
{
    if (self->object.dying || source->object.dying)
        return L4_BAD_STATE;
    if (l4_fpage_type(from) != L4_FPAGE_MEMORY)
        return L4_BAD_ARGUMENT;
    return space_map(&self->space, &source->space, from, to, rights, true, false, inv->progress, mapped);
}

/* What destroys may destroy the caller and `self`: then it is the last thing done here. */
static l4_err_t unmap_caps(struct task *self, u64 fpage, bool derived_only, u64 *progress)
{
    u64 slots = 1ul << l4_fpage_order(fpage);
    for (u32 budget = CAPS_STEP; (*progress & SLOT_MASK) < slots; budget--) {
        struct cap *cap = cap_find(&self->caps, l4_fpage_base(fpage) + (*progress & SLOT_MASK));
        u64 changed = 0;
        if (!budget)
            return RESTART;
        if (cap_is_tomb(cap))
            return cap_remove_step(cap, derived_only, &changed);
        l4_err_t err = cap_remove_step(cap, derived_only, &changed);
        *progress += changed << SLOT_BITS;
        if (err != L4_OK)
            return err;
        ++*progress;
    }
    return L4_OK;
}

l4_err_t task_unmap(struct task *self, struct invocation *inv, u64 flexpage, u32 rights, bool derived_only,
                    u64 *changed)
{
    if (l4_fpage_type(flexpage) != L4_FPAGE_CAP)
        return space_unmap(&self->space, flexpage, rights, derived_only, inv->progress, changed);
    if (!is_cap_window(flexpage, 0) || (rights & L4_RIGHTS_ALL) != L4_RIGHTS_ALL)
        return L4_BAD_ARGUMENT;
    l4_err_t err = unmap_caps(self, flexpage, derived_only, inv->progress);
    if (err == L4_OK)
        *changed = *inv->progress >> SLOT_BITS;
    return err;
}

l4_err_t task_set_native(struct task *self, struct invocation *inv, u64 start, u64 end, u64 leave, u64 leave_end)
{
    self->native = (struct code_range){ start, end };
    self->leave = (struct code_range){ leave, leave_end };
    return L4_OK;
}

static l4_err_t look_cap(const struct task *self, u64 flexpage, u32 *rights, u64 *id)
{
    const struct cap *cap = cap_find(&self->caps, l4_fpage_base(flexpage));
    if (cap->kind == L4_NOTHING)
        return L4_NOT_MAPPED;
    *rights = cap->rights;
    *id = cap->object ? cap->object->id : 0;
    return L4_OK;
}

l4_err_t task_look(struct task *self, struct invocation *inv, u64 flexpage, u32 *rights, u32 *order, u64 *id)
{
    paddr_t frame;
    *order = 0;
    *id = 0;
    if (l4_fpage_type(flexpage) == L4_FPAGE_CAP)
        return look_cap(self, flexpage, rights, id);
    if (l4_fpage_type(flexpage) == L4_FPAGE_IO)
        return space_find_port(&self->space, l4_fpage_base(flexpage), rights, order) ? L4_OK : L4_NOT_MAPPED;
    return space_find(&self->space, l4_fpage_address(flexpage), &frame, rights, order) ? L4_OK : L4_NOT_MAPPED;
}
