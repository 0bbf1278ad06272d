/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c: see memory.h. An object's reserve is mapped without access; touching a page that it does not have is a fault of tmpfs's. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include <l4/panic.h>

#include "memory.h"

#include "../../../personality/tmpfs/image.h"

enum { OBJECTS = 512, MODULE = 0x40000, WINDOWS = 512, WINDOWS_USED = 4, INDEX_PAGES = 2, FILE_OFFSET = IMAGE_INDEX + INDEX_PAGES * 4096, IMAGE_BYTES = FILE_OFFSET + 8192 + 4096 };
enum { VM = 0x20100 };

static struct object { u64 key, at, reserve, pages; bool used; } object[OBJECTS];
static u8 image[IMAGE_BYTES];
bool memory_refuses;
bool (*memory_crowded)(void);

u8 memory_file_byte(u32 i) { return (u8)(i * 7 + 1); }
u8 *memory_window(u32 window) { return (u8 *)FS_WINDOWS + (u64)window * FS_WINDOW; }

/* ---- the image ---- */
static u32 texts;

static void image_name(struct image_entry *e, const char *name, const char *target)
{
    struct image_head *h = (struct image_head *)(image + IMAGE_INDEX);
    u8 *to = image + IMAGE_INDEX + h->texts;
    e->name = texts;
    e->name_bytes = (u32)strlen(name);
    e->target = e->name + e->name_bytes;
    e->target_bytes = (u32)strlen(target);
    memcpy(to + e->name, name, e->name_bytes);
    memcpy(to + e->target, target, e->target_bytes);
    texts = e->target + e->target_bytes;
}

static void image_make(void)
{
    struct image_head *h = (struct image_head *)(image + IMAGE_INDEX);
    struct image_entry *e = (struct image_entry *)(image + IMAGE_INDEX + 4096);
    *h = (struct image_head){ IMAGE_MAGIC, INDEX_PAGES * 4096, 4096 + 7 * sizeof *e, 0, 7, 6 };
    texts = 0;
    e[0] = (struct image_entry){ .inode = INODE_ROOT, .parent = 1, .mode = 0040755, .mtime = 1 };
    e[1] = (struct image_entry){ .inode = INODE_DEV, .parent = 1, .mode = 0040755, .mtime = 2 };
    e[2] = (struct image_entry){ .inode = INODE_D, .parent = 1, .mode = 0040755, .mtime = 3 };
    e[3] = (struct image_entry){ .inode = INODE_LINK, .parent = 1, .mode = 0120777, .mtime = 4 };
    e[4] = (struct image_entry){ .inode = INODE_FILE, .parent = INODE_D, .mode = 0106755, .size = IMAGE_FILE_BYTES, .offset = FILE_OFFSET, .mtime = 5 };
    e[5] = e[4];
    e[6] = (struct image_entry){ .inode = INODE_OTHER, .parent = INODE_D, .mode = 0100644, .size = 100, .offset = FILE_OFFSET + 8192, .mtime = 6 };
    image_name(&e[1], "dev", "");
    image_name(&e[2], "d", "");
    image_name(&e[3], "l", "d/f");
    image_name(&e[4], "f", "");
    image_name(&e[5], "same", "");
    image_name(&e[6], "other", "");
    h->text_bytes = texts;
    memset(image + FILE_OFFSET, 0xee, 8192);        /* what follows the file in its last page is another member's header */
    for (u32 i = 0; i < IMAGE_FILE_BYTES; i++) {
        image[FILE_OFFSET + i] = memory_file_byte(i);
    }
}

/* ---- objects ---- */
/* What tmpfs may never ask for ends it. */
static void must(bool is_true, const char *what)
{
    if (!is_true) {
        l4_panic("memory: %s", what);
    }
}

static void pages_map(u64 at, u64 pages, int protection)
{
    void *got = mmap((void *)at, pages << 12, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    must(!pages || got == (void *)at, "cannot map");
}

static u64 pages_of(u64 bytes) { return (bytes + 4095) >> 12; }

__attribute__((constructor)) static void windows_map(void) { pages_map(FS_WINDOWS, WINDOWS * (FS_WINDOW / 4096), PROT_READ | PROT_WRITE); }

static void memory_reset(void)
{
    for (u32 i = 0; i < OBJECTS; i++) {
        if (object[i].used) {
            munmap((void *)object[i].at, object[i].reserve);
        }
        object[i].used = false;
    }
    memset(memory_window(0), 0, WINDOWS_USED * FS_WINDOW);
    memory_refuses = false;
    memory_crowded = NULL;
    image_make();
}

u32 memory_objects(void)
{
    u32 n = 0;
    for (u32 i = 0; i < OBJECTS; i++) {
        n += object[i].used;
    }
    return n;
}

static struct object *find(u64 key)
{
    for (u32 i = 0; i < OBJECTS; i++) {
        if (object[i].used && object[i].key == key) {
            return &object[i];
        }
    }
    return NULL;
}

static void answer(struct l4_message *m, i32 status, u64 word)
{
    *m = (struct l4_message){ .tag = status ? (u32)status : 1ul << L4_TAG_WORDS_SHIFT, .word = { word } };
}

/* A test that is set back to before a call makes the object again: it is fresh, as the first time. */
static struct object *make(struct l4_message *m, u64 key, u64 at, u64 reserve, u64 bytes)
{
    struct object *o = find(key);
    for (u32 i = 0; !o && i < OBJECTS; i++) {
        o = object[i].used ? NULL : &object[i];
    }
    must(o && bytes <= reserve && !(at & 4095), "a wrong object");
    if (memory_refuses || (memory_crowded && memory_crowded())) {
        answer(m, memory_refuses ? VM_NOMEM : VM_AGAIN, 0);
        return NULL;
    }
    *o = (struct object){ key, at, reserve, pages_of(bytes), true };
    pages_map(at, reserve >> 12, PROT_NONE);
    pages_map(at, o->pages, PROT_READ | PROT_WRITE);
    answer(m, 0, (u32)(o - object) + 1);
    return o;
}

static void do_make(struct l4_message *m) { make(m, m->word[0], m->word[1], m->word[2], m->word[3]); }

static void do_adopt(struct l4_message *m)
{
    u64 offset = m->word[3] - MODULE, bytes = l4_utcb_host.mr[4];
    must(offset < IMAGE_BYTES && bytes <= IMAGE_BYTES - offset && !(offset & 4095), "adopts what is not in the image");
    struct object *o = make(m, m->word[0], m->word[1], m->word[2], bytes);
    if (o) {
        memcpy((void *)o->at, image + offset, o->pages << 12);
    }
}

static struct object *known(u64 ref)
{
    must(ref - 1 < OBJECTS && object[ref - 1].used, "an object that is none");
    return &object[ref - 1];
}

static void do_resize(struct l4_message *m)
{
    struct object *o = known(m->word[0]);
    u64 pages = pages_of(m->word[1]);
    must(m->word[1] <= o->reserve, "bigger than its place");
    if (memory_refuses && pages > o->pages) {
        answer(m, VM_NOMEM, 0);
        return;
    }
    if (pages > o->pages) {
        pages_map(o->at + (o->pages << 12), pages - o->pages, PROT_READ | PROT_WRITE);
    } else {
        pages_map(o->at + (pages << 12), o->pages - pages, PROT_NONE);
    }
    o->pages = pages;
    answer(m, 0, 0);
}

static void do_move(struct l4_message *m)
{
    struct object *o = known(m->word[0]);
    u64 at = m->word[1], reserve = m->word[2];
    if (at != o->at) {
        pages_map(at, reserve >> 12, PROT_NONE);
        pages_map(at, o->pages, PROT_READ | PROT_WRITE);
        memcpy((void *)at, (void *)o->at, o->pages << 12);
        munmap((void *)o->at, o->reserve);
    }
    o->at = at;
    o->reserve = reserve;
    answer(m, 0, 0);
}

static void do_drop(struct l4_message *m)
{
    if (object[m->word[0] - 1].used) {
        munmap((void *)object[m->word[0] - 1].at, object[m->word[0] - 1].reserve);
    }
    object[m->word[0] - 1].used = false;
    answer(m, 0, 0);
}

/* What was adopted keeps its bytes. */
static void do_retire(struct l4_message *m)
{
    const struct object *o = &object[m->word[0] - 1];
    if (o->used && o->key == INODE_FILE) {
        memcpy(image + FILE_OFFSET, (void *)o->at, o->pages << 12);
    }
    do_drop(m);
}

static void do_total(struct l4_message *m)
{
    *m = (struct l4_message){ .tag = 7ul << L4_TAG_WORDS_SHIFT, .word = { 1000, 600, 100, 200 } };
    l4_utcb_host.mr[4] = 10;
    l4_utcb_host.mr[5] = 500;
    l4_utcb_host.mr[6] = 150;
}

/* Asked for at the first start alone: the world begins. */
static void do_module(struct l4_message *m)
{
    memory_reset();
    *m = (struct l4_message){ .tag = 2ul << L4_TAG_WORDS_SHIFT, .word = { MODULE, IMAGE_BYTES } };
}

const struct world_rule memory_rules[] = {
    { VM | 8, false, do_total }, { VM | 40, true, do_make }, { VM | 41, true, do_adopt }, { VM | 42, true, do_resize }, { VM | 43, true, do_move },
    { VM | 44, true, do_drop }, { VM | 47, true, do_retire }, { VM | 46, false, do_module }, { 0 },
};
