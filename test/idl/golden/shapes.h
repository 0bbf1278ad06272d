/* shapes.h: Every shape of parameter that a message knows.
 * Made by idlc from shapes.idl:2. Do not edit. Results are undefined when a function does not return L4_OK. */
#pragma once
#include <abi/fpage.h>
#include <l4/call.h>
#include <l4/session.h>

enum { SHAPES_PROTOCOL = 0x1001, SHAPES_VERSION = 1 };

enum shapes_colour {
    SHAPES_RED = 0,
    SHAPES_GREEN = 1,
    SHAPES_BLUE = 2,
};

enum shapes_sparse {
    SHAPES_ONE = 1,
    SHAPES_NINE = 9,
};

struct shapes_point {
    i32 x;
    i32 y;
    u8 layer;
};
_Static_assert(sizeof(struct shapes_point) == 12, "shapes.idl:5");

struct shapes_frame {
    struct shapes_point corner[2];
    char title[12];
    u64 area;
};
_Static_assert(sizeof(struct shapes_frame) == 48, "shapes.idl:6");

/* Bits 0-31 of a request's tag. */
enum shapes_method {
    SHAPES_METHOD_SCALARS = 0x100101,
    SHAPES_METHOD_STRUCTS = 0x100102,
    SHAPES_METHOD_TAILS = 0x100103,
    SHAPES_METHOD_WINDOWS = 0x100104,
    SHAPES_METHOD_ITEMS = 0x100105,
    SHAPES_METHOD_NAMES = 0x100106,
};

/* Narrow, signed and named numbers.
 * shapes.idl:9, retry. */
static inline l4_err_t shapes_scalars(cap_t shapes, i8 small, i32 middle, bool on, enum shapes_colour paint,
                                      enum shapes_sparse rare, i16 *sum, bool *any, enum shapes_colour *other)
{
    u64 *mr = l4_utcb()->mr;
    mr[4] = rare;
    u64 w0 = (u64)(i64)small, w1 = (u64)(i64)middle, w2 = on, w3 = paint;
    u64 tag = l4_tag(SHAPES_METHOD_SCALARS, 5, 0);
    l4_call(shapes, &tag, 4, &w0, &w1, &w2, &w3);
    *sum = (i16)w0;
    *any = (bool)w1;
    *other = (enum shapes_colour)w2;
    return l4_tag_status(tag);
}

/* A struct over the register boundary, and a tail behind it.
 * shapes.idl:11, retry. */
static inline l4_err_t shapes_structs(cap_t shapes, u64 a, u64 b, const struct shapes_frame *shape,
                                      struct l4_bytes name, u64 *a_out, u64 *b_out, u64 *c_out,
                                      struct shapes_frame *grown)
{
    if (name.length > 20)
        return L4_BAD_MESSAGE;
    u64 *mr = l4_utcb()->mr;
    u64 shape_words[2];
    __builtin_memcpy(shape_words, shape, 16);
    l4_put_bytes(&mr[4], (const u8 *)shape + 16, 32);
    mr[8] = name.length;
    l4_put_bytes(&mr[9], name.at, name.length);
    u64 w0 = a, w1 = b, w2 = shape_words[0], w3 = shape_words[1];
    u64 tag = l4_tag(SHAPES_METHOD_STRUCTS, 9 + l4_words(name.length), 0);
    l4_call(shapes, &tag, 4, &w0, &w1, &w2, &w3);
    *a_out = (u64)w0;
    *b_out = (u64)w1;
    *c_out = (u64)w2;
    u64 grown_words[1] = { w3 };
    __builtin_memcpy(grown, grown_words, 8);
    __builtin_memcpy((u8 *)grown + 8, &mr[4], 40);
    return l4_tag_status(tag);
}

/* Tails: the first one reserved, the last one as long as it is.
 * shapes.idl:13, retry. */
static inline l4_err_t shapes_tails(cap_t shapes, struct l4_bytes first, struct l4_bytes second, const u16 *third,
                                    u32 third_count, const u32 **ids, u32 *ids_count, struct l4_bytes *text)
{
    if (first.length > 10 || second.length > 30 || third_count > 8)
        return L4_BAD_MESSAGE;
    u64 *mr = l4_utcb()->mr;
    l4_put_reserved(&mr[4], 2, first.at, first.length);
    l4_put_reserved(&mr[6], 4, second.at, second.length);
    l4_put_bytes(&mr[10], third, 2ul * third_count);
    u64 w0 = first.length, w1 = second.length, w2 = third_count, w3 = 0;
    u64 tag = l4_tag(SHAPES_METHOD_TAILS, 10 + l4_words(2ul * third_count), 0);
    l4_call(shapes, &tag, 4, &w0, &w1, &w2, &w3);
    if (l4_tag_status(tag) != L4_OK)
        return l4_tag_status(tag);
    if (w0 > 6)
        return L4_BAD_MESSAGE;
    *ids = (const u32 *)&mr[4];
    *ids_count = (u32)w0;
    if (w1 > 9)
        return L4_BAD_MESSAGE;
    *text = (struct l4_bytes){ (const u8 *)&mr[7], (u32)w1 };
    return l4_tag_status(tag);
}

/* Window parts never overlap.
 * shapes.idl:15, once. */
static inline l4_err_t shapes_windows(struct l4_session *s, struct l4_bytes data, u32 offset, const u64 *table,
                                      u32 table_count, struct l4_bytes *answer)
{
    if (data.length > 100 || table_count > 16)
        return L4_BAD_MESSAGE;
    u64 number = l4_number(s);
    __builtin_memcpy(s->window, data.at, data.length);
    __builtin_memcpy(s->window + 104, table, 8ul * table_count);
    u64 w0 = data.length, w1 = offset, w2 = table_count, w3 = 0;
    u64 tag = l4_tag(SHAPES_METHOD_WINDOWS, 3, 0);
    l4_call_numbered(s->gate, &tag, number, 3, &w0, &w1, &w2, &w3);
    if (l4_tag_status(tag) != L4_OK)
        return l4_tag_status(tag);
    if (w0 > 50)
        return L4_BAD_MESSAGE;
    *answer = (struct l4_bytes){ s->window + 232, (u32)w0 };
    return l4_tag_status(tag);
}

/* Authority there and back.
 * shapes.idl:17, retry. */
static inline l4_err_t shapes_items(cap_t shapes, cap_t other, u64 pages, u64 ports, cap_t fresh, u64 view)
{
    struct l4_utcb *utcb = l4_utcb();
    utcb->item[0] = (struct l4_item){ l4_fpage_caps(other, 0), L4_R | L4_W };
    utcb->item[1] = (struct l4_item){ (pages & ~15ul) | (L4_R | L4_W), L4_ITEM_GRANT };
    utcb->item[2] = (struct l4_item){ ports, 0 };
    u64 fresh_window = utcb->window_caps;
    utcb->window_caps = l4_fpage_caps(fresh, 0);
    u64 view_window = utcb->window_memory;
    utcb->window_memory = view;
    u64 w0 = 0, w1 = 0, w2 = 0, w3 = 0;
    u64 tag = l4_tag(SHAPES_METHOD_ITEMS, 0, 3);
    l4_call(shapes, &tag, 0, &w0, &w1, &w2, &w3);
    utcb->window_caps = fresh_window;
    utcb->window_memory = view_window;
    return l4_tag_status(tag);
}

/* Names that the stub itself uses.
 * shapes.idl:19, once. */
static inline l4_err_t shapes_names(struct l4_session *s, u64 number_, u64 tag_, u64 s_, u64 mr_, u64 *utcb_, u64 *w0_)
{
    u64 number = l4_number(s);
    u64 w0 = number_, w1 = tag_, w2 = s_, w3 = mr_;
    u64 tag = l4_tag(SHAPES_METHOD_NAMES, 4, 0);
    l4_call_numbered(s->gate, &tag, number, 4, &w0, &w1, &w2, &w3);
    *utcb_ = (u64)w0;
    *w0_ = (u64)w1;
    return l4_tag_status(tag);
}
