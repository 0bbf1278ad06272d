/* SPDX-License-Identifier: BSD-2-Clause */
/* mount.c: which file system is where. A mount's number is what stat calls the device. The table is made at the
 * first start from the doors that the manifest gives: the first is the root, one whose statfs says that it is procfs
 * lies at /proc.
 *
 * INVARIANT root: a mount's root inode and the directory that it covers are never held: they live as long as the
 * mount. */
#include "vfsd.h"

enum { PROC_MAGIC = 0x9fa0, DOORS = 4 };

static cap_t fs_door(u32 fs) { return (cap_t)l4_volatile.door[VFSD_USES_FS + fs]; }

u32 mount_fs(u32 mount)
{
    const struct mount *m = mount_at(mount);
    return m ? m->fs : 0;
}

cap_t mount_door(u32 mount) { return fs_door(mount_fs(mount)); }

u64 mount_root(u32 mount)
{
    const struct mount *m = mount_at(mount);
    return m ? m->root : 0;
}

bool mount_is_proc(u32 mount)
{
    const struct mount *m = mount_at(mount);
    return m && m->type == PROC_MAGIC;
}

u32 mount_on(u32 on, u64 inode)
{
    for (const struct mount *m = mount_following(NULL); m; m = mount_following(m)) {
        if (m->on == on && m->covered == inode) {
            return mount_ref(m);
        }
    }
    return 0;
}

static bool mount_is_made(u32 fs)
{
    for (const struct mount *m = mount_following(NULL); m; m = mount_following(m)) {
        if (m->fs == fs) {
            return true;
        }
    }
    return false;
}

static void mount_make(struct vfsd_tx tx, u32 fs, u32 type, u32 on, u64 covered)
{
    struct mount *m = mount_new(tx);
    if (m) {
        m->fs = fs;
        m->type = type;
        m->root = FS_ROOT;
        m->on = on;
        m->covered = covered;
    }
}

/* Those that are missing; a file system whose directory is not there is tried again at the next start. */
void mounts_make(struct vfsd_tx tx)
{
    for (u32 fs = 0; fs < DOORS && fs_door(fs); fs++) {
        struct fs_space space;
        struct fs_node covered;
        if (mount_is_made(fs)) {
            continue;
        }
        if (fs_statfs(fs_door(fs), &space) != L4_OK) {
            continue;
        }
        if (fs == 0) {
            mount_make(tx, fs, (u32)space.type, 0, 0);
        } else if (space.type == PROC_MAGIC && fs_lookup(fs_door(0), FS_ROOT, l4_text("proc"), &covered) == L4_OK) {
            mount_make(tx, fs, (u32)space.type, 1, covered.inode);
        }
    }
}
