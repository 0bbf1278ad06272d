/* SPDX-License-Identifier: BSD-2-Clause */
/* task.c: life of a task, its UTCB pages, and the methods of task.idl.
 * A UTCB page is a page of the kernel's mapped without a struct cap; bits 52-55 of its entry tell which of its four
 * UTCBs are taken. The CPU notes when its task writes to it: else it is all zero again when each UTCB is cleared that the kernel
 * wrote to. */
#include "task.h"
#include "flexpage.h"
#include "reap.h"
#include "string.h"
#include "task_kernel.h"
#include "watch.h"

enum { UTCBS = 15 };            /* mask of the four in a page */

struct list task_all = { &task_all, &task_all };

l4_err_t task_init(struct object *object)
{
    struct task *task = task_of(object);
    list_init(&task->threads);
    task->native.bytes = ~0ul;
    if (!paging_create(&task->space, object->factory))
        return L4_NO_MEMORY;
    l4_err_t err = cap_table_init(&task->caps, object->factory);
    if (err == L4_OK)
        list_insert(&task_all, &task->in_all);
    else
        paging_destroy(&task->space);
    return err;
}

static l4_err_t unmap_step(struct task *task)
{
    u64 changed;
    l4_err_t err = flexpage_unmap(task, L4_FPAGE_EVERYTHING, L4_R, false, &task->emptied[0], &changed);
    if (err != L4_OK)
        return err;
    return flexpage_unmap(task, l4_fpage_ports(0, 16), L4_R | L4_W, false, &task->emptied[1], &changed);
}

/* Threads first, so that nobody runs in what is taken apart; then capabilities, then memory. */
l4_err_t task_destroy_step(struct object *object, u32 *budget)
{
    struct task *task = task_of(object);
    struct list *thread = list_first(&task->threads);
    if (thread) {
        thread_unbind_step(container_of(thread, struct thread, in_task), budget);
        return RESTART;
    }
    if (task->caps.pages && cap_table_fini_step(&task->caps, budget) == RESTART)
        return RESTART;
    task->caps.pages = NULL;
    if (!*budget || unmap_step(task) == RESTART) {
        *budget = 0;            /* that was a whole step */
        return RESTART;
    }
    if (trace_home == task) {
        trace_home = NULL;
        invoke_how = kernel_invoke;
    }
    paging_destroy(&task->space);
    list_remove(&task->in_all);
    return L4_OK;
}

/* ---- UTCBs ---- */

static u64 utcb_bit(vaddr_t at) { return ENTRY_UTCB << (at / L4_UTCB_SIZE & 3); }

/* Put a fresh page for UTCBs into an empty entry. */
static bool add_page(struct space *space, u64 *entry)
{
    void *page = memory_take_zero(space->factory);
    if (!page) {
        paging_trim(space, entry);
        return false;
    }
    u64 leaf = paging_leaf(arch_paddr(page), L4_PAGE_SHIFT, L4_R | L4_W, ENTRY_USER | ENTRY_KERNEL);
    paging_set(entry, leaf & ~ENTRY_DIRTY, NULL);
    return true;
}

l4_err_t task_utcb_take(struct task *task, vaddr_t at, struct l4_utcb **utcb)
{
    struct space *space = &task->space;
    if (at & (L4_UTCB_SIZE - 1) || at >= L4_USER_END)
        return L4_BAD_ARGUMENT;
    struct place place = paging_make(space, at, L4_PAGE_SHIFT);
    bool is_fresh = place.entry && !*place.entry;
    if (!place.entry || (is_fresh && !add_page(space, place.entry)))
        return L4_NO_MEMORY;
    if (!(*place.entry & ENTRY_KERNEL) || *place.entry & utcb_bit(at))
        return L4_SLOT_BUSY;
    *place.entry |= utcb_bit(at);
    *utcb = arch_pointer(paging_frame(*place.entry) + (at & (L4_PAGE_SIZE - 1)));
    if (!is_fresh)
        memset(*utcb, 0, sizeof **utcb);
    return L4_OK;
}

void task_utcb_give(struct task *task, vaddr_t at)
{
    struct space *space = &task->space;
    u64 *entry = paging_find(space, at).entry, last = *entry &= ~utcb_bit(at);
    void *page = arch_pointer(paging_frame(last));
    memset(page + (at & (L4_PAGE_SIZE - 1)), 0, L4_UTCB_SIZE);
    if (last & UTCBS * ENTRY_UTCB)
        return;
    paging_clear(space, entry, at);
    if (last & ENTRY_DIRTY)
        memory_give(space->factory, page, L4_PAGE_SIZE);
    else
        memory_give_zero(space->factory, page);
}

/* ---- task.idl ---- */

l4_err_t task_map(struct task *self, struct invocation *inv, struct task *source, u64 from, u64 to, u32 rights,
                  u64 *mapped)
{
    return flexpage_map(self, source, from, to, rights, MAP, &inv->caller->progress, mapped);
}

l4_err_t task_copy(struct task *self, struct invocation *inv, struct task *source, u64 from, u64 to, u32 rights,
                   u64 *mapped)
{
    bool is_memory = l4_fpage_type(from) == L4_FPAGE_MEMORY;
    return is_memory ? flexpage_map(self, source, from, to, rights, COPY, &inv->caller->progress, mapped) : L4_BAD_ARGUMENT;
}

/* What is found to be destroyed may be the caller and `self`. */
l4_err_t task_unmap(struct task *self, struct invocation *inv, u64 flexpage, u32 rights, bool derived_only,
                    u64 *changed)
{
    l4_err_t err = flexpage_unmap(self, flexpage, rights, derived_only, &inv->caller->progress, changed);
    if (err != REAP)
        return err;
    if (reap_step() > TREE_STEP / 2 || !invocation_stands(inv, self))
        return RESTART;         /* a long step is enough for one entry */
    err = flexpage_unmap(self, flexpage, rights, derived_only, &inv->caller->progress, changed);
    return err == REAP ? RESTART : err;
}

l4_err_t task_set_native(struct task *self, struct invocation *inv, u64 start, u64 end, u64 leave, u64 leave_end)
{
    self->native = (struct code_range){ start, end - start };
    self->leave = (struct code_range){ leave, leave_end - leave };
    return L4_OK;
}

l4_err_t task_look(struct task *self, struct invocation *inv, u64 flexpage, u32 *rights, u32 *order, u64 *id)
{
    enum l4_fpage_type type = l4_fpage_type(flexpage);
    struct found found = flexpage_find(self, type, l4_fpage_base(flexpage));
    bool is_utcb = found.place.entry && *found.place.entry & ENTRY_KERNEL;
    if (!is_utcb && (!found.cap || cap_is_tomb(found.cap)))
        return L4_NOT_MAPPED;
    *rights = is_utcb ? L4_R | L4_W : found.cap->rights;
    *order = found.order;
    *id = type == L4_FPAGE_CAP && found.cap->object ? found.cap->object->id : 0;
    return L4_OK;
}
