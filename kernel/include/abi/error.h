/* SPDX-License-Identifier: BSD-2-Clause */
/* error.h: the system's errors as constants, from the one list error.def. */
#pragma once

enum l4_error {
    L4_OK = 0,
#define E(name, number, sentence) L4_##name = number,
#include <abi/error.def>
#undef E
};
