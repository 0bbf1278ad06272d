/* SPDX-License-Identifier: BSD-2-Clause */
/* convert.c: live update: the older state's values into the newer one's fields. */
#include <l4/convert.h>
#include <l4/string.h>

static const struct l4_field *schema_of(const struct l4_state *state)
{
    return (const struct l4_field *)((u64)state + state->schema);
}

static const struct l4_field *field_find(const struct l4_state *state, const char *path)
{
    const struct l4_field *fields = schema_of(state);
    for (u32 i = 0; i < state->fields; i++) {
        if (strcmp(fields[i].path, path) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static u64 value_at(const struct l4_state *state, const struct l4_field *f, u32 i, u32 j)
{
    const u8 *at = (const u8 *)state + f->offset + (u64)i * f->stride + (u64)j * f->size;
    u64 value = 0;
    memcpy(&value, at, f->size);
    if (f->flags & L4_FIELD_SIGNED && f->size < 8 && value >> (8 * f->size - 1)) {
        value |= ~0ul << 8 * f->size;
    }
    return value;
}

/* Whether `value` survives being kept in `f`. */
static bool value_fits(const struct l4_field *f, u64 value)
{
    if (f->size == 8) {
        return true;
    }
    u32 bits = 8 * f->size;
    if (f->flags & L4_FIELD_SIGNED) {
        return (u64)((i64)(value << (64 - bits)) >> (64 - bits)) == value;
    }
    return value >> bits == 0;
}

static bool refuse(struct l4_refusal *why, const struct l4_field *f, u64 value)
{
    memcpy(why->path, f->path, sizeof why->path);
    why->value = value;
    return false;
}

/* One field of the old state. `to` is its successor, NULL if there is none. */
static bool field_convert(const struct l4_state *old, const struct l4_field *from, struct l4_state *new,
                          const struct l4_field *to, struct l4_refusal *why)
{
    if (!to && !strchr(from->path, '~')) {
        return true;
    }
    for (u32 i = 0; i < from->count; i++) {
        for (u32 j = 0; j < from->inner; j++) {
            u64 value = value_at(old, from, i, j);
            if (value == 0) {
                continue;
            }
            if (!to || i >= to->count || j >= to->inner || !value_fits(to, value)) {
                return refuse(why, from, value);
            }
            memcpy((u8 *)new + to->offset + (u64)i * to->stride + (u64)j * to->size, &value, to->size);
        }
    }
    return true;
}

bool l4_state_convert(const struct l4_state *old, struct l4_state *new, struct l4_refusal *why)
{
    const struct l4_field *from = schema_of(old), *to = schema_of(new);
    memset(why, 0, sizeof *why);
    for (u32 i = 0; i < old->fields; i++) {
        const struct l4_field *next = NULL;
        for (u32 j = 0; j < new->fields && !next; j++) {
            if (to[j].was[0] && strcmp(to[j].was, from[i].path) == 0) {
                next = &to[j];
            }
        }
        if (!next) {
            next = field_find(new, from[i].path);
        }
        if (!field_convert(old, &from[i], new, next, why)) {
            return false;
        }
    }
    return true;
}
