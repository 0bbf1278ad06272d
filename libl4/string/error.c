/* SPDX-License-Identifier: BSD-2-Clause */
/* error.c: errors by name, from the one list of the system. */
#include <abi/error.h>
#include <l4/format.h>

static const struct {
    l4_err_t number;
    char name[20];
    const char *sentence;
} errors[] = {
    { 0, "ok", "done" },
#define E(name, number, sentence) { number, #name, sentence },
#include <abi/error.def>
#undef E
};

const char *l4_error_name(l4_err_t err)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].number == err)
            return errors[i].name;
    }
    return NULL;
}

const char *l4_error_sentence(l4_err_t err)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].number == err)
            return errors[i].sentence;
    }
    return NULL;
}
