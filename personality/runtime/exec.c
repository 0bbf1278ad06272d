/* SPDX-License-Identifier: BSD-2-Clause */
/* exec.c: execve, up to the point of no return: the file is opened and its header checked, a script's interpreter found, the
 * arguments laid out at RUNTIME_PROGRAM; then pm replaces the task. On success nothing here returns. */
#include "calls.h"
#include "elf.h"
#include "exec.h"
#include "file.h"
#include "pm.h"
#include "strace.h"
#include "vm.h"

enum { INTERPRETERS = 5, POINTER = 8 };

/* ---- laying out strings ---- */
struct layout {
    struct program *program;
    u64 room;                       /* of text */
};

static struct layout layout_begin(struct thread *t, i64 *err)
{
    u64 at;
    *err = ASK(vm_map(&t->vm, VM_RUNTIME_PROGRAM, VM_RUNTIME_PROGRAM_BYTES, VM_RW, VM_PRIVATE | VM_FIXED, &at));
    struct layout l = { (struct program *)VM_RUNTIME_PROGRAM, 0 };
    if (!*err) {
        *l.program = (struct program){ .magic = PROGRAM_MAGIC, .strace = process()->strace, .mask = t->mask, .counting = process()->counting };
        /* As Linux: strings and their pointers take a quarter of the stack's limit at most. */
        u64 most = mm()->stack_limit / 4;
        l.room = most < VM_RUNTIME_PROGRAM_BYTES / 2 ? most : VM_RUNTIME_PROGRAM_BYTES / 2;
    }
    return l;
}

static i64 layout_add(struct layout *l, const char *text, u64 bytes)
{
    if (bytes + 1 > PROGRAM_STRING_MOST || l->program->bytes + bytes + 1 > l->room)
        return -E2BIG;
    __builtin_memcpy(l->program->text + l->program->bytes, text, bytes);
    l->program->text[l->program->bytes + bytes] = 0;
    l->program->bytes += bytes + 1;
    return 0;
}

/* A string of the program's. */
static i64 layout_copy(struct layout *l, u64 from)
{
    u64 left = l->room - l->program->bytes, most = left < PROGRAM_STRING_MOST ? left : PROGRAM_STRING_MOST;
    i64 length = user_string(l->program->text + l->program->bytes, from, most);
    if (length < 0)
        return length == -ENAMETOOLONG ? -E2BIG : length;
    l->program->bytes += (u64)length + 1;
    return 0;
}

/* All strings of a NULL-terminated vector but the first `skip`; no vector is an empty one. */
static i64 layout_vector(struct layout *l, u64 vector, u32 skip, u32 *count)
{
    for (u64 i = 0; vector; i++) {
        u64 pointer;
        if (!user_get(&pointer, vector + POINTER * i, POINTER))
            return -EFAULT;
        if (!pointer)
            break;
        if (l->room < l->program->bytes + POINTER)
            return -E2BIG;
        l->room -= POINTER;
        if (i < skip)
            continue;
        i64 err = layout_copy(l, pointer);
        if (err)
            return err;
        (*count)++;
    }
    return 0;
}

/* ---- finding the program ---- */
/* The file to run: the last interpreter in a row of scripts. */
struct found {
    u32 file, depth;
    struct { char path[ELF_SCRIPT_LINE], argument[ELF_SCRIPT_LINE]; bool has_argument; } script[INTERPRETERS];
};

static i64 open_program(struct thread *t, struct l4_bytes path, u32 *file)
{
    return ASK(vfs_open(&t->vfs, VFS_HERE, O_CLOEXEC | O_EXECUTE, 0, path, file));
}

static void keep_text(char *to, const char *from, u32 bytes)
{
    __builtin_memcpy(to, from, bytes);
    to[bytes] = 0;
}

/* A dynamic linker that could not be found, opened or read is told as on Linux; where it could, the program is refused all the same:
 * dynamic programs do not run yet. */
static i64 check_interpreter(struct thread *t, u32 file, const struct elf_segment *s)
{
    struct l4_bytes text = { 0 }, head = { 0 };
    u32 interpreter;
    if (s->filesz < 2 || s->filesz > PATH_MAX)
        return -ENOEXEC;
    i64 err = (i64)s->offset < 0 ? -EINVAL : ASK(vfs_read_at(&t->vfs, file, s->offset, (u32)s->filesz, &text));
    if (err || text.length < s->filesz)
        return err ? err : -EIO;
    if (text.at[text.length - 1])
        return -ENOEXEC;
    u32 bytes = (u32)__builtin_strlen((const char *)text.at);
    err = bytes ? open_program(t, l4_bytes(text.at, bytes), &interpreter) : -EACCES;     /* an empty name is the working directory's */
    if (err)
        return err;
    err = ASK(vfs_read_at(&t->vfs, interpreter, 0, sizeof(struct elf_header), &head));
    if (!err && head.length < sizeof(struct elf_header))
        err = -EIO;
    if (!err)
        err = __builtin_memcmp(head.at, "\177ELF", 4) ? -ELIBBAD : -ENOEXEC;
    vfs_close(&t->vfs, interpreter);
    return err;
}

/* Programs that name a dynamic linker are refused while there is still somebody to be told. */
static i64 check_program(struct thread *t, u32 file, struct l4_bytes first)
{
    struct elf_plan plan;
    i64 err = elf_check(first.at, first.length);
    if (err)
        return err;
    elf_read(first.at, first.length, VM_ADDRESS_END, &plan);
    return plan.interpreted ? check_interpreter(t, file, &plan.interpreter) : 0;
}

/* One step: an ELF is found, or a script names the next. */
static i64 look_into(struct thread *t, struct found *f, bool *again)
{
    struct l4_bytes first = { 0 };
    struct elf_script script;
    bool is_script;
    i64 err = ASK(vfs_read_at(&t->vfs, f->file, 0, WINDOW, &first));
    *again = false;
    if (err)
        return err;
    if (!elf_script(first.at, first.length, &is_script, &script))
        return !is_script ? check_program(t, f->file, first) : script.nothing ? -EACCES : -ENOEXEC;
    if (f->depth == INTERPRETERS)
        return -ELOOP;
    keep_text(f->script[f->depth].path, script.interpreter, script.interpreter_bytes);
    f->script[f->depth].has_argument = script.argument != NULL;
    if (script.argument)
        keep_text(f->script[f->depth].argument, script.argument, script.argument_bytes);
    *again = true;
    return 0;
}

static i64 find_program(struct thread *t, struct l4_bytes path, struct found *f)
{
    bool again;
    f->depth = 0;
    i64 err = open_program(t, path, &f->file);
    while (!err) {
        err = look_into(t, f, &again);
        if (!err && !again)
            return 0;
        vfs_close(&t->vfs, f->file);
        if (!err) {
            err = open_program(t, l4_text(f->script[f->depth].path), &f->file);
            f->depth++;
        }
    }
    return err;
}

/* argv of an interpreter: itself, its argument, then the script (or the next interpreter outwards). */
static i64 add_interpreters(struct layout *l, const struct found *f)
{
    i64 err = 0;
    for (u32 i = f->depth; !err && i-- > 0; ) {
        err = layout_add(l, f->script[i].path, __builtin_strlen(f->script[i].path));
        l->program->arguments++;
        if (!err && f->script[i].has_argument) {
            err = layout_add(l, f->script[i].argument, __builtin_strlen(f->script[i].argument));
            l->program->arguments++;
        }
    }
    return err;
}

struct l4_bytes base_name(const char *path)
{
    const char *base = path;
    for (const char *at = path; *at; at++) {
        if (*at == '/')
            base = at + 1;
    }
    u64 bytes = __builtin_strlen(base);
    return l4_bytes(base, bytes < NAME_BYTES ? (u32)bytes : NAME_BYTES - 1);
}

i64 exec_replace(struct thread *t, u32 file, const char *path)
{
    if (process()->counting)
        counts_tell(t);
    i64 err = ASK(pm_exec(&t->pm, file, base_name(path)));
    vfs_close(&t->vfs, file);
    return err;
}

static i64 lay_out(struct thread *t, const struct found *f, const char *path, const u64 *a)
{
    i64 err;
    struct layout l = layout_begin(t, &err);
    if (!err)
        err = layout_add(&l, path, __builtin_strlen(path));
    if (!err)
        err = add_interpreters(&l, f);
    if (!err && f->depth) {
        err = layout_add(&l, path, __builtin_strlen(path));
        l.program->arguments++;
    }
    if (!err)
        err = layout_vector(&l, a[1], f->depth ? 1 : 0, &l.program->arguments);
    if (!err && l.program->arguments == 0) {        /* as Linux since 5.18: argv[0] is there */
        err = layout_add(&l, "", 0);
        l.program->arguments = 1;
    }
    return err ? err : layout_vector(&l, a[2], 0, &l.program->environment);
}

/* The new program says that the call succeeded. */
static void keep_call(struct thread *t)
{
    struct program *program = (struct program *)VM_RUNTIME_PROGRAM;
    program->call_bytes = strace_call(program->call, sizeof program->call, t->rax, t->args, 0);
}

i64 sys_execve(struct thread *t, const u64 *a)
{
    char path[PATH_MAX];
    struct found found;
    i64 length = user_string(path, a[0], sizeof path);
    i64 err = length < 0 ? length : length == 0 ? -ENOENT : find_program(t, l4_bytes(path, (u32)length), &found);
    if (err)
        return err;
    err = lay_out(t, &found, path, a);
    if (!err && process()->strace)
        keep_call(t);
    if (err)
        vfs_close(&t->vfs, found.file);
    else
        err = exec_replace(t, found.file, path);
    vm_unmap(&t->vm, VM_RUNTIME_PROGRAM, VM_RUNTIME_PROGRAM_BYTES);
    return err;
}

/* ---- the first program ---- */
static i64 layout_words(struct layout *l, const char *words, u64 bytes, u32 *count)
{
    i64 err = 0;
    for (u64 at = 0; !err && at < bytes; at += __builtin_strlen(words + at) + 1, (*count)++)
        err = layout_add(l, words + at, __builtin_strlen(words + at));
    return err;
}

static bool is_setting(const char *word)
{
    while (*word && *word != '=' && *word != '/')
        word++;
    return *word == '=';
}

/* Bytes of the words that are NAME=VALUE, before the first that is not. */
static u64 settings_bytes(const char *words, u64 bytes)
{
    u64 at = 0;
    while (at < bytes && is_setting(words + at))
        at += __builtin_strlen(words + at) + 1;
    return at;
}

i64 exec_first(struct thread *t, const char *words, u64 bytes)
{
    static const char environment[] = "HOME=/root\0PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    static const char terminal[] = "TERM=vt100";
    struct found found;
    u64 settings = settings_bytes(words, bytes);
    const char *path = words + settings;
    i64 err = settings < bytes ? find_program(t, l4_bytes(path, (u32)__builtin_strlen(path)), &found) : -ENOENT;
    if (err)
        return err;
    struct layout l = layout_begin(t, &err);
    if (!err)
        err = layout_add(&l, path, __builtin_strlen(path));
    if (!err)
        err = layout_words(&l, path, bytes - settings, &l.program->arguments);
    if (!err)
        err = layout_words(&l, environment, sizeof environment, &l.program->environment);
    if (!err)
        err = settings ? layout_words(&l, words, settings, &l.program->environment)
                       : layout_words(&l, terminal, sizeof terminal, &l.program->environment);
    if (!err && process()->strace)
        l.program->call_bytes = strace_first(l.program->call, sizeof l.program->call, path, bytes - settings);
    return err ? err : exec_replace(t, found.file, path);
}
