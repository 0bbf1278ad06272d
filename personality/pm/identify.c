/* SPDX-License-Identifier: BSD-2-Clause */
/* identify.c: credentials: each call of Linux by its own rule. uid 0 as effective id is what CAP_SETUID and
 * CAP_SETGID are there.
 * The rules for uid and gid are the same, so they work on a triple of ids and the one for files. */
#include "processes.h"

struct ids {
    u32 real, effective, saved, files;
};
enum { KEEP = 0xffffffff };

static bool is_one_of(u32 id, u32 a, u32 b, u32 c) { return id == KEEP || id == a || id == b || id == c; }

static l4_err_t set(struct ids *ids, u32 id, bool may)
{
    if (id == KEEP) {
        return PM_INVAL;
    }
    if (may) {
        ids->real = ids->saved = id;
    } else if (id != ids->real && id != ids->saved) {
        return PM_PERM;
    }
    ids->effective = ids->files = id;
    return L4_OK;
}

static l4_err_t set_re(struct ids *ids, u32 real, u32 effective, bool may)
{
    struct ids was = *ids;
    if (!may && (!is_one_of(real, was.real, was.effective, was.real) ||
                    !is_one_of(effective, was.real, was.effective, was.saved))) {
        return PM_PERM;
    }
    ids->real = real == KEEP ? was.real : real;
    ids->effective = effective == KEEP ? was.effective : effective;
    if (real != KEEP || (effective != KEEP && effective != was.real)) {
        ids->saved = ids->effective;
    }
    ids->files = ids->effective;
    return L4_OK;
}

static l4_err_t set_res(struct ids *ids, u32 real, u32 effective, u32 saved, bool may)
{
    struct ids was = *ids;
    if (!may && (!is_one_of(real, was.real, was.effective, was.saved) ||
                    !is_one_of(effective, was.real, was.effective, was.saved) ||
                    !is_one_of(saved, was.real, was.effective, was.saved))) {
        return PM_PERM;
    }
    ids->real = real == KEEP ? was.real : real;
    ids->effective = effective == KEEP ? was.effective : effective;
    ids->saved = saved == KEEP ? was.saved : saved;
    ids->files = ids->effective;
    return L4_OK;
}

/* Never an error: what may not be is left as it was. */
static l4_err_t set_files(struct ids *ids, u32 id, bool may)
{
    if (id != KEEP && (may || id == ids->files || is_one_of(id, ids->real, ids->effective, ids->saved))) {
        ids->files = id;
    }
    return L4_OK;
}

static struct ids uids(const struct pm_credentials *c) { return (struct ids){ c->uid, c->euid, c->suid, c->fsuid }; }
static struct ids gids(const struct pm_credentials *c) { return (struct ids){ c->gid, c->egid, c->sgid, c->fsgid }; }

static void ids_put(struct pm_credentials *c, const struct ids *u, const struct ids *g)
{
    c->uid = u->real;
    c->euid = u->effective;
    c->suid = u->saved;
    c->fsuid = u->files;
    c->gid = g->real;
    c->egid = g->effective;
    c->sgid = g->saved;
    c->fsgid = g->files;
}

static l4_err_t apply(enum pm_identity call, struct ids *u, struct ids *g, u32 real, u32 effective, u32 saved, bool may)
{
    switch (call) {
    case PM_UID:
        return set(u, real, may);
    case PM_GID:
        return set(g, real, may);
    case PM_REUID:
        return set_re(u, real, effective, may);
    case PM_REGID:
        return set_re(g, real, effective, may);
    case PM_RESUID:
        return set_res(u, real, effective, saved, may);
    case PM_RESGID:
        return set_res(g, real, effective, saved, may);
    case PM_FSUID:
        return set_files(u, real, may);
    case PM_FSGID:
        return set_files(g, real, may);
    }
    return PM_INVAL;
}

METHOD(identify, enum pm_identity call, i32 real, i32 effective, i32 saved, struct pm_credentials *now)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    struct ids u = uids(&me->ids), g = gids(&me->ids);
    l4_err_t err = apply(call, &u, &g, (u32)real, (u32)effective, (u32)saved, me->ids.euid == 0);
    if (err) {
        return err;
    }
    ids_put(&proc_edit(tx, me)->ids, &u, &g);
    proc_stale(tx, me);
    errand_next(tx);
    *now = me->ids;
    return L4_OK;
}

METHOD(set_groups, const u32 *groups, u32 count, struct pm_credentials *now)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    if (me->ids.euid != 0) {
        return PM_PERM;
    }
    struct proc *e = proc_edit(tx, me);
    memset(e->ids.groups, 0, sizeof e->ids.groups);
    memcpy(e->ids.groups, groups, count * sizeof *groups);
    e->ids.count = count;
    proc_stale(tx, me);
    errand_next(tx);
    *now = me->ids;
    return L4_OK;
}
