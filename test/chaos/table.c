/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c: the one table of system calls of personality/runtime, as chaos needs it. */
#include "chaos.h"

#define CALL(number, name, handler, arguments, restart, recovery) { number, #name, arguments },
const struct entry entries[] = {
#include "../../personality/runtime/calls.def"
};
#undef CALL
const u32 entry_count = sizeof entries / sizeof entries[0];

const char *name_of(u64 number)
{
    for (u32 i = 0; i < entry_count; i++) {
        if (entries[i].number == number) {
            return entries[i].name;
        }
    }
    return "?";
}
