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

/* ---- what an error must not change: words and records of the state; clients, slots and bulk are none of it ---- */
enum { BLOCK = 4096 };
static u8 *before;

static void state_keep(void)
{
    u64 bytes = server->world.server->bytes;
    before = before ? before : malloc(bytes);
    memcpy(before, (const void *)L4_STATE_ADDRESS, bytes);
}

static bool is_same(u64 at, u64 bytes) { return memcmp(before + at, (const u8 *)L4_STATE_ADDRESS + at, bytes) == 0; }

/* As far as it reaches into the block at `at`. */
static bool field_is_kept(const struct l4_field *f, u64 at)
{
    u64 bytes = (u64)f->size * f->inner, end = f->offset + (f->count - 1ul) * f->stride + bytes;
    if (f->path[0] == '~' || f->flags & L4_FIELD_BULK || end <= at || f->offset >= at + BLOCK) {
        return true;
    }
    u64 i = at >= f->offset + bytes && f->count > 1 ? (at - f->offset - bytes) / f->stride : 0;
    for (; i < f->count && f->offset + i * f->stride < at + BLOCK; i++) {
        if (!is_same(f->offset + i * f->stride, bytes)) {
            return false;
        }
    }
    return true;
}

static bool state_is_kept(void)
{
    const struct l4_server *s = server->world.server;
    for (u64 at = 0; at < s->bytes; at += BLOCK) {
        bool same = is_same(at, s->bytes - at < BLOCK ? s->bytes - at : BLOCK);
        for (u32 k = 0; !same && k < s->fields; k++) {
            if (!field_is_kept(&s->schema[k], at)) {
                return false;
            }
        }
    }
    return true;
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
    bool is_own = l4_volatile.monitored_slot && !(who & 8);      /* a monitor's, what else comes it judges */
    struct l4_message m = {
        .tag = l4_tag(method->tag, words, method->items) | (u64)(who & 128 ? 1 : 127) << L4_TAG_RIGHTS_SHIFT,
        .label = 0x70000 | (who & 3) | (is_own ? L4_LABEL_OWN : 0), .number = count << 16 | (who >> 2 & 1), .word = { more[0], more[1], more[2], more[3] },
    };
    bool undone = server->world.server->ops <= 1 && (is_own || !l4_volatile.monitored_slot);       /* an op that fails has no undo: it gives back what it must */
    if (undone) {
        state_keep();
    }
    if (!world_deliver(&m, more)) {
        wrong(world_crash());
    }
    const struct world_answer *a = world_answer_to(m.label, m.number);
    fuzz_requests++;
    fuzz_done += a && l4_tag_status(a->tag) == L4_OK;
    if (undone && (!a || l4_tag_status(a->tag) != L4_OK) && !state_is_kept()) {
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
