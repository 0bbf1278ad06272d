/* SPDX-License-Identifier: BSD-2-Clause */
/* archive.c: finds members of the boot archive: cpio newc, data page aligned (tools/axo/archive.py packs it).
 * Header: "070701", then 13 fields of 8 hexadecimal digits; name and data padded to 4 bytes. */
#include "loader.h"

enum { HEADER = 110, FIELD_SIZE = 6, FIELD_NAME_SIZE = 11 };
#define PACK "; pack it with tools/axo/archive.py, kernel, sigma0 and keeper first"

static u64 field(const u8 *header, u32 index)
{
    u64 value = 0;
    for (const u8 *digit = header + 6 + 8 * index, *end = digit + 8; digit < end; digit++) {
        u8 low = *digit | 0x20;
        if (*digit >= '0' && *digit <= '9')
            value = value << 4 | (*digit - '0');
        else if (low >= 'a' && low <= 'f')
            value = value << 4 | (low - 'a' + 10u);
        else
            fail("the boot archive has a broken cpio header", PACK, NULL);
    }
    return value;
}

/* The member whose header is `at` bytes into the archive; moves `at` to the next header. */
static struct member member_at(const struct start *start, u64 *at)
{
    const u8 *header = (const u8 *)start->archive + *at;
    u64 left = start->archive_bytes - *at;
    if (left < HEADER || memcmp(header, "070701", 6))
        fail("the boot archive is no cpio archive of the newc form, or is cut short", PACK, NULL);
    u64 name_bytes = field(header, FIELD_NAME_SIZE), bytes = field(header, FIELD_SIZE);
    u64 data = round_up(*at + HEADER + name_bytes, 4);
    if (!name_bytes || HEADER + name_bytes > left || header[HEADER + name_bytes - 1]
        || data > start->archive_bytes || bytes > start->archive_bytes - data)
        fail("a member of the boot archive ends behind the archive: it is cut short", PACK, NULL);
    *at = round_up(data + bytes, 4);
    return (struct member){ (const char *)header + HEADER, (const u8 *)start->archive + data, bytes };
}

struct member archive_member(const struct start *start, u32 index, const char *name)
{
    struct member found;
    u64 at = 0;
    for (u32 i = 0; i <= index; i++) {
        found = member_at(start, &at);
        if (!memcmp(found.name, "TRAILER!!!", 11))
            fail("the boot archive has no member `", name, "`", PACK, NULL);
    }
    if (strlen(found.name) != strlen(name) || memcmp(found.name, name, strlen(name)))
        fail("the boot archive has `", found.name, "` where `", name, "` belongs", PACK, NULL);
    if ((u64)found.data % L4_PAGE_SIZE)
        fail("the data of `", name, "` in the boot archive is not page aligned", PACK, NULL);
    return found;
}
