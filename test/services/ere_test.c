/* SPDX-License-Identifier: BSD-2-Clause */
/* ere_test.c: the matcher of ds against cases by hand and, for random expressions, against the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ere.h"

static int matches(const char *expression, const char *text)
{
    struct ere ere;
    if (!ere_compile(&ere, (const u8 *)expression, (u32)strlen(expression))) {
        return -1;
    }
    return ere_match(&ere, (const u8 *)text, (u32)strlen(text));
}

static void by_hand(void **state)
{
    static const struct { const char *expression, *text; int want; } cases[] = {
        { "", "", 1 }, { "", "a", 0 }, { "abc", "abc", 1 }, { "abc", "abcd", 0 }, { "abc", "xabc", 0 },
        { "a*", "", 1 }, { "a*", "aaa", 1 }, { "a+", "", 0 }, { "a?b", "b", 1 }, { "a|b|", "", 1 }, { "(ab)+c", "ababc", 1 },
        { "a{2}", "aa", 1 }, { "a{2}", "aaa", 0 }, { "a{2,}", "aaaa", 1 }, { "a{1,3}", "aaaa", 0 }, { "(a|b){2,3}", "bab", 1 },
        { "a{0}", "", 1 }, { "a{0,1}b", "b", 1 }, { "(a{2}){2}", "aaaa", 1 }, { "a{0}", "a", 0 },
        { "[a-c]x", "bx", 1 }, { "[^a-c]x", "bx", 0 }, { "[]a]", "]", 1 }, { "[a-]", "-", 1 }, { "[[:digit:]]+", "0815", 1 },
        { "[^[:space:]]", " ", 0 }, { "\\.", ".", 1 }, { "\\.", "x", 0 }, { ".", "\xff", 1 }, { "^a$", "a", 1 }, { "a\\$", "a$", 1 },
        { "eth\\.[0-9]+\\..*", "eth.0.up", 1 }, { "(driver|net)/.*", "driver/serial", 1 },
        { "a{3,2}", "", -1 }, { "*a", "", -1 }, { "(a", "", -1 }, { "a)", "", -1 }, { "[a", "", -1 }, { "a{", "", -1 }, { "\\", "", -1 },
        { "[z-a]", "", -1 }, { "[[:no:]]", "", -1 }, { "a{65}", "", -1 }, { "(a{8}){9}", "", -1 }, { "a{1", "", -1 },
        { "((((((((((((((((((a))))))))))))))))))", "", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (matches(cases[i].expression, cases[i].text) != cases[i].want) {
            fail_msg("`%s` and `%s`: not %d", cases[i].expression, cases[i].text, cases[i].want);
        }
    }
}

static char *put(char *to, const char *text) { return to + sprintf(to, "%s", text); }

static char *random_expression(char *to, int depth)
{
    static const char *const atoms[] = { "a", "b", ".", "[ab]", "[^a]", "c" }, *const tails[] = { "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}" };
    for (int n = 1 + rand() % 2; n > 0; n--) {
        if (depth && rand() % 3 == 0) {
            to = put(to, "(");
            to = random_expression(to, depth - 1);
            to = put(to, rand() % 2 ? "|" : "");
            to = random_expression(to, depth - 1);
            to = put(to, ")");
        } else {
            to = put(to, atoms[rand() % 6]);
        }
        to = put(to, tails[rand() % 8]);
    }
    return to;
}

static void like_the_library(void **state)
{
    int compared = 0;
    srand(1);
    for (int i = 0; i < 2000; i++) {
        char expression[512], anchored[520];
        regex_t regex;
        struct ere ere;
        random_expression(expression, 2);
        snprintf(anchored, sizeof anchored, "^(%s)$", expression);
        if (!ere_compile(&ere, (const u8 *)expression, (u32)strlen(expression)) || regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB)) {
            continue;
        }
        for (int j = 0; j < 20; j++) {
            char text[9] = "";
            for (int k = rand() % 8; k > 0; k--) {
                strcat(text, (const char *[]){ "a", "b", "c" }[rand() % 3]);
            }
            bool want = regexec(&regex, text, 0, NULL, 0) == 0;
            if (ere_match(&ere, (const u8 *)text, (u32)strlen(text)) != want) {
                fail_msg("`%s` and `%s`: the library says %d", expression, text, want);
            }
            compared++;
        }
        regfree(&regex);
    }
    assert_true(compared > 10000);
}

/* Any bytes are compiled or refused, and nothing is touched that should not be. */
static void junk(void **state)
{
    static const char letters[] = "ab()[]{}|*+?\\^$.,:-019[:digit:]";
    for (int i = 0; i < 100000; i++) {
        u8 text[24];
        struct ere ere;
        u32 length = (u32)rand() % sizeof text;
        for (u32 k = 0; k < length; k++) {
            text[k] = (u8)letters[(size_t)rand() % (sizeof letters - 1)];
        }
        if (ere_compile(&ere, text, length)) {
            ere_match(&ere, text, length);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand), cmocka_unit_test(like_the_library), cmocka_unit_test(junk) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
