/* SPDX-License-Identifier: BSD-2-Clause */
/* cpio.h: reading the boot archive: cpio newc, file data page aligned by a padded name. Members are looked at in place.
 * Everything in the archive is checked against its size: a damaged one ends early, it is never read past. */
#pragma once
#include <abi/types.h>

struct l4_cpio_member {
    const char *name; /* zero terminated, in the archive */
    const void *data;
    u64 bytes;
    u32 mode;
};

/* The member at `*at` (0 at first), which moves on; false at the end. */
bool l4_cpio_next(const void *archive, u64 bytes, u64 *at, struct l4_cpio_member *member);
bool l4_cpio_find(const void *archive, u64 bytes, const char *name, struct l4_cpio_member *member);
