/* SPDX-License-Identifier: BSD-2-Clause */
/* format.c: text from values. Output is cut at the end of the room, never written past it. */
#include <l4/format.h>
#include <l4/string.h>

struct out {
    char *to;
    size_t room, length; /* length: what was wanted so far */
};

struct conversion {
    bool left, zeros, longer;
    u32 width;
    i32 precision; /* -1: none */
};

static void put(struct out *out, char c)
{
    if (out->length + 1 < out->room)
        out->to[out->length] = c;
    out->length++;
}

static void put_many(struct out *out, char c, size_t count)
{
    while (count--)
        put(out, c);
}

static void put_text(struct out *out, const struct conversion *c, const char *text, size_t bytes)
{
    size_t pad = c->width > bytes ? c->width - bytes : 0;
    if (!c->left)
        put_many(out, ' ', pad);
    for (size_t i = 0; i < bytes; i++)
        put(out, text[i]);
    if (c->left)
        put_many(out, ' ', pad);
}

/* `prefix` ("-", "0x" or "") goes before padding zeroes and after padding spaces. */
static void put_number(struct out *out, const struct conversion *c, const char *prefix, u64 value, u32 base)
{
    char digits[24];
    size_t count = 0, ahead = strlen(prefix);
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    size_t pad = c->width > count + ahead ? c->width - count - ahead : 0;
    if (!c->left && !c->zeros)
        put_many(out, ' ', pad);
    while (*prefix)
        put(out, *prefix++);
    if (!c->left && c->zeros)
        put_many(out, '0', pad);
    while (count)
        put(out, digits[--count]);
    if (c->left)
        put_many(out, ' ', pad);
}

static void put_signed(struct out *out, const struct conversion *c, i64 value)
{
    put_number(out, c, value < 0 ? "-" : "", value < 0 ? -(u64)value : (u64)value, 10);
}

static void put_error(struct out *out, const struct conversion *c, l4_err_t err)
{
    const char *name = l4_error_name(err);
    if (name)
        put_text(out, c, name, strlen(name));
    else
        put_signed(out, c, err);
}

static const char *read_flags(struct conversion *c, const char *format, va_list *list)
{
    *c = (struct conversion){ .precision = -1 };
    for (; *format == '-' || *format == '0'; format++)
        *(*format == '-' ? &c->left : &c->zeros) = true;
    for (; *format >= '0' && *format <= '9'; format++)
        c->width = c->width * 10 + (u32)(*format - '0');
    if (format[0] == '.' && format[1] == '*') {
        c->precision = va_arg(*list, int);
        format += 2;
    }
    for (; *format == 'l' || *format == 'z'; format++)
        c->longer = true;
    return format;
}

static void put_conversion(struct out *out, const struct conversion *c, char kind, va_list *list)
{
    const char *text;
    char one;
    switch (kind) {
    case 's':
        text = va_arg(*list, const char *);
        text = text ? text : "(null)";
        put_text(out, c, text, c->precision < 0 ? strlen(text) : strnlen(text, (size_t)c->precision));
        break;
    case 'c':
        one = (char)va_arg(*list, int);
        put_text(out, c, &one, 1);
        break;
    case 'd':
        put_signed(out, c, c->longer ? va_arg(*list, i64) : va_arg(*list, int));
        break;
    case 'u':
        put_number(out, c, "", c->longer ? va_arg(*list, u64) : va_arg(*list, u32), 10);
        break;
    case 'x':
        put_number(out, c, "", c->longer ? va_arg(*list, u64) : va_arg(*list, u32), 16);
        break;
    case 'p':
        put_number(out, c, "0x", va_arg(*list, u64), 16);
        break;
    case 'e':
        put_error(out, c, va_arg(*list, l4_err_t));
        break;
    default:
        put(out, '%');
        if (kind != '%')
            put(out, kind);
    }
}

size_t l4_format_list(char *to, size_t room, const char *format, va_list from)
{
    struct out out = { to, room, 0 };
    va_list list;
    va_copy(list, from);
    while (*format) {
        struct conversion c;
        if (*format != '%') {
            put(&out, *format++);
            continue;
        }
        format = read_flags(&c, format + 1, &list);
        if (!*format)
            break;
        put_conversion(&out, &c, *format++, &list);
    }
    va_end(list);
    if (room)
        to[out.length < room ? out.length : room - 1] = 0;
    return out.length;
}

size_t l4_format(char *to, size_t room, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    size_t length = l4_format_list(to, room, format, list);
    va_end(list);
    return length;
}
