/* SPDX-License-Identifier: BSD-2-Clause */
/* piped.c: byte pipes. Lost in a crash: nothing; parked callers ask again.
 * INVARIANT content: bytes head ... head + fill (modulo CAPACITY) of a pipe's ring are what was written and not yet
 * read; the rest of the ring may hold anything, so it is written before the commit. */
#include "piped_server.h"

/* The end `ref` if it is of this kind and the caller's. */
static const struct end *own_end(u64 label, u32 ref, enum pipe_side kind)
{
    const struct end *e = end_at(ref);
    return e && e->owner == label && e->kind == kind ? e : NULL;
}

static l4_err_t make(struct piped_tx tx, u64 label, u32 *reader, u32 *writer)
{
    struct pipe *p = pipe_new(tx);
    struct end *r = end_new(tx), *w = end_new(tx);
    if (!p || !r || !w) {
        return PIPE_FULL;
    }
    *r = (struct end){ .of = pipe_ref(p), .kind = PIPE_READER, .owner = label };
    *w = (struct end){ .of = pipe_ref(p), .kind = PIPE_WRITER, .owner = label };
    p->readers = p->writers = 1;
    ends_add(tx, p, r);
    ends_add(tx, p, w);
    *reader = end_ref(r);
    *writer = end_ref(w);
    return L4_OK;
}

static l4_err_t write(struct piped_tx tx, u64 label, u32 end, struct l4_bytes data, u32 *done)
{
    const struct end *e = own_end(label, end, PIPE_WRITER);
    if (!e) {
        return PIPE_BAD_END;
    }
    const struct pipe *p = pipe_at(e->of);
    if (!p->readers) {
        return PIPE_BROKEN;
    }
    u32 room = PIPE_CAPACITY - p->fill, n = data.length < room ? data.length : room;
    if (!n && data.length) {
        return drained_wait(e->of);
    }
    u32 at = (p->head + p->fill) % PIPE_CAPACITY, first = n < PIPE_CAPACITY - at ? n : PIPE_CAPACITY - at;
    memcpy(ring(tx, p) + at, data.at, first);
    memcpy(ring(tx, p), data.at + first, n - first);
    piped_set_moved(tx, piped_state()->moved + n);
    pipe_set_fill(tx, p, p->fill + n);
    filled_wake(tx, e->of);
    *done = n;
    return L4_OK;
}

static l4_err_t read(struct piped_tx tx, u64 label, u32 end, u32 most, u8 *data, u32 *length)
{
    const struct end *e = own_end(label, end, PIPE_READER);
    if (!e) {
        return PIPE_BAD_END;
    }
    const struct pipe *p = pipe_at(e->of);
    u32 n = most < p->fill ? most : p->fill;
    if (!n && most && p->writers) {
        return filled_wait(e->of);
    }
    u32 first = n < PIPE_CAPACITY - p->head ? n : PIPE_CAPACITY - p->head;
    memcpy(data, ring_const(p) + p->head, first);
    memcpy(data + first, ring_const(p), n - first);
    struct pipe *q = pipe_edit(tx, p);
    q->head = (q->head + n) % PIPE_CAPACITY;
    q->fill -= n;
    drained_wake(tx, e->of);
    *length = n;
    return L4_OK;
}

static void end_close(struct piped_tx tx, const struct end *e)
{
    const struct pipe *p = pipe_at(e->of);
    struct pipe *q = pipe_edit(tx, p);
    u32 of = e->of;
    if (e->kind == PIPE_READER) {
        q->readers--;
    } else {
        q->writers--;
    }
    ends_remove(tx, p, e);
    end_free(tx, e);
    if (!p->readers && !p->writers) {
        pipe_free(tx, p);
    }
    filled_wake(tx, of);
    drained_wake(tx, of);
}

static l4_err_t close(struct piped_tx tx, u64 label, u32 end)
{
    const struct end *e = end_at(end);
    if (!e || e->owner != label) {
        return PIPE_BAD_END;
    }
    end_close(tx, e);
    return L4_OK;
}

static l4_err_t stat(u64 label, u32 end, struct pipe_info *now)
{
    const struct end *e = end_at(end);
    if (!e || e->owner != label) {
        return PIPE_BAD_END;
    }
    const struct pipe *p = pipe_at(e->of);
    *now = (struct pipe_info){ p->readers, p->writers, p->fill };
    return L4_OK;
}

/* One end at a time: a small transaction. */
static bool forget(struct piped_tx tx, u64 label)
{
    for (const struct end *e = end_following(NULL); e; e = end_following(e)) {
        if (e->owner == label) {
            end_close(tx, e);
            return true;
        }
    }
    return false;
}

bool piped_tally(const struct piped_state *s)
{
    return s->pipe_table.live <= s->end_table.live;
}

static const struct piped_ops ops = {
    .hooks = { .forget = forget },
    .make = make, .write = write, .read = read, .close = close, .stat = stat,
};

void l4_main(void)
{
    piped_serve(&ops);
}
