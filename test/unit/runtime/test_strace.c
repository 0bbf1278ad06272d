/* SPDX-License-Identifier: BSD-2-Clause */
/* test_strace.c: lines of --strace. */
#include "strace.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void expect(const char *line, u64 number, i64 result, u64 a, u64 b, u64 c, u64 d)
{
    char text[STRACE_LINE + 1];
    u64 args[6] = { a, b, c, d, 0, 0 };
    u32 length = strace_call(text, STRACE_LINE, number, args, result);
    length += strace_result(text + length, STRACE_LINE - length, call_find(number), result);
    text[length] = 0;
    assert_string_equal(text, line);
}

static void lines(void **state)
{
    (void)state;
    expect("write(1, \"hi\\n\", 3) = 3", 1, 3, 1, (u64)"hi\n", 3, 0);
    expect("read(0, \"a\\\"b\\\\\\0\", 4096) = 5", 0, 5, 0, (u64)"a\"b\\", 4096, 0);
    expect("read(0, 0x10, 5) = -1 EBADF", 0, -EBADF, 0, 16, 5, 0);
    expect("read(0, NULL, 0) = ? ERESTARTSYS", 0, -EINTERRUPTED, 0, 0, 0, 0);
    expect("openat(AT_FDCWD, \"/etc/passwd\", O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = -1 EACCES", 257, -EACCES, (u64)-100,
           (u64)"/etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    expect("mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, 0, 0x0) = 0x7f7ffffde000", 9, 0x7f7ffffde000, 0, 4096, 3, 0x22);
    expect("kill(-1, SIGTERM) = 0", 62, 0, (u64)-1, 15, 0, 0);
    expect("syscall_334(0x1, 0x2, 0x3, 0x4, 0x0, 0x0) = -1 ENOSYS", 334, -ENOSYS, 1, 2, 3, 4);
    expect("getpid() = 17", 39, 17, 0, 0, 0, 0);
}

/* Nothing is written behind the room, whatever the arguments. */
static void bounded(void **state)
{
    char text[64], many[200];
    (void)state;
    memset(many, 'x', sizeof many);
    many[199] = 0;
    u64 args[6] = { (u64)-100, (u64)many, ~0ul, ~0ul, ~0ul, ~0ul };
    for (u32 room = 0; room < 60; room++) {
        memset(text, '#', sizeof text);
        u32 length = strace_call(text, room, 257, args, 0);
        assert_true(length <= room);
        for (u32 i = room; i < sizeof text; i++)
            assert_int_equal(text[i], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lines), cmocka_unit_test(bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
