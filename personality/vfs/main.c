/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the table of handlers, and what happens at a start. */
#include "vfsd.h"

static void start(struct vfsd_tx tx)
{
    mounts_make(tx);
    terminal_event(tx);
}

static void event(struct vfsd_tx tx, u32 peer)
{
    if (peer == VFSD_USES_TTY) {
        terminal_event(tx);
    }
}

/* Audit: who has an end of a pipe has a pipe, and each descriptor is counted by its file and known to its chunk. */
bool vfsd_tally(const struct vfsd_state *s)
{
    u64 holders = 0, held = 0;
    for (const struct file *f = file_following(NULL); f; f = file_following(f)) {
        holders += f->holders;
        if (f->what == VFSD_PIPE && f->holders && !(pipe_at(f->tube) && f->may)) {
            return false;
        }
    }
    for (const struct chunk *c = chunk_following(NULL); c; c = chunk_following(c)) {
        for (u32 k = 0; k < CHUNK; k++) {
            if ((c->files[k] != 0) != (c->used >> k & 1)) {
                return false;
            }
            held += c->files[k] != 0;
        }
    }
    for (const struct process *p = process_following(NULL); p; p = process_following(p)) {
        held += (p->directory != 0) + (p->root != 0) + (p->program != 0);
    }
    held += s->open_op_table.live + s->create_op_table.live + s->chdir_op_table.live + s->chroot_op_table.live;
    return holders == held;
}

static const struct vfsd_ops ops = {
    .hooks = { .start = start, .event = event, .timeout = poll_timeout, .forget = do_forget },
    .open = do_open,
    .open_hold = open_hold,
    .open_truncate = open_truncate,
    .open_strip = open_strip,
    .create_create = create_create,
    .close = do_close,
    .dup = do_dup,
    .pipe = do_pipe,
    .control = do_control,
    .close_range = do_close_range,
    .lock = do_lock,
    .sweep_drop = sweep_drop,
    .read = do_read,
    .write = do_write,
    .read_at = do_read_at,
    .write_at = do_write_at,
    .seek = do_seek,
    .list = do_list,
    .map = do_map,
    .sync = do_sync,
    .write_data = write_data,
    .write_strip = write_strip,
    .write_at_data = write_at_data,
    .write_at_strip = write_at_strip,
    .order_text = order_text,
    .map_object = map_object,
    .sync_fs = sync_fs,
    .ioctl = do_ioctl,
    .put_text = put_text,
    .get_text = get_text,
    .termios_line = termios_line,
    .winsize_line = winsize_line,
    .foreground_line = foreground_line,
    .take_line = take_line,
    .leave_line = leave_line,
    .flush_line = flush_line,
    .drain_line = drain_line,
    .poll = do_poll,
    .stat = do_stat,
    .stat_file = do_stat_file,
    .access = do_access,
    .readlink = do_readlink,
    .statfs = do_statfs,
    .make_directory = do_make_directory,
    .make_directory_create = make_directory_create,
    .make_directory_release = make_directory_release,
    .make_node = do_make_node,
    .make_node_create = make_node_create,
    .make_node_release = make_node_release,
    .symlink = do_symlink,
    .symlink_create = symlink_create,
    .symlink_release = symlink_release,
    .unlink = do_unlink,
    .unlink_name = unlink_name,
    .link = do_link,
    .link_name = link_name,
    .rename = do_rename,
    .rename_stage = rename_stage,
    .rename_name = rename_name,
    .chmod = do_chmod,
    .chmod_node = chmod_node,
    .chown = do_chown,
    .chown_node = chown_node,
    .utimes = do_utimes,
    .utimes_node = utimes_node,
    .truncate = do_truncate,
    .truncate_size = truncate_size,
    .truncate_strip = truncate_strip,
    .truncate_path_strip = truncate_path_strip,
    .truncate_path = do_truncate_path,
    .truncate_path_size = truncate_path_size,
    .chdir = do_chdir,
    .chdir_hold = chdir_hold,
    .chroot = do_chroot,
    .chroot_hold = chroot_hold,
    .getcwd = do_getcwd,
    .umask = do_umask,
    .admit = do_admit,
    .fork = do_fork,
    .exec = do_exec,
    .exit = do_exit,
    .exit_leave = exit_leave,
    .identify = do_identify,
};

void l4_main(void) { vfsd_serve(&ops); }
