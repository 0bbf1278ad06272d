/* SPDX-License-Identifier: BSD-2-Clause */
/* cpio.c: the boot archive, read in place. Format: cpio(5), "new ASCII": a header of "070701" and 13 fields of 8
 * hexadecimal digits,
 * the name, then the data, both padded to 4 bytes. */
#include <l4/cpio.h>
#include <l4/string.h>

enum { HEADER = 110, FIELD_MODE = 1, FIELD_BYTES = 6, FIELD_NAME_BYTES = 11 };

static bool read_field(const char *header, u32 field, u64 *value)
{
    *value = 0;
    for (u32 i = 0; i < 8; i++) {
        char c = header[6 + field * 8 + i];
        u32 digit = c >= '0' && c <= '9'   ? (u32)(c - '0')
                    : c >= 'a' && c <= 'f' ? (u32)(c - 'a' + 10)
                    : c >= 'A' && c <= 'F' ? (u32)(c - 'A' + 10)
                                           : 16;
        if (digit == 16)
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

static u64 padded(u64 bytes) { return (bytes + 3) & ~3ul; }

bool l4_cpio_next(const void *archive, u64 bytes, u64 *at, struct l4_cpio_member *member)
{
    const char *header = (const char *)archive + *at;
    u64 mode, data_bytes, name_bytes;
    if (*at > bytes || bytes - *at < HEADER || memcmp(header, "070701", 6) != 0)
        return false;
    if (!read_field(header, FIELD_MODE, &mode) || !read_field(header, FIELD_BYTES, &data_bytes) ||
        !read_field(header, FIELD_NAME_BYTES, &name_bytes))
        return false;
    u64 data = padded(*at + HEADER + name_bytes);
    if (name_bytes == 0 || data > bytes || bytes - data < data_bytes || header[HEADER + name_bytes - 1] != 0)
        return false;
    *member = (struct l4_cpio_member){ header + HEADER, (const char *)archive + data, data_bytes, (u32)mode };
    *at = padded(data + data_bytes);
    return strcmp(member->name, "TRAILER!!!") != 0;
}

bool l4_cpio_find(const void *archive, u64 bytes, const char *name, struct l4_cpio_member *member)
{
    for (u64 at = 0; l4_cpio_next(archive, bytes, &at, member);) {
        if (strcmp(member->name, name) == 0)
            return true;
    }
    return false;
}
