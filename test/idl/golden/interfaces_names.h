/* interfaces_names.h: names of all methods, for traces and refusals. Made by idlc. Do not edit. */
#pragma once
#include <abi/types.h>

struct l4_method_name {
    u32 what;               /* bits 0-31 of a request's tag */
    const char *interface;
    const char *method;
};

/* Sorted by `what`; the last has no names. */
extern const struct l4_method_name l4_method_names[];
