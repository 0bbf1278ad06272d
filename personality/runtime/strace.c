/* SPDX-License-Identifier: BSD-2-Clause */
/* strace.c: each system call as a line of the kernel's log: name, arguments, result. Buffers that a call fills are shown afterwards, so
 * the line is made when the call ends. Which kind an argument has says its letter in calls.def, whose header lists them. */
#include "strace.h"
#include "show.h"
#include "words.h"

enum { ADDRESS = 'R' };             /* a letter of calls.def: the result is an address */

/* What did not fit shows as dots. */
static u32 finish(const struct text *x)
{
    static const char cut[] = "...)";
    if (x->length == x->room && x->room >= sizeof cut - 1)
        __builtin_memcpy(x->at + x->room - (sizeof cut - 1), cut, sizeof cut - 1);
    return x->length;
}

u32 strace_call(char *to, u32 room, u64 number, const u64 args[6], i64 result)
{
    struct text x = { to, room, 0 };
    const struct call *call = call_find(number);
    if (!call) {
        text_add(&x, "syscall_");
        show_hexadecimal(&x, number);
    } else {
        text_add(&x, call->name);
    }
    text_char(&x, '(');
    const char *kinds = call ? call->arguments : "xxxxxx";
    for (u32 i = 0; i < 6 && kinds[i] && kinds[i] != ADDRESS; i++) {
        if (i)
            text_add(&x, ", ");
        show_argument(&x, kinds[i], &args[i], result);
    }
    text_char(&x, ')');
    return finish(&x);
}

static void error(struct text *x, u64 number)
{
    const struct error_word *word = words_error;
    while (word->name && word->number != number)
        word++;
    text_add(x, "-1 ");
    if (!word->name) {
        text_number(x, number, 10);
        return;
    }
    text_add(x, word->name);
    text_add(x, " (");
    text_add(x, word->sentence);
    text_char(x, ')');
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
        error(&x, (u64)-result);
    } else if (result && call && __builtin_strchr(call->arguments, ADDRESS)) {
        show_hexadecimal(&x, (u64)result);
    } else {
        text_signed(&x, result);
    }
    return x.length;
}

u32 strace_first(char *to, u32 room, const char *words, u64 bytes)
{
    struct text x = { to, room, 0 };
    text_add(&x, "execve(");
    show_characters(&x, (const u8 *)words, __builtin_strlen(words), false);
    text_add(&x, ", [");
    for (u64 at = 0, length; at < bytes; at += length + 1) {
        length = __builtin_strlen(words + at);
        text_add(&x, at ? ", " : "");
        show_characters(&x, (const u8 *)words + at, length < STRACE_STRING ? length : STRACE_STRING, length > STRACE_STRING);
    }
    text_add(&x, "])");
    return finish(&x);
}

static void number_field(struct text *x, const char *name, i64 value)
{
    text_add(x, name);
    text_signed(x, value);
}

static void child_fields(struct text *x, const struct linux_siginfo *info)
{
    enum { EXITED = 1 };
    static const struct word codes[] = {
        { 1, "CLD_EXITED" }, { 2, "CLD_KILLED" }, { 3, "CLD_DUMPED" }, { 4, "CLD_TRAPPED" }, { 5, "CLD_STOPPED" }, { 6, "CLD_CONTINUED" }, { 0, NULL },
    };
    show_word(x, (u64)info->code, codes);
    number_field(x, ", si_pid=", info->child.pid);
    number_field(x, ", si_uid=", info->child.uid);
    text_add(x, ", si_status=");
    if (info->code == EXITED)
        text_signed(x, info->child.status);
    else
        show_signal(x, (u64)info->child.status);
}

static void sent_fields(struct text *x, const struct linux_siginfo *info)
{
    static const struct word codes[] = {
        { SI_USER, "SI_USER" }, { SI_KERNEL, "SI_KERNEL" }, { (u64)SI_QUEUE, "SI_QUEUE" }, { (u64)SI_TIMER, "SI_TIMER" },
        { (u64)SI_TKILL, "SI_TKILL" }, { 0, NULL },
    };
    show_word(x, (u64)(i64)info->code, codes);
    if (info->code == SI_KERNEL)
        return;
    number_field(x, ", si_pid=", info->sent.pid);
    number_field(x, ", si_uid=", info->sent.uid);
}

/* An exception's: where it happened. */
static void fault_fields(struct text *x, const struct linux_siginfo *info)
{
    bool is_segment = info->number == SIGSEGV;
    if (is_segment && (info->code == SEGV_MAPERR || info->code == SEGV_ACCERR))
        text_add(x, info->code == SEGV_MAPERR ? "SEGV_MAPERR" : "SEGV_ACCERR");
    else
        text_signed(x, info->code);
    text_add(x, ", si_addr=");
    show_pointer(x, info->fault.address);
}

static bool is_fault(i32 number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGTRAP;
}

u32 strace_signal(char *to, u32 room, const struct linux_siginfo *info)
{
    struct text x = { to, room, 0 };
    text_add(&x, "--- ");
    show_signal(&x, (u64)info->number);
    text_add(&x, " {si_signo=");
    show_signal(&x, (u64)info->number);
    text_add(&x, ", si_code=");
    if (info->number == SIGCHLD && info->code > 0 && info->code < SI_KERNEL)
        child_fields(&x, info);
    else if (is_fault(info->number) && info->code > 0 && info->code != SI_KERNEL)
        fault_fields(&x, info);
    else
        sent_fields(&x, info);
    text_add(&x, "} ---");
    return x.length;
}

u32 strace_end(char *to, u32 room, u32 status)
{
    struct text x = { to, room, 0 };
    if (status & 0x7f) {
        text_add(&x, "+++ killed by ");
        show_signal(&x, status & 0x7f);
    } else {
        text_add(&x, "+++ exited with ");
        text_number(&x, status >> 8 & 0xff, 10);
    }
    text_add(&x, " +++");
    return x.length;
}
