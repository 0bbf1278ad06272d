/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c: see client.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "client.h"

struct client client_main = { MODEL_LABEL, 1 };
static u64 counter = 100, last_number;
static const struct world_answer *last;
static struct world_server server;

static i64 result(u64 label, u64 number)
{
    last = world_answer_to(label, number);
    if (!last) {
        return PARKED;
    }
    i32 status = l4_tag_status(last->tag);
    if (status < 0) {
        fprintf(stderr, "vfs answered %d to %lx\n", status, last->tag);
        abort();
    }
    return status ? -status : (i64)last->word[0];
}

i64 client_call(const struct client *c, u32 method, u32 words, const u64 *word)
{
    const struct kill_method *m = &vfsd_methods[method];
    u64 more[L4_WORDS_MAX] = { 0 };
    for (u32 i = 0; i < words; i++) {
        more[i] = word[i];
    }
    last_number = ++counter << 16 | c->slot;
    struct l4_message message = {
        .tag = l4_tag(m->tag, words, 0) | (u64)m->rights << L4_TAG_RIGHTS_SHIFT,
        .label = c->label,
        .number = last_number,
        .word = { more[0], more[1], more[2], more[3] },
    };
    if (!world_deliver(&message, more)) {
        fprintf(stderr, "%s: %s\n", m->name, world_crash());
        abort();
    }
    return result(c->label, last_number);
}

i64 client_late(const struct client *c) { return result(c->label, last_number); }
const u64 *client_answer(void) { return last->word; }
u8 *client_window(const struct client *c) { return world_window(c->label, c->slot); }

u64 client_path(const struct client *c, u32 at, const char *path)
{
    u64 length = strlen(path);
    memcpy(client_window(c) + at, path, length);
    return length;
}

void client_identity(struct vfs_identity *who, u32 pid, u32 uid, u32 gid)
{
    *who = (struct vfs_identity){ .pid = pid,
        .ppid = 1,
        .group = pid,
        .session = MODEL_PID,
        .uid = uid,
        .euid = uid,
        .fsuid = uid,
        .gid = gid,
        .egid = gid,
        .fsgid = gid,
        .files = 1024,
        .size = ~0ul };
}

i64 client_identity_call(u32 method, u64 parent, u64 child, u32 pid, u32 uid, u32 gid)
{
    u64 word[20] = { parent, child };
    u32 first = method == VFSD_KILL_FORK ? 2 : 1;
    struct vfs_identity who;
    struct client pm = { MODEL_PM, 0 };
    client_identity(&who, pid, uid, gid);
    word[0] = first == 2 ? parent : child;
    memcpy(&word[first], &who, sizeof who);
    return client_call(&pm, method, first + sizeof who / 8, word);
}

i64 client_admit(u64 label, u32 pid, u32 uid, u32 gid)
{
    return client_identity_call(VFSD_KILL_ADMIT, 0, label, pid, uid, gid);
}

void client_reset(u32 uid, u32 gid)
{
    server = vfsd_kill.world;
    server.rules = model_rules;
    world_init(&server);
    world_reset();
    model_reset(false);
    if (!world_start()) {
        fprintf(stderr, "start: %s\n", world_crash());
        abort();
    }
    client_admit(MODEL_LABEL, MODEL_PID, uid, gid);
}
