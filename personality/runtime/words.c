/* SPDX-License-Identifier: BSD-2-Clause */
/* words.c: see words.h. The numbers are Linux's for x86-64. */
#include "words.h"

#include "../linux/errno.h"
#include "../linux/file.h"
#include "../linux/signal.h"

#define WORD(name) { name, #name }
#define END { 0, NULL }

const struct word words_open[] = {
    WORD(O_CREAT), WORD(O_EXCL), WORD(O_NOCTTY), WORD(O_TRUNC), WORD(O_APPEND), WORD(O_NONBLOCK), WORD(O_LARGEFILE), WORD(O_DIRECTORY),
    WORD(O_NOFOLLOW), WORD(O_CLOEXEC), { 010000000, "O_PATH" }, END,
};
const struct word words_protection[] = { WORD(PROT_READ), WORD(PROT_WRITE), WORD(PROT_EXEC), END };
const struct word words_map[] = {
    WORD(MAP_PRIVATE), WORD(MAP_SHARED), WORD(MAP_FIXED), WORD(MAP_ANONYMOUS), WORD(MAP_GROWSDOWN), WORD(MAP_POPULATE),
    WORD(MAP_FIXED_NOREPLACE), { 0x4000, "MAP_NORESERVE" }, { 0x20000, "MAP_STACK" }, END,
};
const struct word words_clone[] = {
    { 0x100, "CLONE_VM" }, { 0x200, "CLONE_FS" }, { 0x400, "CLONE_FILES" }, { 0x800, "CLONE_SIGHAND" }, { 0x4000, "CLONE_VFORK" },
    { 0x10000, "CLONE_THREAD" }, { 0x40000, "CLONE_SYSVSEM" }, { 0x80000, "CLONE_SETTLS" }, { 0x100000, "CLONE_PARENT_SETTID" },
    { 0x200000, "CLONE_CHILD_CLEARTID" }, { 0x400000, "CLONE_DETACHED" }, { 0x1000000, "CLONE_CHILD_SETTID" },
    { 1ul << 32, "CLONE_CLEAR_SIGHAND" }, { 17, "SIGCHLD" }, END,
};
const struct word words_action[] = {
    WORD(SA_NOCLDSTOP), WORD(SA_NOCLDWAIT), WORD(SA_SIGINFO), WORD(SA_RESTORER), WORD(SA_ONSTACK), WORD(SA_RESTART), WORD(SA_NODEFER),
    WORD(SA_RESETHAND), END,
};
const struct word words_at[] = {
    WORD(AT_SYMLINK_NOFOLLOW), WORD(AT_REMOVEDIR), WORD(AT_SYMLINK_FOLLOW), WORD(AT_EMPTY_PATH), END,
};
const struct word words_wait[] = {
    { 1, "WNOHANG" }, { 2, "WUNTRACED" }, { 8, "WCONTINUED" }, { 0x40000000, "__WALL" }, { 0x80000000, "__WCLONE" }, END,
};
const struct word words_ioctl[] = {
    { 0x5401, "TCGETS" }, { 0x5402, "TCSETS" }, { 0x5403, "TCSETSW" }, { 0x5404, "TCSETSF" }, { 0x5409, "TCSBRK" }, { 0x540a, "TCXONC" },
    { 0x540b, "TCFLSH" }, { 0x540e, "TIOCSCTTY" }, { 0x540f, "TIOCGPGRP" }, { 0x5410, "TIOCSPGRP" }, { 0x5411, "TIOCOUTQ" },
    { 0x5412, "TIOCSTI" }, { 0x5413, "TIOCGWINSZ" }, { 0x5414, "TIOCSWINSZ" }, { 0x541b, "FIONREAD" }, { 0x5421, "FIONBIO" },
    { 0x5422, "TIOCNOTTY" }, { 0x5429, "TIOCGSID" }, { 0x5450, "FIONCLEX" }, { 0x5451, "FIOCLEX" }, END,
};
const struct word words_fcntl[] = {
    WORD(F_DUPFD), WORD(F_GETFD), WORD(F_SETFD), WORD(F_GETFL), WORD(F_SETFL), { 5, "F_GETLK" }, { 6, "F_SETLK" }, { 7, "F_SETLKW" },
    { 8, "F_SETOWN" }, { 9, "F_GETOWN" }, WORD(F_DUPFD_CLOEXEC), { 1031, "F_SETPIPE_SZ" }, { 1032, "F_GETPIPE_SZ" }, END,
};
const struct word words_whence[] = { { 0, "SEEK_SET" }, { 1, "SEEK_CUR" }, { 2, "SEEK_END" }, END };
const struct word words_mask[] = { WORD(SIG_BLOCK), WORD(SIG_UNBLOCK), WORD(SIG_SETMASK), END };
const struct word words_prctl[] = {
    { 1, "PR_SET_PDEATHSIG" }, { 2, "PR_GET_PDEATHSIG" }, { 3, "PR_GET_DUMPABLE" }, { 4, "PR_SET_DUMPABLE" }, { 15, "PR_SET_NAME" },
    { 16, "PR_GET_NAME" }, { 38, "PR_SET_NO_NEW_PRIVS" }, { 39, "PR_GET_NO_NEW_PRIVS" }, { 0x1001, "ARCH_SET_GS" },
    { 0x1002, "ARCH_SET_FS" }, { 0x1003, "ARCH_GET_FS" }, { 0x1004, "ARCH_GET_GS" }, END,
};
const struct word words_futex[] = {
    { 0, "FUTEX_WAIT" }, { 1, "FUTEX_WAKE" }, { 9, "FUTEX_WAIT_BITSET" }, { 10, "FUTEX_WAKE_BITSET" }, { 128, "FUTEX_WAIT_PRIVATE" },
    { 129, "FUTEX_WAKE_PRIVATE" }, { 131, "FUTEX_REQUEUE_PRIVATE" }, { 132, "FUTEX_CMP_REQUEUE_PRIVATE" },
    { 137, "FUTEX_WAIT_BITSET_PRIVATE" }, { 138, "FUTEX_WAKE_BITSET_PRIVATE" },
    { 393, "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME" }, END,
};

const struct error_word words_error[] = {
#define ERROR(name, sentence) { name, #name, sentence },
#include "../linux/errors.def"
#undef ERROR
    { 0, NULL, NULL },
};

const char *signal_name(u64 number)
{
    static const char *const names[] = {
        NULL, "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
        "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU",
        "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    };
    return number < sizeof names / sizeof names[0] ? names[number] : NULL;
}

void show_hexadecimal(struct text *x, u64 value)
{
    text_add(x, "0x");
    text_number(x, value, 16);
}

void show_pointer(struct text *x, u64 value)
{
    if (value)
        show_hexadecimal(x, value);
    else
        text_add(x, "NULL");
}

void show_flags(struct text *x, u64 value, const struct word *words, const char *none)
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
        show_hexadecimal(x, value);
    else if (!any)
        text_add(x, none);
}

void show_word(struct text *x, u64 value, const struct word *words)
{
    for (; words->name; words++) {
        if (words->value == value) {
            text_add(x, words->name);
            return;
        }
    }
    show_hexadecimal(x, value);
}

void show_signal(struct text *x, u64 number)
{
    const char *name = signal_name(number);
    if (name) {
        text_add(x, name);
    } else if (number >= 32 && number <= SIGNALS) {
        text_add(x, "SIGRT_");
        text_number(x, number - 32, 10);
    } else {
        text_signed(x, (i32)number);
    }
}
