/* SPDX-License-Identifier: BSD-2-Clause */
/* show.c: see show.h. What lies in the program's memory is read there; where it cannot be, the pointer is shown. */
#include "show.h"
#include "../linux/clone.h"
#include "strace.h"
#include "user.h"
#include "words.h"

/* As strace has it: three octal digits only before a digit. */
static void character(struct text *x, u8 c, u8 next)
{
    static const char letters[] = "tnvfr";      /* 9 to 13 */
    if (c >= 9 && c <= 13) {
        text_char(x, '\\');
        text_char(x, letters[c - 9]);
    } else if (c == '"' || c == '\\') {
        text_char(x, '\\');
        text_char(x, (char)c);
    } else if (c >= ' ' && c < 127) {
        text_char(x, (char)c);
    } else {
        bool padded = next >= '0' && next <= '9';
        text_add(x, padded && c < 8 ? "\\00" : padded && c < 64 ? "\\0" : "\\");
        text_number(x, c, 8);
    }
}

void show_characters(struct text *x, const u8 *from, u64 bytes, bool cut)
{
    text_char(x, '"');
    for (u64 i = 0; i < bytes; i++)
        character(x, from[i], i + 1 < bytes ? from[i + 1] : 0);
    text_add(x, cut ? "\"..." : "\"");
}

static void quoted(struct text *x, u64 from, u64 bytes)
{
    u8 part[STRACE_STRING];
    u64 shown = bytes < sizeof part ? bytes : sizeof part;
    if (!from || !user_get(part, from, shown))
        show_pointer(x, from);
    else
        show_characters(x, part, shown, bytes > shown);
}

/* A string with its zero; `most` bytes of it are shown. */
static void string(struct text *x, u64 from, u64 most)
{
    char name[STRACE_STRING * 4 + 1];
    i64 length = from ? user_string(name, from, most + 1) : -EFAULT;
    if (length == -EFAULT)
        show_pointer(x, from);
    else
        show_characters(x, (const u8 *)name, length < 0 ? most : (u64)length, length < 0);
}

/* How many pointers stand before the NULL; ~0: they cannot be read. */
static u64 vector_length(u64 from)
{
    u64 pointer;
    for (u64 i = 0; i < 1 << 16; i++) {
        if (!user_get(&pointer, from + 8 * i, 8))
            return ~0ul;
        if (!pointer)
            return i;
    }
    return ~0ul;
}

static void arguments(struct text *x, u64 from)
{
    u64 count = from ? vector_length(from) : ~0ul, one, most = 12;
    if (count == ~0ul) {
        show_pointer(x, from);
        return;
    }
    text_char(x, '[');
    for (u64 i = 0; i < count && i < most && user_get(&one, from + 8 * i, 8); i++) {
        text_add(x, i ? ", " : "");
        string(x, one, STRACE_STRING);
    }
    text_add(x, count > most ? ", ...]" : "]");
}

static void variables(struct text *x, u64 count)
{
    text_add(x, " /* ");
    text_number(x, count, 10);
    text_add(x, count == 1 ? " var */" : " vars */");
}

static void environment(struct text *x, u64 from)
{
    u64 count = from ? vector_length(from) : ~0ul;
    show_pointer(x, from);
    if (count != ~0ul)
        variables(x, count);
}

/* A set of signals, or what is missing from a full one. */
static void signal_set(struct text *x, u64 set)
{
    u32 count = 0;
    for (u64 left = set; left; left &= left - 1)
        count++;
    bool most = count > SIGNALS / 2, any = false;
    text_add(x, most ? "~[" : "[");
    set = most ? ~set : set;
    for (u32 i = 1; i <= SIGNALS; i++) {
        const char *name = signal_name(i);
        if (!(set & SIGNAL_BIT(i)))
            continue;
        if (any)
            text_char(x, ' ');
        any = true;
        if (name) {
            text_add(x, name + 3);
        } else {
            text_add(x, i == 32 ? "RTMIN" : "RT_");
            if (i > 32)
                text_number(x, i - 32, 10);
        }
    }
    text_char(x, ']');
}

static void action(struct text *x, u64 from)
{
    struct linux_sigaction a;
    if (!from || !user_get(&a, from, sizeof a)) {
        show_pointer(x, from);
        return;
    }
    text_add(x, "{sa_handler=");
    if (a.handler <= SIG_IGNORE)
        text_add(x, a.handler == SIG_IGNORE ? "SIG_IGN" : "SIG_DFL");
    else
        show_hexadecimal(x, a.handler);
    text_add(x, ", sa_mask=");
    signal_set(x, a.mask);
    text_add(x, ", sa_flags=");
    show_flags(x, a.flags, words_action, "0");
    if (a.flags & SA_RESTORER) {
        text_add(x, ", sa_restorer=");
        show_hexadecimal(x, a.restorer);
    }
    text_char(x, '}');
}

static void wait_status(struct text *x, u64 from, i64 result)
{
    u32 status;
    if (!from || result <= 0 || !user_get(&status, from, sizeof status)) {
        show_pointer(x, from);
    } else if ((status & 0xff) == 0x7f) {
        text_add(x, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
        show_signal(x, status >> 8 & 0xff);
        text_add(x, "}]");
    } else if (status == 0xffff) {
        text_add(x, "[{WIFCONTINUED(s)}]");
    } else if (status & 0x7f) {
        text_add(x, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
        show_signal(x, status & 0x7f);
        text_add(x, "}]");
    } else {
        text_add(x, "[{WIFEXITED(s) && WEXITSTATUS(s) == ");
        text_number(x, status >> 8 & 0xff, 10);
        text_add(x, "}]");
    }
}

static void pieces(struct text *x, u64 from, u64 count, bool known)
{
    struct linux_iovec piece;
    if (!from || !known) {
        show_pointer(x, from);
        return;
    }
    text_char(x, '[');
    for (u64 i = 0; i < count && i < 4; i++) {
        text_add(x, i ? ", " : "");
        if (!user_get(&piece, from + i * sizeof piece, sizeof piece)) {
            show_hexadecimal(x, from + i * sizeof piece);
            break;
        }
        text_add(x, "{iov_base=");
        quoted(x, piece.base, piece.bytes);
        text_add(x, ", iov_len=");
        text_number(x, piece.bytes, 10);
        text_char(x, '}');
    }
    text_add(x, count > 4 ? ", ...]" : "]");
}

static void pair(struct text *x, u64 from, i64 result)
{
    i32 number[2];
    if (!from || result < 0 || !user_get(number, from, sizeof number)) {
        show_pointer(x, from);
        return;
    }
    text_char(x, '[');
    text_signed(x, number[0]);
    text_add(x, ", ");
    text_signed(x, number[1]);
    text_char(x, ']');
}

static void timespec(struct text *x, u64 from)
{
    struct linux_timespec time;
    if (!from || !user_get(&time, from, sizeof time)) {
        show_pointer(x, from);
        return;
    }
    text_add(x, "{tv_sec=");
    text_signed(x, time.seconds);
    text_add(x, ", tv_nsec=");
    text_signed(x, time.nanoseconds);
    text_char(x, '}');
}

/* Only those that the flags make count. */
static void clone_arguments(struct text *x, u64 from)
{
    struct linux_clone c;
    if (!from || !user_get(&c, from, CLONE_ARGS_FIRST)) {
        show_pointer(x, from);
        return;
    }
    const struct { const char *name; u64 flags, value; } words[] = {
        { ", child_tid=", CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, c.child_tid }, { ", parent_tid=", CLONE_PARENT_SETTID, c.parent_tid },
        { ", stack=", ~0ul, c.stack }, { ", stack_size=", ~0ul, c.stack_bytes }, { ", tls=", CLONE_SETTLS, c.tls },
    };
    text_add(x, "{flags=");
    show_flags(x, c.flags, words_clone, "0");
    text_add(x, ", exit_signal=");
    if (c.exit_signal)
        show_signal(x, c.exit_signal);
    else
        text_char(x, '0');
    for (u32 i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i].flags != ~0ul && !(c.flags & words[i].flags))
            continue;
        text_add(x, words[i].name);
        show_hexadecimal(x, words[i].value);
    }
    text_char(x, '}');
}

static void set_at(struct text *x, u64 from)
{
    u64 set;
    if (!from || !user_get(&set, from, sizeof set))
        show_pointer(x, from);
    else
        signal_set(x, set);
}

static void open_way(struct text *x, u64 way)
{
    text_add(x, (way & 3) == 0 ? "O_RDONLY" : (way & 3) == 1 ? "O_WRONLY" : "O_RDWR");
    if (way & ~3ul) {
        text_char(x, '|');
        show_flags(x, way & ~3ul, words_open, "");
    }
}

static void descriptor(struct text *x, u64 value, bool may_be_here)
{
    if (may_be_here && (i32)value == AT_FDCWD)
        text_add(x, "AT_FDCWD");
    else
        text_signed(x, (i32)value);
}

static void octal(struct text *x, u64 value)
{
    text_char(x, '0');
    if (value)
        text_number(x, value & 0xffff, 8);
}

void show_argument(struct text *x, char kind, const u64 *a, i64 result)
{
    switch (kind) {
    case 'i':
        text_signed(x, (i64)a[0] == (i32)a[0] || a[0] >> 32 == 0 ? (i32)a[0] : (i64)a[0]);
        break;
    case 'd': case 'D':
        descriptor(x, a[0], kind == 'D');
        break;
    case 'u':
        text_number(x, a[0], 10);
        break;
    case 'o':
        octal(x, a[0]);
        break;
    case 's':
        string(x, a[0], STRACE_STRING * 4);
        break;
    case 'b':
        quoted(x, a[0], a[1]);
        break;
    case 'B':
        if (result >= 0)
            quoted(x, a[0], (u64)result);
        else
            show_pointer(x, a[0]);
        break;
    case 'v': case 'V':
        pieces(x, a[0], a[1], kind == 'v');
        break;
    case 'A':
        arguments(x, a[0]);
        break;
    case 'E':
        environment(x, a[0]);
        break;
    case 'O':
        open_way(x, a[0]);
        break;
    case 'N':
        show_flags(x, a[0], words_open, "0");
        break;
    case 'P':
        show_flags(x, a[0], words_protection, "PROT_NONE");
        break;
    case 'M':
        show_flags(x, a[0], words_map, "0");
        break;
    case 'C':
        show_flags(x, a[0], words_clone, "0");
        break;
    case 'c':
        clone_arguments(x, a[0]);
        break;
    case 'F':
        show_word(x, a[0], words_fcntl);
        break;
    case 'I':
        show_word(x, a[0], words_ioctl);
        break;
    case 'W':
        wait_status(x, a[0], result);
        break;
    case 'w':
        show_flags(x, a[0] & 0xffffffff, words_wait, "0");
        break;
    case 'k':
        show_word(x, a[0], words_whence);
        break;
    case 'h':
        show_word(x, a[0], words_mask);
        break;
    case 'r':
        show_word(x, a[0], words_prctl);
        break;
    case 'f':
        show_word(x, a[0], words_futex);
        break;
    case 'a':
        action(x, a[0]);
        break;
    case 'm':
        set_at(x, a[0]);
        break;
    case 't':
        timespec(x, a[0]);
        break;
    case 'T':
        show_flags(x, a[0], words_at, "0");
        break;
    case 'e':
        pair(x, a[0], result);
        break;
    case 'S':
        show_signal(x, a[0]);
        break;
    case 'p':
        show_pointer(x, a[0]);
        break;
    default:
        show_hexadecimal(x, a[0]);
    }
}
