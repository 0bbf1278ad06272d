/* SPDX-License-Identifier: BSD-2-Clause */
/* ere.c: parses an expression straight to its automaton, by recursive descent:
 *
 *   choice   = sequence { "|" sequence }
 *   sequence = { repeated }
 *   repeated = atom { "*" | "+" | "?" | "{" m [ "," [ n ] ] "}" }
 *   atom     = "(" choice ")" | "[" … "]" | "." | "\" c | c
 *
 * A bounded repetition parses its atom again for each copy, so copies have positions of their own. */
#include "ere.h"

#include <l4/string.h>

enum { ERE_DEPTH = 16, ERE_REPEAT_MAX = 64, ERE_NO_END = 255 };

struct piece {
    u64 first, last;
    bool nullable;
};

struct parser {
    struct ere *ere;
    const u8 *text;
    u32 at, length, depth;
    bool bad;
};

static const struct piece nothing = { 0, 0, true };

static struct piece parse_choice(struct parser *p);

static bool is_at(const struct parser *p, u8 c) { return p->at < p->length && p->text[p->at] == c; }

static bool take(struct parser *p, u8 c)
{
    bool found = is_at(p, c);
    p->at += found;
    return found;
}

static struct piece refuse(struct parser *p)
{
    p->bad = true;
    p->at = p->length;
    return nothing;
}

static void set_add(u64 *set, u8 c) { set[c / 64] |= 1ul << c % 64; }

static struct piece position_new(struct parser *p, const u64 *set)
{
    u32 i = p->ere->positions;
    if (i == ERE_POSITIONS) {
        return refuse(p);
    }
    memcpy(p->ere->set[i], set, sizeof p->ere->set[i]);
    p->ere->follow[i] = 0;
    p->ere->positions++;
    return (struct piece){ 1ul << i, 1ul << i, false };
}

static void follow_add(struct ere *ere, u64 from, u64 to)
{
    for (; from; from &= from - 1) {
        ere->follow[__builtin_ctzl(from)] |= to;
    }
}

static struct piece join(struct parser *p, struct piece a, struct piece b)
{
    follow_add(p->ere, a.last, b.first);
    return (struct piece){ a.first | (a.nullable ? b.first : 0), b.last | (b.nullable ? a.last : 0), a.nullable && b.nullable };
}

static struct piece loop(struct parser *p, struct piece a)
{
    follow_add(p->ere, a.last, a.first);
    return a;
}

static struct piece perhaps(struct piece a)
{
    a.nullable = true;
    return a;
}

/* Which characters a class holds, as ranges in pairs. */
static const struct { const char *name, *ranges; } classes[] = {
    { "alpha", "azAZ" }, { "digit", "09" }, { "alnum", "azAZ09" }, { "lower", "az" }, { "upper", "AZ" }, { "xdigit", "09afAF" },
    { "space", "\t\r  " }, { "blank", "\t\t  " }, { "punct", "!/:@[`{~" }, { "print", " ~" }, { "graph", "!~" },
};

static void range_add(u64 *set, u32 from, u32 to)
{
    for (u32 c = from; c <= to; c++) {
        set_add(set, (u8)c);
    }
}

/* Behind `[:`. */
static void parse_class(struct parser *p, u64 *set)
{
    u32 start = p->at;
    while (p->at < p->length && p->text[p->at] != ':') {
        p->at++;
    }
    for (u32 i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        bool found = strlen(classes[i].name) == p->at - start && memcmp(classes[i].name, p->text + start, p->at - start) == 0;
        if (found && take(p, ':') && take(p, ']')) {
            for (const char *r = classes[i].ranges; *r; r += 2) {
                range_add(set, (u8)r[0], (u8)r[1]);
            }
            return;
        }
    }
    refuse(p);
}

/* Behind `[`. A `]` that comes first stands for itself. */
static struct piece parse_set(struct parser *p)
{
    u64 set[4] = { 0 };
    bool inverted = take(p, '^');
    u32 start = p->at;
    while (p->at < p->length && (p->text[p->at] != ']' || p->at == start)) {
        u8 c = p->text[p->at++];
        if (c == '[' && take(p, ':')) {
            parse_class(p, set);
        } else if (is_at(p, '-') && p->at + 1 < p->length && p->text[p->at + 1] != ']') {
            u8 to = p->text[p->at + 1];
            p->at += 2;
            if (to < c) {
                return refuse(p);
            }
            range_add(set, c, to);
        } else {
            set_add(set, c);
        }
    }
    if (p->bad || !take(p, ']')) {
        return refuse(p);
    }
    for (u32 i = 0; inverted && i < 4; i++) {
        set[i] = ~set[i];
    }
    return position_new(p, set);
}

static struct piece parse_group(struct parser *p)
{
    if (p->depth == ERE_DEPTH) {
        return refuse(p);
    }
    p->depth++;
    struct piece inner = parse_choice(p);
    p->depth--;
    return take(p, ')') ? inner : refuse(p);
}

static struct piece parse_atom(struct parser *p)
{
    u64 set[4] = { 0 };
    u8 c = p->text[p->at++];
    switch (c) {
    case '(':
        return parse_group(p);
    case '[':
        return parse_set(p);
    case '.':
        memset(set, 0xff, sizeof set);
        return position_new(p, set);
    case '*': case '+': case '?': case '{': case '^': case '$':
        return refuse(p);
    case '\\':
        if (p->at == p->length) {
            return refuse(p);
        }
        c = p->text[p->at++];
        break;
    }
    set_add(set, c);
    return position_new(p, set);
}

static bool parse_count(struct parser *p, u32 *count)
{
    u32 start = p->at;
    for (*count = 0; p->at < p->length && p->text[p->at] >= '0' && p->text[p->at] <= '9' && *count <= ERE_REPEAT_MAX; p->at++) {
        *count = *count * 10 + p->text[p->at] - '0';
    }
    return p->at > start && *count <= ERE_REPEAT_MAX;
}

/* Behind `{`: the atom that stands at `atom`, from `least` to `most` times; `one` is its first copy. */
static struct piece parse_bounds(struct parser *p, u32 atom, struct piece one)
{
    u32 least, most;
    if (!parse_count(p, &least)) {
        return refuse(p);
    }
    most = least;
    if (take(p, ',') && (is_at(p, '}') ? (most = ERE_NO_END, false) : !parse_count(p, &most))) {
        return refuse(p);
    }
    if (!take(p, '}') || most < least) {
        return refuse(p);
    }
    u32 behind = p->at, copies = most == ERE_NO_END ? (least ? least : 1) : most;
    struct piece all = nothing;
    for (u32 i = 0; i < copies && !p->bad; i++) {
        struct piece copy = one;
        if (i > 0) {
            p->at = atom;
            copy = parse_atom(p);
        }
        if (most == ERE_NO_END && i == copies - 1) {
            copy = loop(p, copy);
        }
        all = join(p, all, i >= least ? perhaps(copy) : copy);
    }
    p->at = p->bad ? p->length : behind;
    return all;
}

static struct piece parse_repeated(struct parser *p)
{
    u32 atom = p->at;
    struct piece a = parse_atom(p);
    if (take(p, '{')) {
        a = parse_bounds(p, atom, a);
    }
    while (!p->bad) {
        if (take(p, '*')) {
            a = perhaps(loop(p, a));
        } else if (take(p, '+')) {
            a = loop(p, a);
        } else if (take(p, '?')) {
            a = perhaps(a);
        } else {
            break;
        }
    }
    return a;
}

static struct piece parse_choice(struct parser *p)
{
    struct piece all = { 0, 0, false };
    do {
        struct piece sequence = nothing;
        while (p->at < p->length && !is_at(p, '|') && !is_at(p, ')')) {
            sequence = join(p, sequence, parse_repeated(p));
        }
        all.first |= sequence.first;
        all.last |= sequence.last;
        all.nullable |= sequence.nullable;
    } while (take(p, '|'));
    return all;
}

bool ere_compile(struct ere *ere, const u8 *text, u32 length)
{
    struct parser p = { .ere = ere, .text = text, .length = length };
    ere->positions = 0;
    take(&p, '^');
    if (length > p.at && text[length - 1] == '$' && (length < 2 || text[length - 2] != '\\')) {
        p.length--;
    }
    struct piece all = parse_choice(&p);
    ere->first = all.first;
    ere->last = all.last;
    ere->nullable = all.nullable;
    return !p.bad && p.at == p.length;
}

bool ere_match(const struct ere *ere, const u8 *text, u32 length)
{
    u64 may = ere->first, reached = 0;
    if (length == 0) {
        return ere->nullable;
    }
    for (u32 i = 0; i < length; i++) {
        reached = 0;
        for (u64 left = may; left; left &= left - 1) {
            u32 position = (u32)__builtin_ctzl(left);
            if (ere->set[position][text[i] / 64] >> text[i] % 64 & 1) {
                reached |= 1ul << position;
            }
        }
        may = 0;
        for (u64 left = reached; left; left &= left - 1) {
            may |= ere->follow[__builtin_ctzl(left)];
        }
    }
    return (reached & ere->last) != 0;
}
