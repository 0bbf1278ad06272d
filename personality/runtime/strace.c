/* SPDX-License-Identifier: BSD-2-Clause */
/* strace.c: each system call as a line of the kernel's log: pid, name, arguments, result. Buffers that a call fills are shown
 * afterwards, so the line is made when the call ends; a call that never ends (exit, execve) shows when it begins. */
#include "strace.h"
#include "text.h"
#include "user.h"

struct word { u64 value; const char *name; };

static const struct word open_flags[] = {
    { O_CREAT, "O_CREAT" }, { O_EXCL, "O_EXCL" }, { O_NOCTTY, "O_NOCTTY" }, { O_TRUNC, "O_TRUNC" }, { O_APPEND, "O_APPEND" },
    { O_NONBLOCK, "O_NONBLOCK" }, { O_LARGEFILE, "O_LARGEFILE" }, { O_DIRECTORY, "O_DIRECTORY" }, { O_NOFOLLOW, "O_NOFOLLOW" },
    { O_CLOEXEC, "O_CLOEXEC" }, { 0, NULL },
};
static const struct word protections[] = { { PROT_READ, "PROT_READ" }, { PROT_WRITE, "PROT_WRITE" }, { PROT_EXEC, "PROT_EXEC" }, { 0, NULL } };
static const struct word map_flags[] = {
    { MAP_PRIVATE, "MAP_PRIVATE" }, { MAP_SHARED, "MAP_SHARED" }, { MAP_FIXED, "MAP_FIXED" }, { MAP_ANONYMOUS, "MAP_ANONYMOUS" },
    { MAP_GROWSDOWN, "MAP_GROWSDOWN" }, { MAP_POPULATE, "MAP_POPULATE" }, { MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE" }, { 0, NULL },
};

static const char *const errors[] = {
    [EPERM] = "EPERM", [ENOENT] = "ENOENT", [ESRCH] = "ESRCH", [EINTR] = "EINTR", [EIO] = "EIO", [ENXIO] = "ENXIO", [E2BIG] = "E2BIG",
    [ENOEXEC] = "ENOEXEC", [EBADF] = "EBADF", [ECHILD] = "ECHILD", [EAGAIN] = "EAGAIN", [ENOMEM] = "ENOMEM", [EACCES] = "EACCES",
    [EFAULT] = "EFAULT", [EBUSY] = "EBUSY", [EEXIST] = "EEXIST", [EXDEV] = "EXDEV", [ENODEV] = "ENODEV", [ENOTDIR] = "ENOTDIR",
    [EISDIR] = "EISDIR", [EINVAL] = "EINVAL", [ENFILE] = "ENFILE", [EMFILE] = "EMFILE", [ENOTTY] = "ENOTTY", [ETXTBSY] = "ETXTBSY",
    [EFBIG] = "EFBIG", [ENOSPC] = "ENOSPC", [ESPIPE] = "ESPIPE", [EROFS] = "EROFS", [EMLINK] = "EMLINK", [EPIPE] = "EPIPE",
    [ERANGE] = "ERANGE", [ENAMETOOLONG] = "ENAMETOOLONG", [ENOSYS] = "ENOSYS", [ENOTEMPTY] = "ENOTEMPTY", [ELOOP] = "ELOOP",
    [EOPNOTSUPP] = "EOPNOTSUPP", [ETIMEDOUT] = "ETIMEDOUT",
};
static const char *const signals[] = {
    "0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2",
    "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
    "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
};

static void hexadecimal(struct text *x, u64 value)
{
    text_add(x, "0x");
    text_number(x, value, 16);
}

static void pointer(struct text *x, u64 value)
{
    if (value)
        hexadecimal(x, value);
    else
        text_add(x, "NULL");
}

static void flags(struct text *x, u64 value, const struct word *words, const char *none)
{
    bool any = false;
    for (; words->name; words++) {
        if ((value & words->value) != words->value)
            continue;
        if (any)
            text_char(x, '|');
        text_add(x, words->name);
        value &= ~words->value;
        any = true;
    }
    if (value && any)
        text_char(x, '|');
    if (value)
        hexadecimal(x, value);
    else if (!any)
        text_add(x, none);
}

static void quoted(struct text *x, u64 from, u64 bytes, bool cut)
{
    u8 part[STRACE_STRING];
    u64 shown = bytes < sizeof part ? bytes : sizeof part;
    if (!from || !user_get(part, from, shown)) {
        pointer(x, from);
        return;
    }
    text_char(x, '"');
    for (u64 i = 0; i < shown; i++) {
        u8 c = part[i];
        if (c == '\n' || c == '\t' || c == '\r') {
            text_add(x, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        } else if (c == '"' || c == '\\') {
            text_char(x, '\\');
            text_char(x, (char)c);
        } else if (c >= ' ' && c < 127) {
            text_char(x, (char)c);
        } else {
            text_char(x, '\\');
            text_number(x, c, 8);
        }
    }
    text_add(x, cut || bytes > shown ? "\"..." : "\"");
}

static void path(struct text *x, u64 from)
{
    char name[STRACE_STRING * 4];
    i64 length = from ? user_string(name, from, sizeof name) : -EFAULT;
    if (length == -EFAULT) {
        pointer(x, from);
    } else {
        text_char(x, '"');
        for (i64 i = 0; i < (length < 0 ? (i64)sizeof name - 1 : length); i++)
            text_char(x, name[i] >= ' ' ? name[i] : '?');
        text_add(x, length < 0 ? "\"..." : "\"");
    }
}

static void argument(struct text *x, char kind, const u64 *a, i64 result)
{
    switch (kind) {
    case 'i':
        text_signed(x, (i64)a[0] == (i32)a[0] ? (i32)a[0] : (i64)a[0]);
        break;
    case 'd':
        text_signed(x, (i32)a[0]);
        break;
    case 'D':
        if ((i32)a[0] == AT_FDCWD)
            text_add(x, "AT_FDCWD");
        else
            text_signed(x, (i32)a[0]);
        break;
    case 'u':
        text_number(x, a[0], 10);
        break;
    case 'o':
        text_char(x, '0');
        if (a[0])
            text_number(x, a[0] & 0xffff, 8);
        break;
    case 's':
        path(x, a[0]);
        break;
    case 'b':
        quoted(x, a[0], a[1], false);
        break;
    case 'B':
        if (result >= 0)
            quoted(x, a[0], (u64)result, false);
        else
            pointer(x, a[0]);
        break;
    case 'O':
        text_add(x, (a[0] & 3) == 0 ? "O_RDONLY" : (a[0] & 3) == 1 ? "O_WRONLY" : "O_RDWR");
        if (a[0] & ~3ul) {
            text_char(x, '|');
            flags(x, a[0] & ~3ul, open_flags, "");
        }
        break;
    case 'P':
        flags(x, a[0], protections, "PROT_NONE");
        break;
    case 'M':
        flags(x, a[0], map_flags, "0");
        break;
    case 'S':
        if (a[0] < sizeof signals / sizeof signals[0])
            text_add(x, signals[a[0]]);
        else
            text_number(x, a[0], 10);
        break;
    case 'p':
        pointer(x, a[0]);
        break;
    default:
        hexadecimal(x, a[0]);
    }
}

u32 strace_call(char *to, u32 room, u64 number, const u64 args[6], i64 result)
{
    struct text x = { to, room, 0 };
    const struct call *call = call_find(number);
    if (!call) {
        text_add(&x, "syscall_");
        text_number(&x, number, 10);
    } else {
        text_add(&x, call->name);
    }
    text_char(&x, '(');
    const char *kinds = call ? call->arguments : "xxxxxx";
    for (u32 i = 0; i < 6 && kinds[i]; i++) {
        if (i)
            text_add(&x, ", ");
        argument(&x, kinds[i], &args[i], result);
    }
    text_char(&x, ')');
    return x.length;
}

u32 strace_result(char *to, u32 room, const struct call *call, i64 result)
{
    struct text x = { to, room, 0 };
    static const char *const restarts[] = { "ERESTARTSYS", "ERESTARTSYS", "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK" };
    text_add(&x, " = ");
    if (result == -EINTERRUPTED) {
        text_add(&x, "? ");
        text_add(&x, restarts[call ? call->restart : 0]);
    } else if (result < 0 && result > -4096) {
        u64 number = (u64)-result;
        text_add(&x, "-1 ");
        if (number < sizeof errors / sizeof errors[0] && errors[number])
            text_add(&x, errors[number]);
        else
            text_number(&x, number, 10);
    } else if (result > 1 << 30) {
        hexadecimal(&x, (u64)result);
    } else {
        text_signed(&x, result);
    }
    return x.length;
}
