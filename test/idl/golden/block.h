/* block.h: Sector-addressed storage: one capability is one client's session with one device.
 * Made by idlc from block.idl:2. Do not edit. Results are undefined when a function does not return L4_OK. */
#pragma once
#include <abi/fpage.h>
#include <l4/call.h>
#include <l4/session.h>

enum { BLOCK_PROTOCOL = 0x1501, BLOCK_VERSION = 2 };

enum block_error {
    BLOCK_OUT_OF_RANGE = 1,  /* sector + count runs past the end of the device */
    BLOCK_MEDIUM_ERROR = 2,  /* the device gave up on a sector */
};

/* Bits of the session's event word. */
enum block_event {
    BLOCK_EVENT_MEDIA_CHANGED = 0,
};

struct block_geometry {
    u64 sectors;
    u32 sector_bytes;
};
_Static_assert(sizeof(struct block_geometry) == 16, "block.idl:5");

/* Bits 0-31 of a request's tag. */
enum block_method {
    BLOCK_METHOD_GET_GEOMETRY = 0x150101,
    BLOCK_METHOD_ATTACH = 0x150102,
    BLOCK_METHOD_READ = 0x150103,
    BLOCK_METHOD_WRITE = 0x150104,
};

/* block.idl:7, retry. */
static inline l4_err_t block_get_geometry(cap_t block, struct block_geometry *geo)
{
    u64 w0 = 0, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(BLOCK_METHOD_GET_GEOMETRY, 0, 0);
    l4_call(block, &tag, 0, &w0, &w1, &w2, &w3);
    u64 geo_words[2] = { w0, w1 };
    __builtin_memcpy(geo, geo_words, 16);
    return l4_tag_status(tag);
}

/* Lend pages for DMA under a name that the client picks, so that a replay restores it exactly.
 * block.idl:9, replay. */
static inline l4_err_t block_attach(cap_t block, u8 slot, u64 pages)
{
    struct l4_utcb *utcb = l4_utcb();
    utcb->item[0] = (struct l4_item){ (pages & ~15ul) | (L4_R | L4_W), 0 };
    u64 w0 = slot, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(BLOCK_METHOD_ATTACH, 1, 1);
    l4_call(block, &tag, 1, &w0, &w1, &w2, &w3);
    return l4_tag_status(tag);
}

/* block.idl:10, retry. */
static inline l4_err_t block_read(cap_t block, u64 sector, u32 count, u8 slot, u64 at, u32 *done)
{
    u64 w0 = sector, w1 = count, w2 = slot, w3 = at;
    u64 tag = l4_tag(BLOCK_METHOD_READ, 4, 0);
    l4_call(block, &tag, 4, &w0, &w1, &w2, &w3);
    *done = (u32)w0;
    return l4_tag_status(tag);
}

/* block.idl:11, retry, needs W. */
static inline l4_err_t block_write(cap_t block, u64 sector, u32 count, u8 slot, u64 at, u32 *done)
{
    u64 w0 = sector, w1 = count, w2 = slot, w3 = at;
    u64 tag = l4_tag(BLOCK_METHOD_WRITE, 4, 0);
    l4_call(block, &tag, 4, &w0, &w1, &w2, &w3);
    *done = (u32)w0;
    return l4_tag_status(tag);
}
