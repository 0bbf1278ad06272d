/* SPDX-License-Identifier: BSD-2-Clause */
/* test_stack.c: the initial stack is read back as a program's start code reads it. */
#include "program.h"
#include "../linux/elf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct program *make(const char *path, const char *const *arguments, const char *const *environment)
{
    struct program *p = calloc(1, sizeof *p + 4096);
    p->magic = PROGRAM_MAGIC;
    for (const char *const *list = (const char *const []){ path, NULL }; *list; list++)
        p->bytes += (u64)(stpcpy(p->text + p->bytes, *list) - (p->text + p->bytes)) + 1;
    for (; *arguments; arguments++, p->arguments++)
        p->bytes += (u64)(stpcpy(p->text + p->bytes, *arguments) - (p->text + p->bytes)) + 1;
    for (; *environment; environment++, p->environment++)
        p->bytes += (u64)(stpcpy(p->text + p->bytes, *environment) - (p->text + p->bytes)) + 1;
    return p;
}

static u64 aux(const u64 *vector, u64 type)
{
    for (; vector[0] != AT_NULL; vector += 2) {
        if (vector[0] == type)
            return vector[1];
    }
    fail_msg("no auxv entry %lu", type);
    return 0;
}

static void check(const char *path, const char *const *arguments, const char *const *environment)
{
    struct program *p = make(path, arguments, environment);
    u64 bytes = program_stack_bytes(p);
    u8 *image = aligned_alloc(4096, (bytes + 4095) & ~4095ul);
    struct program_start start = { .program = p, .top = (u64)image + bytes, .headers = 0x400040, .header_count = 9, .entry = 0x401234,
                                   .seed = { 11, 22 }, .uid = 1, .euid = 2, .gid = 3, .egid = 4, .secure = 1, .minsigstksz = 1776 };
    assert_int_equal(bytes % 16, 0);
    u64 sp = program_stack_build(&start, image);
    assert_ptr_equal((void *)sp, image);
    const u64 *word = (const u64 *)sp;
    assert_int_equal(*word++, p->arguments);
    assert_int_equal(start.arg_start, p->arguments ? *word : start.arg_end);
    for (; *arguments; arguments++)
        assert_string_equal((const char *)*word++, *arguments);
    assert_int_equal(*word++, 0);
    for (; *environment; environment++)
        assert_string_equal((const char *)*word++, *environment);
    assert_int_equal(*word++, 0);
    assert_string_equal((const char *)aux(word, AT_EXECFN), path);
    assert_string_equal((const char *)aux(word, AT_PLATFORM), "x86_64");
    assert_int_equal(aux(word, AT_RANDOM) % 16, 0);
    assert_memory_equal((const void *)aux(word, AT_RANDOM), start.seed, 16);
    assert_true(aux(word, AT_RANDOM) >= (u64)(word + 44));
    assert_int_equal(aux(word, AT_PHDR), 0x400040);
    assert_int_equal(aux(word, AT_PHENT), 56);
    assert_int_equal(aux(word, AT_PHNUM), 9);
    assert_int_equal(aux(word, AT_ENTRY), 0x401234);
    assert_int_equal(aux(word, AT_PAGESZ), 4096);
    assert_int_equal(aux(word, AT_EGID), 4);
    assert_int_equal(aux(word, AT_SECURE), 1);
    assert_int_equal(aux(word, AT_MINSIGSTKSZ), 1776);
    for (u32 i = 1; i <= 8; i++)
        assert_int_equal(((u8 *)start.top)[-(i64)i], 0);
    free(image);
    free(p);
}

static void stacks(void **state)
{
    (void)state;
    static const char *const none[] = { NULL }, *const two[] = { "sh", "-c", NULL }, *const odd[] = { "", "a", "bb", "", "ccccccc", NULL },
        *const env[] = { "PATH=/bin", "X=", NULL };
    const char *const *lists[] = { none, two, odd, env };
    const char *paths[] = { "/bin/sh", "x", "/proc/self/exe", "" };
    for (u32 i = 0; i < 4; i++) {
        for (u32 j = 0; j < 4; j++)
            check(paths[(i + j) % 4], lists[i], lists[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(stacks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
