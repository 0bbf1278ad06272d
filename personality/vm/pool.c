/* SPDX-License-Identifier: BSD-2-Clause */
/* pool.c: see pool.h. */
#include "pool.h"

#include "page.h"

enum { CHUNK_HEAD_WORDS = 4, CHUNK_PAGE_WORDS = CHUNK_PAGES / 2 };
_Static_assert(
    sizeof(struct chunk) == FRAMES_CHUNK_BYTES && sizeof(struct frame) == FRAMES_BYTES, "keeper counts with these");
_Static_assert(sizeof(struct vmd_state) <= FRAMES_POOL - L4_STATE_ADDRESS, "the pool lies behind the state");

static struct pool *pool_writable(void) { return (struct pool *)FRAMES_POOL; }
const struct pool *pool(void) { return pool_writable(); }

static u32 *heads(void) { return (u32 *)(FRAMES_POOL + L4_PAGE_SIZE); }
static struct chunk *chunks(void) { return (struct chunk *)(FRAMES_POOL + L4_PAGE_SIZE + 4 * frames_page()->chunks); }
static struct frame *frames(void) { return (struct frame *)(chunks() + frames_page()->chunks); }

const struct chunk *chunk_at(u32 ref) { return ref ? chunks() + ref - 1 : NULL; }
u32 chunk_ref(const struct chunk *chunk) { return (u32)(chunk - chunks()) + 1; }
static struct chunk *chunk_writable(u32 ref) { return chunks() + ref - 1; }
const struct frame *frame_at(u32 frame) { return frames() + frame; }

/* The words of the pool are logged once a transaction: what was logged stands in the log until it ends. */
static struct pool *pool_edit(struct vmd_tx tx)
{
    static u64 kept L4_VOLATILE_ZERO;
    struct l4_undo_log *log = l4_undo_log();
    u32 words = sizeof(struct pool) / 8;
    if (!kept || kept >= log->top || log->word[kept] != l4_entry(pool(), words, 0, 0)) {
        l4_keep(pool(), words);
        kept = log->top - 1;
    }
    return pool_writable();
}

static void store(u32 *at, u32 value)
{
    *at = value;
    l4_hook();
}

/* Caller: `ready` is not set, so that a format cut short is done again. */
void pool_format(void)
{
    struct pool *p = pool_writable();
    const struct frames_page *page = frames_page();
    memset(p, 0, page->pool_bytes);
    p->fresh = page->range[0].first;
    for (u32 i = 0; i < page->ranges; i++) {
        p->frames_free += page->range[i].count;
    }
    l4_hook();
}

/* ---- frames ---- */
u32 frame_refs(u32 frame) { return frame_at(frame)->refs; }
u64 frames_free(void) { return pool()->frames_free; }
u64 frames_for_objects(void) { return frames_total() / 2; }

u64 frames_total(void)
{
    u64 total = 0;
    for (u32 i = 0; i < frames_page()->ranges; i++) {
        total += frames_page()->range[i].count;
    }
    return total;
}

bool frame_is_archive(u32 frame)
{
    const struct frames_page *page = frames_page();
    return ((u64)frame << L4_PAGE_SHIFT) - page->archive < page->archive_bytes;
}

static struct frame *frame_edit(struct vmd_tx tx, u32 frame)
{
    l4_keep(frame_at(frame), 1);
    return frames() + frame;
}

/* Frames that were never used, in order: they make contiguous objects. */
static u32 fresh_take(struct pool *p)
{
    const struct frames_page *page = frames_page();
    u32 frame = (u32)p->fresh++;
    if (p->fresh == page->range[p->range].first + page->range[p->range].count && p->range + 1 < page->ranges) {
        p->fresh = page->range[++p->range].first;
    }
    return frame;
}

bool pool_is_exhausted(u64 reserve)
{
    return frames_free() <= reserve || (!pool()->chunk_free && pool()->chunk_high == frames_page()->chunks);
}

u32 frame_take(struct vmd_tx tx, u64 reserve)
{
    if (frames_free() <= reserve) {
        return 0;
    }
    struct pool *p = pool_edit(tx);
    u32 frame = p->free;
    if (frame) {
        p->free = frame_at(frame)->next;
    } else {
        frame = fresh_take(p);
    }
    p->frames_free--;
    l4_hook();
    *frame_edit(tx, frame) = (struct frame){ .refs = 1 };
    l4_hook();
    return frame;
}

u32 frames_take(struct vmd_tx tx, u64 reserve, u32 count, u32 *frame)
{
    u32 taken = 0;
    while (taken < count && (frame[taken] = frame_take(tx, reserve))) {
        taken++;
    }
    bool descends = taken > 1 && frame[1] < frame[0];   /* what was given back in order comes in the opposite one */
    for (u32 i = 0, k = taken - 1; descends && i < k; i++, k--) {
        u32 other = frame[i];
        frame[i] = frame[k];
        frame[k] = other;
    }
    return taken;
}

void frame_hold(struct vmd_tx tx, u32 frame)
{
    frame_edit(tx, frame)->refs++;
    l4_hook();
}

/* Whether it is free now: whoever waits for one must be woken. */
static bool frame_lose(struct vmd_tx tx, struct frame *f, u32 frame)
{
    l4_keep(f, 1);
    f->refs--;
    l4_hook();
    if (f->refs || frame_is_archive(frame)) {
        return false;
    }
    struct pool *p = pool_edit(tx);
    f->next = p->free;
    p->free = frame;
    p->frames_free++;
    l4_hook();
    return true;
}

void frame_put(struct vmd_tx tx, u32 frame)
{
    if (frame_lose(tx, frames() + frame, frame)) {
        memory_wake(tx, 1);
    }
}

/* ---- chunks ---- */
static u32 *head_of(u32 owner, u64 key)
{
    u64 hash = (key + owner) * 0x9e3779b97f4a7c15ul ^ (u64)owner << 20;
    return heads() + (hash >> 24) % frames_page()->chunks;
}

/* The word that a half is in, logged. */
static u32 *half_edit(struct vmd_tx tx, u32 *at)
{
    l4_keep((const void *)((u64)at & ~7ul), 1);
    return at;
}

static u32 first_of(u32 owner)
{
    return owner & OWNER_OBJECT ? object_at(owner & ~OWNER_OBJECT)->chunks : space_at(owner)->chunks;
}

static void first_set(struct vmd_tx tx, u32 owner, u32 chunk)
{
    if (owner & OWNER_OBJECT) {
        object_set_chunks(tx, object_at(owner & ~OWNER_OBJECT), chunk);
    } else {
        space_set_chunks(tx, space_at(owner), chunk);
    }
}

const struct chunk *chunk_first(u32 owner) { return chunk_at(first_of(owner)); }
const struct chunk *chunk_next(const struct chunk *chunk) { return chunk_at(chunk->next); }

const struct chunk *chunk_find(u32 owner, u64 key)
{
    const struct chunk *c = chunk_at(*head_of(owner, key));
    while (c && (c->owner != owner || c->key != key)) {
        c = chunk_at(c->chain);
    }
    return c;
}

static struct chunk *chunk_edit(struct vmd_tx tx, u32 ref)
{
    l4_keep(chunk_at(ref), CHUNK_HEAD_WORDS);
    return chunk_writable(ref);
}

const struct chunk *chunk_new(struct vmd_tx tx, u32 owner, u64 key)
{
    u32 ref = pool()->chunk_free;
    if (!ref && pool()->chunk_high == frames_page()->chunks) {
        return NULL;
    }
    struct pool *p = pool_edit(tx);
    if (ref) {
        store(&p->chunk_free, chunk_at(ref)->next);
    } else {
        ref = p->chunk_high + 1;
        store(&p->chunk_high, ref);
    }
    u32 first = first_of(owner), *head = head_of(owner, key);
    struct chunk *c = chunk_edit(tx, ref);
    l4_keep_new(c->page, CHUNK_PAGE_WORDS, 0);
    c->owner = owner;
    c->used = 0;
    c->key = key;
    c->chain = *head;
    c->next = first;
    c->prev = 0;
    l4_hook();
    store(half_edit(tx, head), ref);
    if (first) {
        store(&chunk_edit(tx, first)->prev, ref);
    }
    first_set(tx, owner, ref);
    return c;
}

static void chunk_free(struct vmd_tx tx, u32 ref)
{
    struct chunk *c = chunk_edit(tx, ref);
    u32 *head = head_of(c->owner, c->key);
    if (*head == ref) {
        store(half_edit(tx, head), c->chain);
    } else {
        u32 before = *head;
        while (chunk_at(before)->chain != ref) {
            before = chunk_at(before)->chain;
        }
        store(&chunk_edit(tx, before)->chain, c->chain);
    }
    if (c->prev) {
        store(&chunk_edit(tx, c->prev)->next, c->next);
    } else {
        first_set(tx, c->owner, c->next);
    }
    if (c->next) {
        store(&chunk_edit(tx, c->next)->prev, c->prev);
    }
    struct pool *p = pool_edit(tx);
    c->owner = c->chain = c->prev = 0;
    c->key = 0;
    c->next = p->chunk_free;
    l4_hook();
    store(&p->chunk_free, ref);
}

/* An entry of an object came or went. */
static void objects_count(struct vmd_tx tx, u32 frame, u64 more)
{
    struct pool *p = pool_edit(tx);
    *(frame_is_archive(frame) ? &p->of_archive : &p->in_objects) += more;
    l4_hook();
}

void chunk_set(struct vmd_tx tx, const struct chunk *chunk, u32 entry, u32 frame)
{
    u32 ref = chunk_ref(chunk), was = chunk->page[entry];
    store(half_edit(tx, &chunk_writable(ref)->page[entry]), frame);
    if (!was != !frame) {
        struct chunk *c = chunk_edit(tx, ref);
        store(&c->used, frame ? c->used + 1 : c->used - 1);
    }
    if (chunk->owner & OWNER_OBJECT && frame) {
        objects_count(tx, frame, 1);
    }
    if (chunk->owner & OWNER_OBJECT && was) {
        objects_count(tx, was, -1ul);
    }
    if (was) {
        frame_put(tx, was);
    }
    if (!chunk->used) {
        chunk_free(tx, ref);
    }
}

void chunk_fill(struct vmd_tx tx, const struct chunk *chunk, u32 entry, u32 count, const u32 *frame)
{
    u32 ref = chunk_ref(chunk), *at = &chunk_writable(ref)->page[entry];
    l4_keep((const void *)((u64)at & ~7ul), ((entry + count - 1) >> 1) - (entry >> 1) + 1);
    memcpy(at, frame, sizeof *frame * count);
    l4_hook();
    store(&chunk_edit(tx, ref)->used, chunk->used + count);
    for (u32 i = 0; chunk->owner & OWNER_OBJECT && i < count; i++) {
        objects_count(tx, frame[i], 1);
    }
}

bool chunk_copy(struct vmd_tx tx, const struct chunk *from, u32 owner)
{
    const struct chunk *fresh = chunk_new(tx, owner, from->key);
    if (!fresh) {
        return false;
    }
    struct chunk *c = chunk_writable(chunk_ref(fresh));
    struct frame *all = frames();
    for (u32 i = 0, left = from->used; left; i++) {
        u32 frame = from->page[i];
        if (frame) {
            l4_keep(&all[frame], 1);
            all[frame].refs++;
            c->page[i] = frame;
            l4_hook();
            left--;
        }
    }
    c->used = from->used;
    l4_hook();
    return true;
}

void chunk_drop(struct vmd_tx tx, const struct chunk *chunk)
{
    u32 ref = chunk_ref(chunk);
    struct frame *all = frames();
    bool freed = false;
    for (u32 i = 0, left = chunk->used; left; i++) {
        u32 frame = chunk->page[i];
        if (!frame) {
            continue;
        }
        freed |= frame_lose(tx, &all[frame], frame);
        left--;
        if (chunk->owner & OWNER_OBJECT) {
            objects_count(tx, frame, -1ul);
        }
    }
    l4_keep(chunk->page, CHUNK_PAGE_WORDS);
    memset(chunk_writable(ref)->page, 0, sizeof chunk->page);
    l4_hook();
    store(&chunk_edit(tx, ref)->used, 0);
    chunk_free(tx, ref);
    if (freed) {
        memory_wake(tx, 1);
    }
}

u32 page_frame(u32 owner, u64 page)
{
    const struct chunk *c = chunk_find(owner, page >> CHUNK_SHIFT);
    return c ? c->page[page % CHUNK_PAGES] : 0;
}

bool page_enter(struct vmd_tx tx, u32 owner, u64 page, u32 frame)
{
    const struct chunk *c = chunk_find(owner, page >> CHUNK_SHIFT);
    if (!c) {
        c = chunk_new(tx, owner, page >> CHUNK_SHIFT);
    }
    if (c) {
        chunk_set(tx, c, page % CHUNK_PAGES, frame);
    }
    return c != NULL;
}

u64 pages_owned(u32 owner)
{
    u64 pages = 0;
    for (const struct chunk *c = chunk_first(owner); c; c = chunk_next(c)) {
        pages += c->used;
    }
    return pages;
}
