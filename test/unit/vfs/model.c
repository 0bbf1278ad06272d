/* SPDX-License-Identifier: BSD-2-Clause */
/* model.c: see model.h. It follows fs.idl as a file system must: names and inodes, holders, errors. */
#include <stdlib.h>
#include <string.h>
#include <vfsd_server.h>
#include "model.h"

enum { INODES = 512, ENTRIES = 64, FILE_BYTES = 1 << 17, PROC = 1, NODE_WORDS = 9 };
enum { T_MASK = 0170000, T_DIR = 0040000, T_REG = 0100000, T_LINK = 0120000 };

struct inode {
    bool used;
    struct fs_node node;
    u32 holds;
    u64 parent;
    u8 *data;
    struct { char name[256]; u64 inode; } *entry;
};
static struct inode table[2][INODES];
static bool is_frozen;
u32 model_typed, model_pending;
static struct { u64 directory; char name[256]; } staged;

static u64 *mr(void) { return l4_utcb()->mr; }
static u32 fs_of(void) { return world_called - WORLD_DOOR == PROC; }
static struct inode *inode_at(u64 i) { return i < INODES && table[fs_of()][i].used ? &table[fs_of()][i] : NULL; }
static bool is_dir(const struct inode *n) { return (n->node.mode & T_MASK) == T_DIR; }

static void answer(struct l4_message *m, i32 err, u32 words, const u64 *word)
{
    m->tag = err ? (u32)err : (u64)words << L4_TAG_WORDS_SHIFT;
    for (u32 i = 0; i < words && !err; i++) {
        if (i < L4_REGISTER_WORDS) {
            m->word[i] = word[i];
        } else {
            mr()[i] = word[i];
        }
    }
}

static void answer_node(struct l4_message *m, const struct inode *n)
{
    u64 word[NODE_WORDS];
    memcpy(word, &n->node, sizeof n->node);
    answer(m, 0, NODE_WORDS, word);
}

static void name_of(const struct l4_message *m, u32 length_at, u32 at, char name[256])
{
    u64 length = length_at < 4 ? m->word[length_at] : mr()[length_at];
    memset(name, 0, 256);
    memcpy(name, &mr()[at], length > 255 ? 255 : length);
}

static u8 *window(u64 index, u64 from) { return (u8 *)VFSD_WINDOW_ADDRESS + index * VFSD_WINDOW + from; }

static u64 entry_find(const struct inode *d, u64 self, const char *name)
{
    if (!strcmp(name, ".") || !strcmp(name, "..")) {
        return name[1] ? d->parent : self;
    }
    for (u32 i = 0; i < ENTRIES; i++) {
        if (d->entry[i].inode && !strcmp(d->entry[i].name, name)) {
            return d->entry[i].inode;
        }
    }
    return 0;
}

static bool entry_put(struct inode *d, const char *name, u64 inode)
{
    for (u32 i = 0; i < ENTRIES; i++) {
        if (!d->entry[i].inode) {
            strcpy(d->entry[i].name, name);
            d->entry[i].inode = inode;
            return true;
        }
    }
    return false;
}

static void entry_drop(struct inode *d, const char *name)
{
    for (u32 i = 0; i < ENTRIES; i++) {
        if (d->entry[i].inode && !strcmp(d->entry[i].name, name)) {
            d->entry[i].inode = 0;
        }
    }
}

static bool is_empty(const struct inode *d)
{
    for (u32 i = 0; i < ENTRIES; i++) {
        if (d->entry[i].inode) {
            return false;
        }
    }
    return true;
}

static u64 inode_make(u32 fs, u64 parent, u32 mode, u32 uid, u32 gid)
{
    for (u64 i = 1; i < INODES; i++) {
        struct inode *n = &table[fs][i];
        if (n->used) {
            continue;
        }
        free(n->data);
        free(n->entry);
        *n = (struct inode){
            .used = true, .parent = parent, .node = { .inode = i, .mode = mode, .uid = uid, .gid = gid, .links = 1 }
        };
        if (is_dir(n)) {
            n->node.links = 2;
            n->entry = calloc(ENTRIES, sizeof *n->entry);
        } else {
            n->data = calloc(1, FILE_BYTES);
            n->node.object = (u32)i;
        }
        return i;
    }
    return 0;
}

static void inode_settle(struct inode *n)
{
    bool gone = is_dir(n) ? n->node.links == 0 : n->node.links == 0;
    if (gone && n->holds == 0) {
        n->used = false;
    }
}

/* ---- what does not change ---- */
static void lookup(struct l4_message *m)
{
    char name[256];
    struct inode *d = inode_at(m->word[0]);
    name_of(m, 1, 4, name);
    u64 found = !d || !is_dir(d) ? 0 : entry_find(d, m->word[0], name);
    if (d && is_dir(d) && !found) {
        answer(m, FS_NOENT, 0, NULL);
    } else if (!found) {
        answer(m, d ? FS_NOTDIR : FS_NOENT, 0, NULL);
    } else {
        answer_node(m, inode_at(found));
    }
}

static void stat(struct l4_message *m)
{
    struct inode *n = inode_at(m->word[0]);
    if (n) {
        answer_node(m, n);
    } else {
        answer(m, FS_NOENT, 0, NULL);
    }
}

static void read(struct l4_message *m)
{
    struct inode *n = inode_at(m->word[0]);
    u64 offset = m->word[1], bytes = m->word[2], size = n ? n->node.size : 0;
    bytes = offset >= size ? 0 : bytes < size - offset ? bytes : size - offset;
    if (bytes) {
        memcpy(window(m->word[3], mr()[4]), n->data + offset, bytes);
    }
    answer(m, n ? 0 : FS_NOENT, 1, &bytes);
}

/* Cookie: 1 + the entry's index. "." and ".." come first. */
static void list(struct l4_message *m)
{
    struct inode *d = inode_at(m->word[0]);
    u64 cookie = m->word[1], room = m->word[2], result[2] = { 0, cookie };
    u8 *to = window(m->word[3], mr()[4]);
    if (!d || !is_dir(d)) {
        answer(m, d ? FS_NOTDIR : FS_NOENT, 0, NULL);
        return;
    }
    for (; cookie < ENTRIES + 2; cookie++) {
        const char *name = cookie == 0 ? "." : cookie == 1 ? ".." : d->entry[cookie - 2].name;
        u64 inode = cookie == 0 ? m->word[0] : cookie == 1 ? d->parent : d->entry[cookie - 2].inode, next = cookie + 1;
        u16 bytes = (u16)((19 + strlen(name) + 1 + 7) & ~7ul);
        if (!inode) {
            continue;
        }
        if (result[0] + bytes > room) {
            break;
        }
        memset(to, 0, bytes);
        memcpy(to, &inode, 8);
        memcpy(to + 8, &next, 8);
        memcpy(to + 16, &bytes, 2);
        to[18] = (u8)(inode_at(inode)->node.mode >> 12);
        strcpy((char *)to + 19, name);
        to += bytes;
        result[0] += bytes;
    }
    result[1] = cookie;
    answer(m, 0, 2, result);
}

static void readlink(struct l4_message *m)
{
    struct inode *n = inode_at(m->word[0]);
    u64 bytes = n ? n->node.size : 0;
    if (n) {
        memcpy(window(m->word[1], m->word[2]), n->data, bytes);
    }
    answer(m, n ? 0 : FS_NOENT, 1, &bytes);
}

static void statfs(struct l4_message *m)
{
    struct fs_space s = { .type = fs_of() ? 0x9fa0 : 0x01021994,
        .block = 4096,
        .blocks = 100,
        .free = 50,
        .files = 10,
        .free_files = 5,
        .name = 255 };
    u64 word[7];
    if (world_called - WORLD_DOOR > PROC) {
        answer(m, FS_IO, 0, NULL);
        return;
    }
    memcpy(word, &s, sizeof s);
    answer(m, 0, 7, word);
}

/* ---- what changes ---- */
static void write(struct l4_message *m)
{
    struct inode *n = inode_at(m->word[0]);
    u64 bytes = m->word[3], at = m->word[2] ? n->node.size : m->word[1];
    u64 result[3] = { bytes, at, at + bytes > n->node.size ? at + bytes : n->node.size };
    if (at + bytes > FILE_BYTES) {
        answer(m, FS_FBIG, 0, NULL);
        return;
    }
    if (!is_frozen) {
        memcpy(n->data + at, window(mr()[4], mr()[5]), bytes);
        n->node.size = result[2];
        n->node.blocks = (n->node.size + 4095) / 4096 * 8;
    }
    answer(m, 0, 3, result);
}

/* u64 directory, u32 mode, uid, gid | device, window, from, target_bytes, name length, name at 9 */
static void create(struct l4_message *m)
{
    char name[256];
    struct inode *d = inode_at(m->word[0]);
    name_of(m, 8, 9, name);
    if (!d || !is_dir(d) || d->node.links == 0) {
        answer(m, d && !is_dir(d) ? FS_NOTDIR : FS_NOENT, 0, NULL);
        return;
    }
    if (entry_find(d, m->word[0], name)) {
        answer(m, FS_EXIST, 0, NULL);
        return;
    }
    if (is_frozen) {
        struct inode made = { .node = { .inode = 400, .mode = (u32)m->word[1], .links = 1 } };
        answer_node(m, &made);
        return;
    }
    u64 i = inode_make(fs_of(), m->word[0], (u32)m->word[1], (u32)m->word[2], (u32)m->word[3]);
    struct inode *n = &table[fs_of()][i];
    n->node.device = (u32)mr()[4];
    n->holds = 1;
    if ((n->node.mode & T_MASK) == T_LINK) {
        n->node.size = mr()[7];
        memcpy(n->data, window(mr()[5], mr()[6]), n->node.size);
    }
    d->node.links += is_dir(n);
    entry_put(d, name, i);
    answer_node(m, n);
}

static void link(struct l4_message *m)
{
    char name[256];
    name_of(m, 2, 4, name);
    struct inode *d = inode_at(m->word[0]), *n = inode_at(m->word[1]);
    if (!is_frozen) {
        if (d->node.links == 0) {
            answer(m, FS_NOENT, 0, NULL);
            return;
        }
        entry_put(d, name, m->word[1]);
        n->node.links++;
    }
    answer(m, 0, 0, NULL);
}

static void entry_cut(struct inode *d, const char *name, struct inode *n)
{
    entry_drop(d, name);
    if (is_dir(n)) {
        d->node.links--;
        n->node.links = 0;
    } else {
        n->node.links--;
    }
    inode_settle(n);
}

static void unlink(struct l4_message *m)
{
    char name[256];
    name_of(m, 2, 4, name);
    struct inode *d = inode_at(m->word[0]);
    u64 i = d ? entry_find(d, m->word[0], name) : 0;
    struct inode *n = i ? inode_at(i) : NULL;
    i32 err = !n ? FS_NOENT : m->word[1] && !is_dir(n) ? FS_NOTDIR : !m->word[1] && is_dir(n) ? FS_ISDIR
            : is_dir(n) && !is_empty(n) ? FS_NOTEMPTY : 0;
    if (!err && !is_frozen) {
        entry_cut(d, name, n);
    }
    answer(m, err, 0, NULL);
}

static void stage(struct l4_message *m)
{
    staged.directory = m->word[1];
    name_of(m, 2, 4, staged.name);
    answer(m, 0, 0, NULL);
}

static void rename(struct l4_message *m)
{
    char name[256];
    name_of(m, 3, 4, name);
    struct inode *to = inode_at(m->word[1]), *from = inode_at(staged.directory);
    u64 old = entry_find(from, staged.directory, staged.name), new = entry_find(to, m->word[1], name);
    struct inode *n = inode_at(old), *there = new ? inode_at(new) : NULL;
    i32 err = !n || to->node.links == 0                                         ? FS_NOENT
              : there && is_dir(there) && !is_empty(there) && !(m->word[2] & 2) ? FS_NOTEMPTY
                                                                                : 0;
    if (!err && !is_frozen) {
        if (there && m->word[2] & 2) {
            entry_drop(from, staged.name);
            entry_drop(to, name);
            entry_put(from, staged.name, new);
            there->parent = is_dir(there) ? staged.directory : there->parent;
            from->node.links += is_dir(there);
            to->node.links -= is_dir(there);
        } else {
            if (there) {
                entry_cut(to, name, there);
            }
            entry_drop(from, staged.name);
        }
        from->node.links -= is_dir(n);
        to->node.links += is_dir(n);
        entry_put(to, name, old);
        n->parent = is_dir(n) ? m->word[1] : n->parent;
    }
    answer(m, err, 0, NULL);
}

static void truncate(struct l4_message *m)
{
    struct inode *n = inode_at(m->word[0]);
    i32 err = m->word[1] > FILE_BYTES ? FS_FBIG : 0;
    if (!err && !is_frozen) {
        if (m->word[1] < n->node.size) {
            memset(n->data + m->word[1], 0, n->node.size - m->word[1]);
        }
        n->node.size = m->word[1];
    }
    answer(m, err, 0, NULL);
}

/* inode, which, mode, uid | gid, atime, mtime, clear */
static void change(struct l4_message *m)
{
    struct inode *n = inode_at(m->word[0]), copy = *n, *e = is_frozen ? &copy : n;
    u32 which = (u32)m->word[1];
    if (which & FS_MODE) {
        e->node.mode = (e->node.mode & T_MASK) | (u32)m->word[2];
    }
    if (which & FS_OWNER) {
        e->node.uid = (u32)m->word[3];
    }
    if (which & FS_GROUP) {
        e->node.gid = (u32)mr()[4];
    }
    if (mr()[7]) {
        e->node.mode &= ~(e->node.mode & 010 ? 06000u : 04000u);
    }
    if (which & FS_ATIME) {
        e->node.atime = mr()[5];
    }
    if (which & FS_MTIME) {
        e->node.mtime = mr()[6];
    }
    answer_node(m, e);
}

static void hold(struct l4_message *m)
{
    struct inode *n = inode_at(m->word[0]);
    if (n && !is_frozen) {
        n->holds++;
    }
    if (n) {
        answer_node(m, n);
    } else {
        answer(m, FS_NOENT, 0, NULL);
    }
}

static void release(struct l4_message *m)
{
    struct inode *n = inode_at(m->word[0]);
    if (n && !is_frozen) {
        n->holds -= (u32)m->word[1];
        inode_settle(n);
    }
    answer(m, 0, 0, NULL);
}

static void fine(struct l4_message *m) { answer(m, 0, 0, NULL); }

static void control(struct l4_message *m)
{
    u64 done = m->word[2];
    answer(m, 0, 1, &done);
}

/* ---- the terminal: line 0 is session 7's; PENDING while `model_pending` ---- */
static void tty_look_(struct l4_message *m)
{
    answer(m, 0, 3, (u64[]){ m->word[0] < 16 ? TTY_TERMINAL : TTY_STREAM, MODEL_PID, MODEL_PID });
}
static void tty_poll_(struct l4_message *m) { answer(m, 0, 1, (u64[]){ 4u | (model_typed ? 1 : 0) }); }

static void tty_read_(struct l4_message *m)
{
    u64 window_at = mr()[4], from = mr()[5], done = m->word[3] < model_typed ? m->word[3] : model_typed;
    if (model_pending) {
        m->tag = (u32)L4_PENDING;
        return;
    }
    memset(window(window_at, from), 'x', done);
    answer(m, 0, 1, &done);
}

static void tty_write_(struct l4_message *m)
{
    u64 done = m->word[3];
    answer(m, 0, 1, &done);
}

static void tty_termios_(struct l4_message *m)
{
    u64 word[6] = { 0 };
    struct tty_termios t = { .lflag = 2 };
    memcpy(word, &t, sizeof t);
    answer(m, 0, (sizeof t + 7) / 8, word);
}

static void tty_winsize_(struct l4_message *m)
{
    struct tty_winsize s = { 25, 80, 0, 0 };
    u64 word;
    memcpy(&word, &s, 8);
    answer(m, 0, 1, &word);
}

static void tty_find_(struct l4_message *m) { answer(m, m->word[0] == MODEL_PID ? 0 : TTY_NXIO, 1, (u64[]){ 0 }); }
static void tty_leave_(struct l4_message *m) { answer(m, 0, 1, (u64[]){ MODEL_PID }); }
static void tty_waiting_(struct l4_message *m) { answer(m, 0, 1, (u64[]){ model_typed }); }
static void subscribed(struct l4_message *m) { answer(m, 0, 1, (u64[]){ 0 }); }
static void mapped(struct l4_message *m) { answer(m, 0, 1, (u64[]){ 0x10000000 }); }

const struct world_rule model_rules[] = {
    { FS_METHOD_LOOKUP, false, lookup },
    { FS_METHOD_STAT, false, stat },
    { FS_METHOD_READ, false, read },
    { FS_METHOD_LIST, false, list },
    { FS_METHOD_READLINK, false, readlink },
    { FS_METHOD_STATFS, false, statfs },
    { FS_METHOD_WRITE, true, write },
    { FS_METHOD_CREATE, true, create },
    { FS_METHOD_LINK, true, link },
    { FS_METHOD_UNLINK, true, unlink },
    { FS_METHOD_STAGE, true, stage },
    { FS_METHOD_RENAME, true, rename },
    { FS_METHOD_TRUNCATE, true, truncate },
    { FS_METHOD_CHANGE, true, change },
    { FS_METHOD_HOLD, true, hold },
    { FS_METHOD_RELEASE, true, release },
    { FS_METHOD_SYNC, true, fine },
    { FS_METHOD_CONTROL, true, control },
    { TTY_METHOD_LOOK, false, tty_look_ },
    { TTY_METHOD_READ, true, tty_read_ },
    { TTY_METHOD_WRITE, true, tty_write_ },
    { TTY_METHOD_POLL, false, tty_poll_ },
    { TTY_METHOD_GET_TERMIOS, false, tty_termios_ },
    { TTY_METHOD_SET_TERMIOS, true, fine },
    { TTY_METHOD_GET_WINSIZE, false, tty_winsize_ },
    { TTY_METHOD_SET_WINSIZE, true, fine },
    { TTY_METHOD_SET_FOREGROUND, true, fine },
    { TTY_METHOD_TAKE, true, fine },
    { TTY_METHOD_LEAVE, true, tty_leave_ },
    { TTY_METHOD_FLUSH, true, fine },
    { TTY_METHOD_DRAIN, true, fine },
    { TTY_METHOD_WAITING, false, tty_waiting_ },
    { TTY_METHOD_FIND, false, tty_find_ },
    { TTY_PROTOCOL << 8 | L4_METHOD_SUBSCRIBE, false, subscribed },
    { VM_METHOD_MAP_OBJECT, true, mapped },
    { 0 },
};

/* ---- the tree ---- */
static u64 add(u32 fs, u64 directory, const char *name, u32 mode, u32 uid, const char *text)
{
    u64 i = inode_make(fs, directory, mode, uid, uid);
    struct inode *d = &table[fs][directory], *n = &table[fs][i];
    if (text) {
        n->node.size = strlen(text);
        strcpy((char *)n->data, text);
    }
    d->node.links += is_dir(n);
    entry_put(d, name, i);
    return i;
}

u64 model_add(u64 directory, const char *name, u32 mode, u32 uid, const char *text)
{
    return add(0, directory, name, mode, uid, text);
}

static void magic(u64 directory, const char *name, u32 mode, u32 kind)
{
    struct fs_node *n = &table[1][add(1, directory, name, mode, 0, NULL)].node;
    n->object = kind;
    n->device = kind == 1 ? 0 : MODEL_PID;
}

void model_reset(bool frozen)
{
    is_frozen = frozen;
    model_typed = model_pending = 0;
    memset(&staged, 0, sizeof staged);
    for (u32 fs = 0; fs < 2; fs++) {
        for (u32 i = 0; i < INODES; i++) {
            table[fs][i].used = false;
        }
        inode_make(fs, 1, T_DIR | 0755, 0, 0);
    }
    model_add(1, "proc", T_DIR | 0555, 0, NULL);
    u64 dev = model_add(1, "dev", T_DIR | 0755, 0, NULL);
    static const struct { const char *name; u32 device; } devices[] = {
        { "null", 0x103 }, { "zero", 0x105 }, { "full", 0x107 }, { "console", 0x501 }, { "tty", 0x500 },
    };
    for (u32 i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        table[0][model_add(dev, devices[i].name, 0020666, 0, NULL)].node.device = devices[i].device;
    }
    u64 pid = add(1, 1, "7", T_DIR | 0555, 0, NULL);
    magic(1, "self", T_LINK | 0777, 1);
    magic(pid, "exe", T_LINK | 0777, 2);
    magic(pid, "cwd", T_LINK | 0777, 3);
    magic(pid, "root", T_LINK | 0777, 4);
    magic(pid, "fd", T_DIR | 0500, 5);
    add(1, pid, "stat", T_REG | 0644, 0, "7 (sh)");
}

u32 model_holds(u64 inode) { return table[0][inode].holds; }

u32 model_inodes(void)
{
    u32 n = 0;
    for (u32 i = 0; i < INODES; i++) {
        n += table[0][i].used;
    }
    return n;
}
