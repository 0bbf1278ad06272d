/* SPDX-License-Identifier: BSD-2-Clause */
/* limit.c: see limit.h. Sizes are counted when something is asked for, and only for who has a limit. */
#include "limit.h"

#include "fault.h"
#include "fill.h"

#define PAGES_MOST (~0ul >> L4_PAGE_SHIFT)

enum kind { KIND_ANY, KIND_DATA, KIND_NO_DATA };

static u64 min(u64 a, u64 b) { return a < b ? a : b; }
static u64 max(u64 a, u64 b) { return a > b ? a : b; }

static bool is_kind(const struct region *r, enum kind kind)
{
    bool data = is_data(r->protection, r->how);
    return kind == KIND_ANY || (kind == KIND_DATA ? data : !data && is_data(VM_W, r->how));
}

/* Pages of that kind in [address, end). */
static u64 pages_in(const struct space *space, u64 address, u64 end, enum kind kind)
{
    u64 bytes = 0;
    for (const struct region *r = region_from(space, address); r && r->address < end; r = region_next(r)) {
        u64 part = min(region_end(r), end) - max(r->address, address);
        bytes += !is_kind(r, kind) ? 0 : r->how & VM_STACK ? min(part, STACK_COUNTED) : part;
    }
    return bytes >> L4_PAGE_SHIFT;
}

/* Outside of [address, end). */
static u64 pages_beside(const struct space *space, u64 address, u64 end, enum kind kind)
{
    return pages_in(space, 0, VM_ADDRESS_END, kind) - pages_in(space, address, end, kind);
}

bool limit_allows(const struct process *p, const struct space *space, u64 at, u64 bytes, bool data)
{
    u64 more = bytes >> L4_PAGE_SHIFT, end = at + bytes;
    if (space != space_at(p->program)) {
        return true;
    }
    if (p->spare_space && pages_beside(space, at, end, KIND_ANY) + more > PAGES_MOST - p->spare_space) {
        return false;
    }
    return !data || !p->spare_data || pages_beside(space, at, end, KIND_DATA) + more <= PAGES_MOST - p->spare_data;
}

bool limit_allows_writing(const struct process *p, const struct space *space, u64 address, u64 end)
{
    if (space != space_at(p->program) || !p->spare_data) {
        return true;
    }
    u64 more = pages_in(space, address, end, KIND_NO_DATA);
    return !more || pages_in(space, 0, VM_ADDRESS_END, KIND_DATA) + more <= PAGES_MOST - p->spare_data;
}

l4_err_t vm_limit_do(struct vmd_tx tx, u64 label, u64 client, u64 space, u64 data)
{
    const struct process *p = process_find(client);
    fill_begin();
    if (!p) {
        return VM_PERM;
    }
    process_set_spare_space(tx, p, PAGES_MOST - (space >> L4_PAGE_SHIFT));
    process_set_spare_data(tx, p, PAGES_MOST - (data >> L4_PAGE_SHIFT));
    return L4_OK;
}
