/* SPDX-License-Identifier: BSD-2-Clause */
/* test_libl4.c: libl4's pure logic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <abi/error.h>
#include <abi/object.h>
#include <l4/cpio.h>
#include <l4/elf.h>
#include <l4/format.h>
#include <l4/slots.h>
#include <l4/string.h>

static const char *formatted(const char *format, ...)
{
    static char text[128];
    va_list list;
    va_start(list, format);
    l4_format_list(text, sizeof text, format, list);
    va_end(list);
    return text;
}

static void test_format(void **unused)
{
    assert_string_equal(formatted("%d %u %x %c%%", -5, 7u, 0xbeefu, 'z'), "-5 7 beef z%");
    assert_string_equal(formatted("%ld %lu %lx", INT64_MIN, ~0ul, ~0ul),
        "-9223372036854775808 18446744073709551615 ffffffffffffffff");
    assert_string_equal(
        formatted("[%5d|%-5d|%05d|%-4s|%4s]", 42, 42, -42, "ab", "ab"), "[   42|42   |-0042|ab  |  ab]");
    assert_string_equal(formatted("%.*s|%p|%zu", 3, "abcdef", (void *)0x10, (size_t)9), "abc|0x10|9");
    assert_string_equal(formatted("%e %e %e", L4_NO_RIGHT, 0, 77), "NO_RIGHT ok 77");
    assert_string_equal(formatted("%s", (const char *)NULL), "(null)");
    assert_string_equal(formatted("%y"), "%y");
    assert_string_equal(formatted("end %"), "end ");
}

static void test_format_cuts(void **unused)
{
    char text[8] = "-------";
    assert_int_equal(l4_format(text, 4, "%s", "abcdef"), 6);
    assert_string_equal(text, "abc");
    assert_int_equal(text[4], '-');
    assert_int_equal(l4_format(text, 0, "%d", 1234), 4);
    assert_int_equal(text[0], 'a');
    assert_int_equal(l4_format(NULL, 0, "x"), 1);
}

static void check_number(const char *text, bool good, u64 want)
{
    u64 number = 0;
    assert_int_equal(l4_parse_number(text, strlen(text), &number), good);
    if (good)
        assert_int_equal(number, want);
}

static void test_numbers(void **unused)
{
    check_number("0", true, 0);
    check_number("123456789", true, 123456789);
    check_number("0x1F", true, 31);
    check_number("64K", true, 65536);
    check_number("2M", true, 2 << 20);
    check_number("3G", true, 3ul << 30);
    check_number("18446744073709551615", true, ~0ul);
    check_number("18446744073709551616", false, 0);
    check_number("17179869184G", false, 0);
    static const char *const bad[] = { "", "K", "0x", "1x", "12 ", "-1", "1k", "0xg", "a" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_number(bad[i], false, 0);
}

static void test_slots(void **unused)
{
    u64 bits[2];
    struct l4_slots slots;
    bool seen[200] = { false };
    l4_slots_init(&slots, 100, 70, bits);
    for (u32 i = 0; i < 70; i++) {
        cap_t slot = l4_slots_take(&slots);
        assert_in_range(slot, 100, 169);
        assert_false(seen[slot]);
        seen[slot] = true;
    }
    assert_int_equal(l4_slots_take(&slots), 0);
    l4_slots_give(&slots, 169);
    l4_slots_give(&slots, 99);
    l4_slots_give(&slots, 170);
    assert_int_equal(l4_slots_take(&slots), 169);
    assert_int_equal(l4_slots_take(&slots), 0);
}

/* One member of cpio newc. */
static size_t put_member(char *to, size_t at, const char *name, const char *data, size_t bytes)
{
    size_t name_bytes = strlen(name) + 1;
    at += l4_format(to + at, 111, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1u, 0100644u, 0u, 0u,
        1u, 0u, (u32)bytes, 0u, 0u, 0u, 0u, (u32)name_bytes, 0u);
    memcpy(to + at, name, name_bytes);
    at = (at + name_bytes + 3) & ~3ul;
    memcpy(to + at, data, bytes);
    return (at + bytes + 3) & ~3ul;
}

static void test_cpio(void **unused)
{
    static char archive[1024];
    struct l4_cpio_member member;
    size_t end = put_member(archive, 0, "one", "first", 5);
    end = put_member(archive, end, "two", "the second", 10);
    end = put_member(archive, end, "TRAILER!!!", "", 0);
    assert_true(l4_cpio_find(archive, end, "two", &member));
    assert_int_equal(member.bytes, 10);
    assert_memory_equal(member.data, "the second", 10);
    assert_int_equal(member.mode, 0100644);
    assert_false(l4_cpio_find(archive, end, "three", &member));
    for (size_t cut = 0; cut < end; cut++) { /* cut anywhere it ends early; the sanitizer sees who reads on */
        char *part = malloc(cut ? cut : 1);
        memcpy(part, archive, cut);
        u32 members = 0;
        for (u64 at = 0; l4_cpio_next(part, cut, &at, &member);)
            members++;
        assert_in_range(members, 0, 2);
        free(part);
    }
    for (size_t i = 0; i < end; i++) { /* and so with any byte changed */
        char *copy = malloc(end);
        memcpy(copy, archive, end);
        copy[i] = (char)(copy[i] ^ 0x41);
        for (u64 at = 0; l4_cpio_next(copy, end, &at, &member);)
            assert_true((const char *)member.data + member.bytes <= copy + end);
        free(copy);
    }
}

/* An ELF file with a text segment, a writable one with zeroes behind, and an interpreter. */
static u64 *make_elf(u8 *file)
{
    static const u64 header[] = { 0x00010102464c457f, 0, 0x00000001003e0002, 0x401000, 64, 0, 0x0038004000000000,
        0x0000000000000003 };
    static const u64 segments[][7] = {
        { 1 | 5ul << 32, 0x1000, 0x401000, 0, 0x500, 0x500, 0x1000 },
        { 1 | 6ul << 32, 0x1500, 0x402500, 0, 0x100, 0x2000, 0x1000 },
        { 3 | 4ul << 32, 0x1000, 0x401000, 0, 8, 8, 1 },
    };
    memcpy(file, header, sizeof header);
    memcpy(file + 64, segments, sizeof segments);
    return (u64 *)(file + 64);
}

static void test_elf(void **unused)
{
    static u8 file[0x2000] __attribute__((aligned(8)));
    struct l4_elf elf;
    u64 *segment = make_elf(file);
    assert_int_equal(l4_elf_read(file, 512, sizeof file, &elf), L4_OK);
    assert_int_equal(elf.type, L4_ELF_FIXED);
    assert_int_equal(elf.entry, 0x401000);
    assert_int_equal(elf.segments, 2);
    assert_int_equal(elf.start, 0x401000);
    assert_int_equal(elf.end, 0x405000);
    assert_int_equal(elf.segment[0].rights, L4_R | L4_X);
    assert_int_equal(elf.segment[1].rights, L4_R | L4_W);
    assert_int_equal(elf.segment[1].bytes, 0x2000);
    assert_int_equal(elf.interpreter_bytes, 8);
    assert_int_equal(l4_elf_read(file, 63, sizeof file, &elf), L4_BAD_ARGUMENT);
    assert_int_equal(l4_elf_read(file, 100, sizeof file, &elf), L4_BAD_ARGUMENT);
    static const struct {
        u32 word;
        u64 value;
    } damage[] = {
        { 1, 0x3000 },
        { 1, ~0ul },
        { 2, 0x402001 },
        { 2, 0x7ffffffff000 },
        { 4, ~0ul },
        { 4, 0x600 },
        { 5, ~0ul },
        { 2, 0x403000 },
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        make_elf(file);
        segment[damage[i].word] = damage[i].value;
        assert_int_equal(l4_elf_read(file, 512, sizeof file, &elf), L4_BAD_ARGUMENT);
    }
}

/* Whatever the bytes are, what is accepted lies inside the file and the user's half. */
static void test_elf_random(void **unused)
{
    static u8 file[0x2000] __attribute__((aligned(8)));
    u64 state = 88172645463325252ul;
    struct l4_elf elf;
    for (u32 round = 0; round < 200000; round++) {
        make_elf(file);
        for (u32 i = 0; i < 1 + round % 3; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            file[state % 232] = (u8)(state >> 32);
        }
        if (l4_elf_read(file, 512, sizeof file, &elf) != L4_OK)
            continue;
        assert_in_range(elf.segments, 1, L4_ELF_SEGMENTS);
        for (u32 i = 0; i < elf.segments; i++) {
            const struct l4_elf_segment *s = &elf.segment[i];
            assert_true(s->file_offset + s->file_bytes <= sizeof file && s->file_bytes <= s->bytes);
            assert_true(s->at < L4_USER_END && s->at + s->bytes <= L4_USER_END);
            assert_true(i == 0 || s->at >= s[-1].at + s[-1].bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_format_cuts),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_cpio),
        cmocka_unit_test(test_elf),
        cmocka_unit_test(test_elf_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
