/* SPDX-License-Identifier: BSD-2-Clause */
/* model_base.c: the model's arrays; see model.h. */
#include "model.h"
#include <string.h>
#include "machine.h"

struct seen model;
struct seen_costs model_costs;
const struct seen *model_oracle;
bool model_any_order;

/* ---- objects ---- */
static u64 object_place(const struct seen *seen, u64 id)
{
    u64 i = 0;
    while (i < seen->objects && seen->object[i].id < id)
        i++;
    return i;
}

struct seen_object *object_find(u64 id)
{
    u64 i = object_place(&model, id);
    return i < model.objects && model.object[i].id == id ? &model.object[i] : NULL;
}

/* The kernel's new object of this kind in this factory: the one that the model does not have yet. */
static u64 new_id(u64 kind, u64 factory)
{
    u64 last = model.objects ? model.object[model.objects - 1].id : 0;
    for (u64 i = object_place(model_oracle, last + 1); i < model_oracle->objects; i++)
        if (model_oracle->object[i].kind == kind && model_oracle->object[i].factory == factory)
            return model_oracle->object[i].id;
    return last + 1;            /* it has none: the comparison will tell */
}

struct seen_object *object_add(u64 kind, u64 factory)
{
    if (model.objects == SEEN_OBJECTS)
        machine_fail("the model has too many objects");
    struct seen_object *o = &model.object[model.objects];
    memset(o, 0, sizeof *o);
    o->id = new_id(kind, factory);
    o->kind = kind;
    o->factory = factory;
    model.objects++;
    model.count++;
    return o;
}

void object_drop(u64 id)
{
    u64 i = object_place(&model, id);
    memmove(&model.object[i], &model.object[i + 1], (model.objects - i - 1) * sizeof *model.object);
    model.objects--;
    model.count--;
}

struct seen_thread *thread_find(u64 id)
{
    struct seen_object *o = object_find(id);
    return o ? &o->thread : NULL;
}

/* ---- capabilities ---- */
static u64 cap_place(u64 task, u64 slot)
{
    u64 low = 0, high = model.caps;
    while (low < high) {
        u64 i = (low + high) / 2;
        bool before = model.cap[i].task < task || (model.cap[i].task == task && model.cap[i].slot < slot);
        low = before ? i + 1 : low;
        high = before ? high : i;
    }
    return low;
}

struct seen_cap *cap_lookup(u64 task, u64 slot)
{
    u64 i = cap_place(task, slot);
    return i < model.caps && model.cap[i].task == task && model.cap[i].slot == slot ? &model.cap[i] : NULL;
}

struct seen_cap *cap_add(struct seen_cap cap)
{
    u64 i = cap_place(cap.task, cap.slot);
    if (model.caps == SEEN_CAPS)
        machine_fail("the model has too many capabilities");
    memmove(&model.cap[i + 1], &model.cap[i], (model.caps++ - i) * sizeof *model.cap);
    model.cap[i] = cap;
    return &model.cap[i];
}

void cap_drop(u64 task, u64 slot)
{
    u64 i = cap_place(task, slot);
    memmove(&model.cap[i], &model.cap[i + 1], (model.caps - i - 1) * sizeof *model.cap);
    model.caps--;
}

/* ---- pages ---- */
static u64 page_place(u64 task, u64 at)
{
    u64 low = 0, high = model.pages;
    while (low < high) {
        u64 i = (low + high) / 2;
        const struct seen_page *p = &model.page[i];
        bool before = p->task < task || (p->task == task && p->at + (1ul << p->order) - 1 < at);
        low = before ? i + 1 : low;
        high = before ? high : i;
    }
    return low;
}

struct seen_page *page_from(u64 task, u64 at)
{
    u64 i = page_place(task, at);
    return i < model.pages && model.page[i].task == task ? &model.page[i] : NULL;
}

struct seen_page *page_lookup(u64 task, u64 at)
{
    struct seen_page *p = page_from(task, at);
    return p && p->at <= at ? p : NULL;
}

struct seen_page *page_add(struct seen_page page)
{
    u64 i = page_place(page.task, page.at);
    if (model.pages == SEEN_PAGES)
        machine_fail("the model has too many pages");
    memmove(&model.page[i + 1], &model.page[i], (model.pages++ - i) * sizeof *model.page);
    model.page[i] = page;
    return &model.page[i];
}

void page_drop(struct seen_page *page)
{
    u64 i = (u64)(page - model.page);
    memmove(page, page + 1, (model.pages - i - 1) * sizeof *model.page);
    model.pages--;
}

/* ---- lists ---- */
void ids_add(struct seen_ids *ids, u64 id)
{
    if (ids->count == SEEN_IDS)
        machine_fail("a list of the model is full");
    ids->id[ids->count++] = id;
}

void ids_remove(struct seen_ids *ids, u64 id)
{
    u64 i = 0;
    while (i < ids->count && ids->id[i] != id)
        i++;
    if (i == ids->count)
        return;
    memmove(&ids->id[i], &ids->id[i + 1], (--ids->count - i) * sizeof(u64));
}

bool ids_have(const struct seen_ids *ids, u64 id)
{
    for (u64 i = 0; i < ids->count; i++)
        if (ids->id[i] == id)
            return true;
    return false;
}

/* ---- quota ---- */
static struct seen_object *factory_of_id(u64 factory)
{
    return object_find(factory ? factory : model_costs.root_factory);
}

bool quota_charge(u64 factory, u64 bytes)
{
    struct seen_object *f = factory_of_id(factory);
    if (bytes > f->limit - f->used)
        return false;
    f->used += bytes;
    return true;
}

void quota_credit(u64 factory, u64 bytes) { factory_of_id(factory)->used -= bytes; }

static bool is_thread_of(const struct seen_object *o, u64 task)
{
    return o->kind == L4_THREAD && o->thread.task == task;
}

/* Is anything mapped in the aligned 2^bits bytes around `at`? */
static bool is_used(u64 task, u64 at, u32 bits)
{
    u64 start = at >> bits << bits;
    const struct seen_page *p = page_from(task, start);
    if (p && p->at - start < 1ul << bits)
        return true;
    for (u64 i = 0; i < model.objects; i++)
        if (is_thread_of(&model.object[i], task) && model.object[i].thread.utcb_at - start < 1ul << bits)
            return true;
    return false;
}

u64 table_bytes(u64 task, u64 at, u64 order)
{
    u64 bytes = 0;
    for (u32 level = 0; level < 3; level++) {
        u32 bits = 39 - 9 * level;
        if (bits > order && !is_used(task, at, bits))
            bytes += model_costs.table[level];
    }
    return bytes;
}

u64 utcb_page_users(u64 task, u64 at)
{
    u64 users = 0;
    for (u64 i = 0; i < model.objects; i++)
        users += is_thread_of(&model.object[i], task) && model.object[i].thread.utcb_at >> 12 == at >> 12;
    return users;
}
