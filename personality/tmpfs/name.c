/* SPDX-License-Identifier: BSD-2-Clause */
/* name.c: names, found through one hash table of all directories.
 * INVARIANT chained: a name is in the chain of bucket hash % BUCKETS, and in its directory's list, which is in order of `order`. */
#include "tmpfs.h"

static u32 hash_of(u32 directory, struct l4_bytes name)
{
    u32 hash = 0x811c9dc5u ^ directory * 0x9e3779b1u;   /* FNV-1a */
    for (u32 i = 0; i < name.length; i++) {
        hash = (hash ^ name.at[i]) * 0x01000193u;
    }
    return hash ^ hash >> 16;
}

static void bucket_set(struct tmpfsd_tx tx, u32 bucket, u32 ref)
{
    l4_keep((const u64 *)((u64)&tmpfsd_state()->buckets[bucket] & ~7ul), 1);
    tmpfsd_writable()->buckets[bucket] = ref;
    l4_hook();
}

static bool name_is(const struct name *n, struct l4_bytes name)
{
    u32 inlined = name.length < TMPFSD_TEXT ? name.length : TMPFSD_TEXT;
    return n->length == name.length && memcmp(n->text, name.at, inlined) == 0 && text_is(n->rest, name.at + inlined, name.length - inlined);
}

const struct name *name_find(u32 directory, struct l4_bytes name)
{
    u32 hash = hash_of(directory, name);
    const struct name *n = name_at(tmpfsd_state()->buckets[hash % TMPFSD_BUCKETS]);
    while (n && (n->hash != hash || n->directory != directory || !name_is(n, name))) {
        n = name_at(n->chain);
    }
    return n;
}

void name_copy(const struct name *n, u8 *to)
{
    u32 inlined = n->length < TMPFSD_TEXT ? n->length : TMPFSD_TEXT;
    memcpy(to, n->text, inlined);
    text_copy(n->rest, to + inlined, n->length - inlined);
}

static void directory_resize(struct tmpfsd_tx tx, const struct node *directory, u64 size)
{
    node_set_size(tx, directory, size);
    node_touch(tx, directory);
}

l4_err_t name_add(struct tmpfsd_tx tx, const struct node *directory, const struct node *inode, struct l4_bytes name)
{
    struct name *n = name_new(tx);
    u32 inlined = name.length < TMPFSD_TEXT ? name.length : TMPFSD_TEXT;
    if (!n) {
        return FS_NOSPC;
    }
    n->directory = node_ref(directory);
    n->inode = node_ref(inode);
    n->hash = hash_of(n->directory, name);
    n->length = name.length;
    n->order = tmpfsd_state()->order + 1;
    memcpy(n->text, name.at, inlined);
    if (name.length > inlined) {
        n->rest = text_make(tx, name.at + inlined, name.length - inlined);
        if (!n->rest) {
            return FS_NOSPC;
        }
    }
    n->chain = tmpfsd_state()->buckets[n->hash % TMPFSD_BUCKETS];
    l4_hook();
    bucket_set(tx, n->hash % TMPFSD_BUCKETS, name_ref(n));
    tmpfsd_set_order(tx, n->order);
    entries_of_add(tx, directory, n);
    directory_resize(tx, directory, directory->size + ENTRY_SIZE);
    return L4_OK;
}

static void chain_remove(struct tmpfsd_tx tx, const struct name *n)
{
    u32 bucket = n->hash % TMPFSD_BUCKETS, ref = name_ref(n);
    const struct name *before = name_at(tmpfsd_state()->buckets[bucket]);
    if (before == n) {
        bucket_set(tx, bucket, n->chain);
        return;
    }
    while (before->chain != ref) {
        before = name_at(before->chain);
    }
    name_set_chain(tx, before, n->chain);
}

void name_remove(struct tmpfsd_tx tx, const struct name *n)
{
    const struct node *directory = node_at(n->directory);
    chain_remove(tx, n);
    entries_of_remove(tx, directory, n);
    text_free(tx, n->rest);
    name_free(tx, n);
    directory_resize(tx, directory, directory->size - ENTRY_SIZE);
}
