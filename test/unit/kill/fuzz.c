/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz.c: see fuzz.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

static const struct kill_server *server;
static const u8 *input, *end;
u64 fuzz_requests, fuzz_done;

static u8 next_byte(void) { return input < end ? *input++ : 0; }

static u64 next_word(void)
{
    u64 value = 0;
    for (u32 n = next_byte() % 9, i = 0; i < n; i++) {
        value |= (u64)next_byte() << 8 * i;
    }
    return value;
}

static void wrong(const char *what)
{
    fprintf(stderr, "%s: %s\n", server->name, what);
    abort();
}

/* Eight bytes at a time and not checked by the sanitizer: a state has megabytes, and each request hashes it twice. */
__attribute__((no_sanitize("address", "undefined"))) static u64 bytes_hash(u64 hash, const u8 *at, u64 bytes)
{
    for (; bytes >= 8; at += 8, bytes -= 8) {
        hash = (hash ^ *(const u64 *)at) * 0x9e3779b97f4a7c15ul;
        hash ^= hash >> 32;
    }
    while (bytes--) {
        hash = (hash ^ *at++) * 0x100000001b3ul;
    }
    return hash;
}

/* Words and records of the state: what an error must not change. Clients, slots and bulk are none of it. */
static u64 state_hash(void)
{
    const struct l4_server *s = server->world.server;
    u64 hash = 1;
    for (u32 k = 0; k < s->fields; k++) {
        const struct l4_field *f = &s->schema[k];
        if (f->path[0] == '~' || f->flags & L4_FIELD_BULK) {
            continue;
        }
        for (u32 i = 0; i < f->count; i++) {
            const u8 *at = (const u8 *)L4_STATE_ADDRESS + f->offset + (u64)i * f->stride;
            hash = bytes_hash(hash, at, (u64)f->size * f->inner);
        }
    }
    return hash;
}

static void one_request(u32 methods, u64 count)
{
    static u64 more[L4_WORDS_MAX];
    const struct kill_method *method = &server->methods[1 + next_byte() % methods];
    u8 who = next_byte(), spoil = next_byte();
    u32 words = spoil < 240 ? method->words : spoil % 64;
    memset(more, 0, sizeof more);
    for (u32 i = 0; i < words; i++) {
        more[i] = next_word();
    }
    struct l4_message m = {
        .tag = l4_tag(method->tag, words, method->items) | (u64)(who & 128 ? 1 : 127) << L4_TAG_RIGHTS_SHIFT,
        .label = 0x70000 | (who & 3), .number = count << 16 | (who >> 2 & 1), .word = { more[0], more[1], more[2], more[3] },
    };
    bool undone = server->world.server->ops <= 1;       /* an op that fails has no undo: it gives back what it must */
    u64 before = undone ? state_hash() : 0;
    if (!world_deliver(&m, more)) {
        wrong(world_crash());
    }
    const struct world_answer *a = world_answer_to(m.label, m.number);
    fuzz_requests++;
    fuzz_done += a && l4_tag_status(a->tag) == L4_OK;
    if (undone && (!a || l4_tag_status(a->tag) != L4_OK) && state_hash() != before) {
        wrong("a request that failed has changed the state");
    }
    if (server->world.server->check && !server->world.server->check()) {
        wrong("an invariant is broken");
    }
}

int fuzz_one(const struct kill_server *of, const u8 *data, size_t bytes)
{
    u32 methods = 0;
    u64 count = 1;
    server = of;
    input = data;
    end = data + bytes;
    while (of->methods[methods + 1].name) {
        methods++;
    }
    world_init(&of->world);
    world_reset();
    if (!world_start()) {
        wrong(world_crash());
    }
    while (input < end) {
        one_request(methods, count++);
    }
    return 0;
}
