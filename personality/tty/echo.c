/* SPDX-License-Identifier: BSD-2-Clause */
/* echo.c: see discipline.h. INVARIANT column: `column` is where the next byte lands, `prompt` where the line that is edited began. */
#include "discipline.h"

enum { TAB = 8, CONTROL = 0x40, LETTER_CASE = 0x20 };

bool is_control(u8 byte) { return byte < 0x20 || byte == 0x7f; }

/* Letters and digits of Latin-1, and _. */
bool is_word(u8 byte)
{
    u8 folded = byte | LETTER_CASE;
    return (byte >= '0' && byte <= '9') || (folded >= 'a' && folded <= 'z') || byte == '_'
        || (byte >= 0xc0 && byte != 0xd7 && byte != 0xf7);
}

bool is_continuation(const struct line *l, u8 byte) { return is_set(l->mode.iflag, IUTF8) && (byte & 0xc0) == 0x80; }

/* In Latin-1, as Linux does it: by the difference of the cases, be there such a letter or not. */
static u8 capital(u8 byte)
{
    bool is_small = (byte >= 'a' && byte <= 'z') || (byte >= 0xdf && byte != 0xf7);
    return is_small ? (u8)(byte - LETTER_CASE) : byte;
}

static void column_home(struct line *l) { l->column = l->prompt = 0; }

static void put_newline(struct line *l, struct port_batch *out)
{
    u32 flags = l->mode.oflag;
    if (is_set(flags, ONLRET)) {
        l->column = 0;
    }
    if (is_set(flags, ONLCR)) {
        column_home(l);
        port_put(out, '\r');
    } else {
        l->prompt = l->column;
    }
    port_put(out, '\n');
}

static void put_return(struct line *l, struct port_batch *out)
{
    u32 flags = l->mode.oflag;
    if (is_set(flags, ONOCR) && l->column == 0) {
        return;
    }
    if (!is_set(flags, OCRNL) || is_set(flags, ONLRET)) {
        column_home(l);
    }
    port_put(out, is_set(flags, OCRNL) ? '\n' : '\r');
}

static void put_tab(struct line *l, struct port_batch *out)
{
    u32 spaces = TAB - l->column % TAB;
    l->column += spaces;
    if ((l->mode.oflag & TABS) != XTABS) {
        port_put(out, '\t');
        return;
    }
    while (spaces--) {
        port_put(out, ' ');
    }
}

static void put_back(struct line *l, struct port_batch *out)
{
    l->column -= l->column > 0;
    port_put(out, '\b');
}

static void put_other(struct line *l, struct port_batch *out, u8 byte)
{
    if (!is_control(byte)) {
        byte = is_set(l->mode.oflag, OLCUC) ? capital(byte) : byte;
        l->column += !is_continuation(l, byte);
    }
    port_put(out, byte);
}

void echo_output(struct line *l, struct port_batch *out, u8 byte)
{
    if (!is_set(l->mode.oflag, OPOST)) {
        port_put(out, byte);
        return;
    }
    switch (byte) {
    case '\n':
        put_newline(l, out);
        break;
    case '\r':
        put_return(l, out);
        break;
    case '\t':
        put_tab(l, out);
        break;
    case '\b':
        put_back(l, out);
        break;
    default:
        put_other(l, out, byte);
    }
}

void echo_plain(struct typist *t, u8 byte)
{
    if (byte == 0xff) {
        port_put(&t->out, byte);
        t->line->column++;
        return;
    }
    echo_output(t->line, &t->out, byte);
}

void echo_byte(struct typist *t, u8 byte)
{
    if (is_set(t->line->mode.lflag, ECHOCTL) && is_control(byte) && byte != '\t') {
        port_put(&t->out, '^');
        port_put(&t->out, byte ^ CONTROL);
        t->line->column += 2;
        return;
    }
    echo_plain(t, byte);
}

void echo_prompt(struct typist *t)
{
    if (t->line->canon == t->line->head) {
        t->line->prompt = t->line->column;
    }
}

/* Go back over a tab that `columns` columns precede, counted from the tab before or from the prompt. */
void echo_erase_tab(struct typist *t, u32 columns, bool after_tab)
{
    u32 before = columns % TAB + (after_tab ? 0 : t->line->prompt);
    for (u32 back = TAB - before % TAB; back; back--) {
        put_back(t->line, &t->out);
    }
}
