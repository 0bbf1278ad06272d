/* SPDX-License-Identifier: BSD-2-Clause */
/* rules.c: the policy that policyd_kill.c sends messages to: the caller of index 0 is `vfs`. */
#include <fs.h>
#include <policy/rules.h>

static const struct policy_rule rules[] = {
    { 0x22014, 0xffffffff, 0, 0, FS_ACCESS, 2, "refuse write vfs access" },
    { 0x22003, 0xffffffff, 0, 0, 0, 3, "pass read vfs" },
    { 0x22016, 0xffffffff, 0, 0xffff, L4_REFUSED, 4, "refuse fs.link *" },
    { 0x22014, 0xffffffff, 0, 0xffff, FS_PERM, 5, "refuse write * perm" },
    { 0, 0, 0, 0xffff, 0, 6, "pass * *" },
};

const struct policy policy = { 0x1234567, "tmpfs", 5, rules };
