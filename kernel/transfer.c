/* SPDX-License-Identifier: BSD-2-Clause */
/* transfer.c: words, capabilities, flexpages. Nothing here can fault: UTCBs are kernel memory, items are looked up in
 * tables. */
#include "transfer.h"
#include "flexpage.h"
#include "lock.h"
#include "string.h"

void transfer_words(const struct thread *from, struct thread *to, u32 n)
{
    if (n > L4_REGISTER_WORDS)
        memcpy(&to->utcb->mr[L4_REGISTER_WORDS], &from->utcb->mr[L4_REGISTER_WORDS],
               (n - L4_REGISTER_WORDS) * sizeof(u64));
}

/* The receiver takes anything anywhere when it waits for a pager's answer; else what its windows allow. */
static u64 window_for(const struct thread *to, enum l4_fpage_type type)
{
    if (to->hot & THREAD_CALLED_FOR && thread_state(to) == THREAD_AWAITING)
        return type == L4_FPAGE_MEMORY ? L4_FPAGE_EVERYTHING : 0;
    return type == L4_FPAGE_MEMORY ? to->utcb->window_memory :
           type == L4_FPAGE_CAP ? to->utcb->window_caps : to->utcb->window_io;
}

/* Where in units of the type an item lands: the hot spot inside the window. False: it does not fit. */
static bool place_in_window(u64 window, u64 fpage, u64 hot, u64 *base)
{
    u32 page_bits = l4_fpage_type(fpage) == L4_FPAGE_MEMORY ? L4_PAGE_SHIFT : 0;
    u32 window_order = l4_fpage_order(window) - page_bits, order = l4_fpage_order(fpage) - page_bits;
    if (!window || l4_fpage_type(window) != l4_fpage_type(fpage) || window_order > 47 || order > window_order)
        return false;
    u64 inside = (1ul << window_order) - 1;
    *base = ((l4_fpage_base(window) & ~inside) | (hot >> 12 & inside)) & ~((1ul << order) - 1);
    return true;
}

static l4_err_t transfer_item(struct thread *from, struct thread *to, struct l4_item item)
{
    u64 base, mapped;
    enum l4_fpage_type type = l4_fpage_type(item.fpage);
    if (!place_in_window(window_for(to, type), item.fpage, item.hot, &base))
        return L4_MAP_FAILED;
    u64 to_base = type == L4_FPAGE_MEMORY ? base << L4_PAGE_SHIFT : base;
    u32 rights = type == L4_FPAGE_CAP ? item.hot & L4_RIGHTS_ALL : l4_fpage_rights(item.fpage);
    enum how how = item.hot & L4_ITEM_GRANT ? GRANT : MAP;
    return flexpage_map(to->task, from->task, item.fpage, to_base, rights, how, &from->progress, &mapped);
}

/* The place to go on lies in the sender: which item, and in `progress` how far that is. Another receiver starts over,
 * the same with another window does not. */
COMMON_PATH OTHER_PATH l4_err_t transfer_items(struct thread *from, struct thread *to, u64 tag)
{
    u32 count = l4_tag_items(tag);
    if (!count)
        return L4_OK;
    lock_all();
    if (from->items_to != to->object.id)
        from->progress = from->items_done = 0;
    from->items_to = to->object.id;
    for (; from->items_done < count; from->items_done++) {
        l4_err_t err = transfer_item(from, to, from->utcb->item[from->items_done]);
        if (err != L4_OK)
            return err == RESTART ? RESTART : L4_MAP_FAILED;
        from->progress = 0;
    }
    from->items_to = 0;
    return L4_OK;
}

void transfer_exception(const struct thread *from, struct l4_utcb *to)
{
    to->exception.vector = from->fault.word[0];
    to->exception.error = from->fault.word[1];
    to->exception.address = from->fault.word[2];
    arch_registers_get(from, &to->exception.registers);
}
