/* SPDX-License-Identifier: BSD-2-Clause */
/* test_elf.c: ELF headers and script lines, good and corrupt. */
#include "elf.h"
#include "../linux/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define END 0x7f8000000000ul

static struct image {
    struct elf_header h;
    struct elf_segment s[3];
    u8 rest[512];
} good = {
    .h = { .ident = "\177ELF\2\1\1", .type = ET_EXEC, .machine = EM_X86_64, .version = 1, .entry = 0x401000, .phoff = 64, .ehsize = 64,
           .phentsize = 56, .phnum = 3 },
    .s = { { .type = PT_LOAD, .flags = PF_R | PF_X, .offset = 0, .vaddr = 0x400000, .filesz = 0x1234, .memsz = 0x1234, .align = 4096 },
           { .type = PT_LOAD, .flags = PF_R | PF_W, .offset = 0x1e00, .vaddr = 0x403e00, .filesz = 0x300, .memsz = 0x2000, .align = 4096 },
           { .type = PT_GNU_STACK, .flags = PF_R | PF_W } },
};

static i64 read_image(const struct image *image, struct elf_plan *plan) { return elf_read(image, sizeof *image, END, plan); }

static void a_static_program(void **state)
{
    struct elf_plan plan;
    (void)state;
    assert_int_equal(read_image(&good, &plan), 0);
    assert_int_equal(plan.loads, 2);
    assert_false(plan.relocatable || plan.interpreted);
    assert_int_equal(plan.low, 0x400000);
    assert_int_equal(plan.end, 0x405e00);
    assert_int_equal(plan.high, 0x406000);
    assert_int_equal(plan.headers, 0x400040);
    assert_int_equal(plan.entry, 0x401000);
}

#define CORRUPT(field, value, error) do {                                       \
        struct image bad = good;                                                \
        struct elf_plan plan;                                                   \
        bad.field = (value);                                                    \
        assert_int_equal(read_image(&bad, &plan), -(error));                    \
    } while (0)

static void corrupt_headers(void **state)
{
    (void)state;
    CORRUPT(h.ident[0], 'X', ENOEXEC);
    CORRUPT(h.type, 1, ENOEXEC);
    CORRUPT(h.type, 4, ENOEXEC);
    CORRUPT(h.machine, 3, ENOEXEC);
    CORRUPT(h.phentsize, 32, ENOEXEC);
    CORRUPT(h.phnum, 0, ENOEXEC);
    CORRUPT(h.phnum, 65535, ENOEXEC);
    CORRUPT(h.phoff, ~0ul, ENOEXEC);
    CORRUPT(s[0].memsz, 0x1000, EINVAL);
    CORRUPT(s[0].memsz, ~0ul, EINVAL);
    CORRUPT(s[1].vaddr, END - 0x1000, EINVAL);
    CORRUPT(s[1].vaddr, 0x403e01, EINVAL);
    CORRUPT(s[1].offset, ~0ul - 0x1ff, EINVAL);
    assert_int_equal(elf_check(&good, 63), -ENOEXEC);
    assert_int_equal(elf_check(&good, 0), -ENOEXEC);
    assert_int_equal(elf_check(&good, 64 + 2 * 56), -ENOEXEC);
}

/* No byte of a header makes the reader look outside of the file (AddressSanitizer watches) or accept a range beyond the end. */
static void any_corruption(void **state)
{
    (void)state;
    srand(1);
    for (u32 round = 0; round < 200000; round++) {
        struct image *bad = malloc(sizeof good);
        struct elf_plan plan;
        memcpy(bad, &good, sizeof good);
        for (u32 n = rand() % 4 + 1u; n; n--)
            ((u8 *)bad)[(u32)rand() % (64 + 3 * 56)] = (u8)(rand() % 3 ? rand() : 0xff);
        if (read_image(bad, &plan) == 0) {
            assert_true(plan.high <= END && plan.low < plan.high);
            for (u32 i = 0; i < plan.loads; i++)
                assert_true(plan.load[i].filesz <= plan.load[i].memsz);
        }
        free(bad);
    }
}

static void a_real_position_independent_one(void **state)
{
    static _Alignas(8) u8 first[16384];
    struct elf_plan plan;
    (void)state;
    extern u64 host_read_self(u8 *, u64);
    u64 bytes = host_read_self(first, sizeof first);
    assert_int_equal(elf_read(first, bytes, END, &plan), 0);
    assert_true(plan.loads >= 2);
    assert_true(plan.interpreted);
}

static void check_script(const char *text, const char *interpreter, const char *argument)
{
    struct elf_script script = { 0 };
    bool is_script, ok = elf_script(text, strlen(text), &is_script, &script);
    assert_int_equal(ok, interpreter != NULL);
    if (!interpreter)
        return;
    assert_true(is_script);
    assert_int_equal(script.interpreter_bytes, strlen(interpreter));
    assert_memory_equal(script.interpreter, interpreter, script.interpreter_bytes);
    if (!argument) {
        assert_null(script.argument);
        return;
    }
    assert_int_equal(script.argument_bytes, strlen(argument));
    assert_memory_equal(script.argument, argument, script.argument_bytes);
}

static void scripts(void **state)
{
    (void)state;
    check_script("#!/bin/sh\necho", "/bin/sh", NULL);
    check_script("#! /bin/sh\n", "/bin/sh", NULL);
    check_script("#!/bin/sh", "/bin/sh", NULL);
    check_script("#!\t/usr/bin/env  python3 -u \t\nx", "/usr/bin/env", "python3 -u");
    check_script("#!/bin/sh -e\n", "/bin/sh", "-e");
    check_script("#!\n", NULL, NULL);
    check_script("#!   ", NULL, NULL);
    check_script("#", NULL, NULL);
    check_script("echo\n", NULL, NULL);
    char cut[400];
    memset(cut, 'a', sizeof cut - 1);
    cut[sizeof cut - 1] = 0;
    memcpy(cut, "#!/", 3);
    check_script(cut, NULL, NULL);
    cut[10] = ' ';
    cut[5] = 0;
    check_script(cut, "/aa", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_static_program), cmocka_unit_test(corrupt_headers), cmocka_unit_test(any_corruption),
        cmocka_unit_test(a_real_position_independent_one), cmocka_unit_test(scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
