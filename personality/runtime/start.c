/* SPDX-License-Identifier: BSD-2-Clause */
/* start.c: the first acts of a thread, of a program and of the first process. */
#include "exec.h"
#include "file.h"
#include "proc.h"
#include "thread.h"
#include "vm.h"
#include <process.h>

enum { FIRST_PROCESS = 0, WORDS_MOST = 12 * 1024 };

void thread_begin(struct thread *t)
{
    struct l4_utcb *utcb = thread_utcb(t);
    u64 block = (u64)utcb;
    utcb->reflect_rip = ~0ul;
    utcb->kick_mask = 1;
    utcb->lost = utcb->tell_lost = 0;
    utcb->kicked = 1;               /* a signal may have come when there was nobody to kick: look on the way out */
    thread_set_upcall(PROCESS_THREAD + 4 * t->slot, (u64)runtime_call_entry, (u64)runtime_kick_entry, (u64)runtime_exception_entry, block + VM_BLOCK);
    l4_session_init(&t->pm, PROCESS_PM, t->slot, NULL);
    l4_session_init(&t->vm, PROCESS_VM, t->slot, NULL);
    l4_session_init(&t->vfs, PROCESS_VFS, t->slot, (u8 *)(block + VM_BLOCK_WINDOW));
}

static void process_begin(struct thread *t, const struct pm_self *me)
{
    struct process *p = process();
    p->pid = me->pid;
    ids_parent_forget();
    t->tid = me->tid;
    p->threads = 1u << t->slot;
    ids_set(&me->ids);
    for (u32 i = 1; i <= SIGNALS; i++)
        p->action[i].handler = me->ignored & SIGNAL_BIT(i) ? SIG_IGNORE : SIG_DEFAULT;
    p->random[0] = me->seed0;
    p->random[1] = me->seed1;
    p->random[2] = me->seed0 ^ 0x9e3779b97f4a7c15;
    p->random[3] = me->seed1 + me->pid;
    mm()->stack_limit = me->stack_limit;
}

/* ---- the first process ---- */
/* What is run when /etc/axo/start does not say. */
static const char no_start[] = "tty\0/bin/sh";

static bool open_as(struct thread *t, u32 number, u32 flags, const char *path)
{
    u32 file;
    return vfs_open(&t->vfs, VFS_HERE, flags, 0, l4_text(path), &file) == 0 && file == number;
}

static bool open_standard(struct thread *t, bool streams)
{
    if (streams)
        return open_as(t, 0, 0, "/dev/axo/in") && open_as(t, 1, O_WRONLY, "/dev/axo/out") && open_as(t, 2, O_WRONLY, "/dev/axo/err");
    u32 made;
    return open_as(t, 0, O_RDWR, "/dev/console") && vfs_dup(&t->vfs, 0, 1, true, 0, &made) == 0 && vfs_dup(&t->vfs, 0, 2, true, 0, &made) == 0;
}

/* As a getty does: the console is the terminal of this session, and as large as `size` says: "ROWSxCOLUMNS". Without it there is still
 * standard input, so nothing here is fatal. */
static void open_session(struct thread *t, const char *size)
{
    enum { TIOCSCTTY = 0x540e, TIOCSWINSZ = 0x5414 };
    struct l4_bytes none = l4_bytes("", 0), out;
    u64 value;
    vfs_ioctl(&t->vfs, 0, TIOCSCTTY, 0, none, &value, &out);
    u16 now[4] = { 0 };
    for (u32 k = 0; k < 2; k++) {
        while (*size >= '0' && *size <= '9')
            now[k] = (u16)(now[k] * 10 + (u16)(*size++ - '0'));
        size += *size == 'x';
    }
    if (now[0] && now[1])
        vfs_ioctl(&t->vfs, 0, TIOCSWINSZ, 0, l4_bytes(now, sizeof now), &value, &out);
}

/* The file's words to `words`, each with its zero; their bytes. */
static u64 read_start(struct thread *t, char *words, u64 room)
{
    u32 file;
    struct l4_bytes text = { (const u8 *)no_start, sizeof no_start };
    if (vfs_open(&t->vfs, VFS_HERE, 0, 0, l4_text("/etc/axo/start"), &file) == 0) {
        if (vfs_read_at(&t->vfs, file, 0, (u32)room - 1, &text) || text.length == 0)
            text = (struct l4_bytes){ (const u8 *)no_start, sizeof no_start };
        vfs_close(&t->vfs, file);
    }
    __builtin_memcpy(words, text.at, text.length);
    words[text.length] = 0;
    return text.at[text.length - 1] ? text.length + 1 : text.length;
}

static _Noreturn void first_process(struct thread *t)
{
    char words[WORDS_MOST];
    u64 bytes = read_start(t, words, sizeof words), mode = __builtin_strlen(words) + 1;
    bool lines = __builtin_strcmp(words + mode, "strace") == 0, counts = __builtin_strcmp(words + mode, "calls") == 0;
    process()->strace = lines;
    process()->counting = counts;
    u64 first = lines ? mode + sizeof "strace" : counts ? mode + sizeof "calls" : mode;
    enum { NO_STANDARD = 126 << 8, NO_PROGRAM = 127 << 8 };
    if (!open_standard(t, __builtin_strcmp(words, "exec") == 0))
        runtime_die(t, NO_STANDARD);
    if (__builtin_memcmp(words, "tty", 3) == 0)
        open_session(t, words + (words[3] == ':' ? 4 : 3));
    if (first < bytes)
        exec_first(t, words + first, bytes - first);
    runtime_die(t, NO_PROGRAM);
}

void runtime_main(struct thread *t, u64 how)
{
    struct pm_self me;
    t->slot = 0;
    t->number = ~0ul;
    thread_begin(t);
    if (pm_self(t->pm.gate, t->slot, &me))
        runtime_die(t, SIGSEGV);
    process_begin(t, &me);
    if (how == FIRST_PROCESS)
        first_process(t);
    program_start(t);
}
