/* SPDX-License-Identifier: BSD-2-Clause */
/* module.c: where a member of the boot archive lies. The archive is read in place; objects that were adopted from it may have changed
 * what follows in their pages, so only members before the first adopted one, and that one, are sure to be found. */
#include "look.h"

#include "page.h"

#include <l4/cpio.h>
#include <l4/string.h>

l4_err_t vm_module_do(u64 label, struct l4_bytes name, u64 *offset, u64 *bytes)
{
    const struct frames_page *page = frames_page();
    const u8 *archive = frame_content((u32)(page->archive >> L4_PAGE_SHIFT));
    struct l4_cpio_member member;
    for (u64 at = 0; l4_cpio_next(archive, page->archive_bytes, &at, &member);) {
        if (strlen(member.name) == name.length && memcmp(member.name, name.at, name.length) == 0) {
            *offset = (u64)((const u8 *)member.data - archive);
            *bytes = member.bytes;
            return L4_OK;
        }
    }
    *offset = *bytes = 0;
    return L4_OK;
}
