/* SPDX-License-Identifier: BSD-2-Clause */
/* debug.c: what debug.idl asks about all that there is: every capability and mapping, memory in use, names. Who is
 * watched: watch.c. */
#include "factory.h"
#include "flexpage.h"
#include "string.h"
#include "watch.h"

extern struct factory root_factory;

l4_err_t debug_usage(struct debug *self, struct invocation *inv, u64 *bytes, u64 *objects)
{
    *bytes = root_factory.used;
    *objects = object_count;
    return L4_OK;
}

l4_err_t debug_name(struct debug *self, struct invocation *inv, u32 slot, const u8 *name, u32 length)
{
    const struct cap *cap = cap_find(&inv->caller->task->caps, slot);
    if (!cap->object)
        return L4_NO_CAPABILITY;
    memset(cap->object->name, 0, sizeof cap->object->name);
    memcpy(cap->object->name, name, length < sizeof cap->object->name ? length : sizeof cap->object->name - 1);
    return L4_OK;
}

/* ---- snapshot. A cursor is where the next entry is looked for: task id, what, page or port or slot. ---- */
enum { POSITION_BITS = 36, WHAT_BITS = 3, ID_SHIFT = POSITION_BITS + WHAT_BITS };

static void describe(const struct found *found, struct debug_entry *entry)
{
    const struct cap *cap = found->cap;
    const bool is_memory = entry->node == DEBUG_MEMORY, is_page = cap->kind == KIND_PAGE;
    entry->at = is_memory ? found->unit << L4_PAGE_SHIFT : found->unit;
    entry->order = is_page || !cap->object ? found->order : (u32)cap->object->factory->object.id;
    entry->rights = cap->rights;
    entry->lineage = space_name(cap);
    entry->parent = cap->kind == L4_REPLY ? 0 : space_name(cap->parent);
    entry->object = is_memory ? paging_frame(*found->place.entry) : is_page || !cap->object ? 0 : cap->object->id;
    entry->kind = is_page ? 0 : cap->kind;
    entry->label = is_page ? 0 : cap->label;
}

static bool next_entry(struct task *task, u32 what, u64 *position, struct debug_entry *entry)
{
    *entry = (struct debug_entry){ .task = task->object.id, .node = what };
    if (what == DEBUG_TASK) {
        entry->object = task->object.id;
        return !(*position)++;
    }
    enum l4_fpage_type type = (enum l4_fpage_type)(what - DEBUG_MEMORY);
    while (*position < flexpage_units(type)) {
        struct found found = flexpage_find(task, type, *position);
        *position = found.end;
        if (found.cap && !cap_is_tomb(found.cap)) {
            describe(&found, entry);
            return true;
        }
    }
    return false;
}

l4_err_t debug_snapshot(struct debug *self, struct invocation *inv, u64 cursor, u64 *next, struct debug_entry *found)
{
    u64 id = cursor >> ID_SHIFT, position = cursor & ((1ul << POSITION_BITS) - 1);
    u64 what = cursor >> POSITION_BITS & ((1 << WHAT_BITS) - 1);
    list_for_each(node, &task_all) {
        struct task *task = container_of(node, struct task, in_all);
        if (task->object.id < id)
            continue;
        if (task->object.id > id || !what) {
            what = DEBUG_TASK;
            position = 0;
        }
        for (; what <= DEBUG_CAPABILITY; what++, position = 0) {
            if (next_entry(task, (u32)what, &position, found)) {
                *next = task->object.id << ID_SHIFT | what << POSITION_BITS | position;
                return L4_OK;
            }
        }
    }
    *next = cursor;             /* `node` is DEBUG_END, which is 0 */
    *found = (struct debug_entry){ .at = watch_events, .object = object_last_id, .lineage = cap_last_lineage };
    return L4_OK;
}
