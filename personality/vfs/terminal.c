/* SPDX-License-Identifier: BSD-2-Clause */
/* terminal.c: terminals and streams, which tty keeps. What cannot go on at once waits here, not in an op: so a
 * signal ends the wait. tty's event `ready` lets everybody who waits look again. */
#include "vfsd.h"

enum {
    TCGETS = 0x5401,
    TCSETS = 0x5402,
    TCSETSW = 0x5403,
    TCSETSF = 0x5404,
    TCSBRK = 0x5409,
    TCFLSH = 0x540b,
    TIOCSCTTY = 0x540e,
    TIOCGPGRP = 0x540f,
    TIOCSPGRP = 0x5410,
    TIOCGWINSZ = 0x5413,
    TIOCSWINSZ = 0x5414,
    FIONREAD = 0x541b,
    FIONBIO = 0x5421,
    TIOCNOTTY = 0x5422,
    TCSBRKP = 0x5425,
    TIOCGSID = 0x5429,
    FIONCLEX = 0x5450,
    FIOCLEX = 0x5451,
};
enum { TERMIOS = 36, VMIN = 6, ICANON = 2, LINES = 32 };

cap_t tty_door(void) { return (cap_t)l4_volatile.door[VFSD_USES_TTY]; }

struct tty_asker asker_of(const struct process *p, bool bold, bool wait)
{
    return (struct tty_asker){ p->who.pid, p->who.group, p->who.session, bold, wait };
}

/* tty's state for events outlives both of us; asking again is harmless. */
static void subscribe(void)
{
    u64 tag = l4_tag(TTY_PROTOCOL << 8 | L4_METHOD_SUBSCRIBE, 1, 0), w0 = 1ul << TTY_EVENT_READY, w1 = 0, w2 = 0,
        w3 = 0;
    if (tty_door()) {
        l4_call(tty_door(), &tag, 1, &w0, &w1, &w2, &w3);
    }
}

void terminal_event(struct vfsd_tx tx)
{
    subscribe();
    for (u32 i = 1; i <= LINES; i++) {
        line_wake(tx, i);
    }
    pollers_wake(tx);
}

u32 terminal_poll(const struct file *f)
{
    u32 events = 0;
    return tty_poll(tty_door(), f->device, &events) ? POLLERR | POLLHUP : events;
}

/* In the background of its own terminal tty has something to say instead of waiting. */
static bool in_background(const struct process *p, u32 line)
{
    enum tty_kind is;
    u32 foreground, session;
    return tty_look(tty_door(), line, &is, &foreground, &session) == L4_OK && is == TTY_TERMINAL &&
           session == p->who.session && foreground != p->who.group;
}

/* Whether tty decides by time or by an empty read: then it must be asked although nothing is there. */
static bool reads_empty(u32 line)
{
    struct tty_termios now;
    return tty_get_termios(tty_door(), line, &now) == L4_OK && !(now.lflag & ICANON) && now.cc[VMIN] == 0;
}

l4_err_t terminal_read(
    struct vfsd_tx tx, const struct process *p, const struct file *f, u32 most, bool more, const u8 *data)
{
    bool wait = !more && !(f->flags & O_NONBLOCK);
    u32 line = f->device, ready = terminal_poll(f) & (POLLIN | POLLHUP | POLLERR);
    if (!ready && !in_background(p, line) && !reads_empty(line)) {
        return wait ? line_wait(line + 1) : VFS_AGAIN;
    }
    struct get_op *op = get_op_new(tx);
    if (!op) {
        return line_wait(line + 1);
    }
    struct tty_asker who = asker_of(p, false, wait);
    op->file = file_ref(f);
    return l4_later(get_op_send_text(tx, op, line, &who, most, window_of(data), window_from(data)));
}

struct l4_next get_text(struct vfsd_tx tx, const struct get_op *op, l4_err_t err, u32 done)
{
    return get_op_answer(tx, op, err, l4_bytes(NULL, done));
}

l4_err_t terminal_write(
    struct vfsd_tx tx, const struct process *p, const struct file *f, struct l4_bytes data, bool bold)
{
    bool wait = !(f->flags & O_NONBLOCK);
    u32 line = f->device;
    if (!(terminal_poll(f) & (POLLOUT | POLLHUP | POLLERR)) && (bold || !in_background(p, line))) {
        return wait ? line_wait(line + 1) : VFS_AGAIN;
    }
    struct put_op *op = put_op_new(tx);
    if (!op) {
        return line_wait(line + 1);
    }
    struct tty_asker who = asker_of(p, bold, wait);
    op->file = file_ref(f);
    return l4_later(put_op_send_text(tx, op, line, &who, data.length, window_of(data.at), window_from(data.at)));
}

struct l4_next put_text(struct vfsd_tx tx, const struct put_op *op, l4_err_t err, u32 done)
{
    return put_op_answer(tx, op, err, done);
}

/* ---- ioctl ---- */
static u32 word_of(struct l4_bytes in)
{
    u32 word = 0;
    memcpy(&word, in.at, in.length < 4 ? in.length : 4);
    return word;
}

static void word_out(u32 word, u8 *out, u32 *length)
{
    memcpy(out, &word, 4);
    *length = 4;
}

/* The requests that every descriptor knows. */
static l4_err_t ioctl_any(struct vfsd_tx tx, const struct process *p, const struct file *f, u32 fd, u32 request,
    struct l4_bytes in, bool *known)
{
    *known = true;
    switch (request) {
    case FIOCLEX:
    case FIONCLEX: {
        const struct chunk *c = chunk_at(p->chunks[fd / CHUNK]);
        u32 bit = 1u << fd % CHUNK;
        chunk_set_marks(tx, c, request == FIOCLEX ? c->marks | bit : c->marks & ~bit);
        return L4_OK;
    }
    case FIONBIO:
        if (in.length < 4) {
            return VFS_FAULT;
        }
        file_set_flags(tx, f, word_of(in) ? f->flags | O_NONBLOCK : f->flags & ~(u32)O_NONBLOCK);
        return L4_OK;
    }
    *known = false;
    return L4_OK;
}

/* Bytes that a read would give. */
static l4_err_t ioctl_waiting(const struct file *f, u8 *out, u32 *length)
{
    struct fs_node node;
    u32 bytes = 0;
    l4_err_t err = L4_OK;
    if (f->what == VFSD_PIPE) {
        bytes = pipe_at(f->tube)->fill;
    } else if (f->what == VFSD_TERMINAL) {
        err = tty_waiting(tty_door(), f->device, &bytes);
    } else if (f->what == VFSD_REGULAR) {
        err = file_stat(f, &node);
        bytes = node.size > f->position ? (u32)(node.size - f->position) : 0;
    } else {
        err = VFS_NOTTY;
    }
    word_out(bytes, out, length);
    return err;
}

static bool group_is_in(u32 group, u32 session, bool *exists)
{
    *exists = false;
    for (const struct process *p = process_following(NULL); p; p = process_following(p)) {
        if (p->who.group == group) {
            *exists = true;
            if (p->who.session == session) {
                return true;
            }
        }
    }
    return false;
}

static l4_err_t foreground_set(
    struct vfsd_tx tx, const struct process *p, const struct file *f, struct tty_asker who, i32 group)
{
    bool exists;
    enum tty_kind is;
    u32 foreground, session;
    l4_err_t err = tty_look(tty_door(), f->device, &is, &foreground, &session);
    if (err || is != TTY_TERMINAL || session == 0 || session != p->who.session) {
        return err ? err : VFS_NOTTY;
    }
    if (group < 0) {
        return VFS_INVAL;
    }
    if (!group_is_in((u32)group, session, &exists)) {
        return exists ? VFS_PERM : VFS_SRCH;
    }
    struct foreground_op *op = foreground_op_new(tx);
    return op ? l4_later(foreground_op_send_line(tx, op, f->device, &who, (u32)group)) : VFS_AGAIN;
}

static l4_err_t termios_set(struct vfsd_tx tx, const struct file *f, struct tty_asker who, u32 when, struct l4_bytes in)
{
    struct tty_termios to = { 0 };
    if (in.length < TERMIOS) {
        return VFS_FAULT;
    }
    memcpy(&to, in.at, TERMIOS);
    struct termios_op *op = termios_op_new(tx);
    return op ? l4_later(termios_op_send_line(tx, op, f->device, &who, when, &to)) : VFS_AGAIN;
}

static l4_err_t terminal_take(
    struct vfsd_tx tx, const struct process *p, const struct file *f, struct tty_asker who, u64 argument)
{
    u32 line;
    enum tty_kind is;
    u32 foreground, session;
    l4_err_t err = tty_look(tty_door(), f->device, &is, &foreground, &session);
    if (err) {
        return err;
    }
    if (p->who.session == p->who.pid && session == p->who.session) {
        return L4_OK;
    }
    bool has_one = tty_find(tty_door(), p->who.session, &line) == L4_OK;
    if (p->who.session != p->who.pid || has_one || (session && !(argument == 1 && p->who.euid == 0))) {
        return VFS_PERM;
    }
    struct take_op *op = take_op_new(tx);
    return op ? l4_later(take_op_send_line(tx, op, f->device, &who, session != 0)) : VFS_AGAIN;
}

static l4_err_t terminal_leave(struct vfsd_tx tx, const struct process *p, const struct file *f)
{
    u32 line;
    if (tty_find(tty_door(), p->who.session, &line) != L4_OK || line != f->device) {
        return VFS_NOTTY;
    }
    if (p->who.session != p->who.pid) {
        return L4_OK;
    }
    struct leave_op *op = leave_op_new(tx);
    return op ? l4_later(leave_op_send_line(tx, op, p->who.session)) : VFS_AGAIN;
}

/* What a line is asked: no change. `*known` false: it is none of these. */
static l4_err_t terminal_ask(const struct process *p, u32 line, u32 request, u8 *out, u32 *length, bool *known)
{
    struct tty_termios termios;
    struct tty_winsize winsize;
    enum tty_kind is;
    u32 foreground, session;
    l4_err_t err;
    *known = true;
    switch (request) {
    case TCGETS:
        err = tty_get_termios(tty_door(), line, &termios);
        memcpy(out, &termios, TERMIOS);
        *length = TERMIOS;
        return err;
    case TIOCGWINSZ:
        err = tty_get_winsize(tty_door(), line, &winsize);
        memcpy(out, &winsize, sizeof winsize);
        *length = sizeof winsize;
        return err;
    case TIOCGPGRP:
    case TIOCGSID:
        err = tty_look(tty_door(), line, &is, &foreground, &session);
        if (!err && (is != TTY_TERMINAL || session == 0 || session != p->who.session)) {
            err = VFS_NOTTY;
        }
        word_out(request == TIOCGPGRP ? foreground : session, out, length);
        return err;
    }
    *known = false;
    return L4_OK;
}

static l4_err_t terminal_ioctl(struct vfsd_tx tx, const struct process *p, const struct file *f, u32 request,
    u64 argument, bool bold, struct l4_bytes in, u8 *out, u32 *length)
{
    bool known;
    struct tty_asker who = asker_of(p, bold, !(f->flags & O_NONBLOCK));
    l4_err_t err = terminal_ask(p, f->device, request, out, length, &known);
    if (known) {
        return err;
    }
    switch (request) {
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return termios_set(tx, f, who, request - TCSETS, in);
    case TIOCSWINSZ: {
        struct tty_winsize to;
        struct winsize_op *op = in.length < sizeof to ? NULL : winsize_op_new(tx);
        if (op) {
            memcpy(&to, in.at, sizeof to);
        }
        return op                      ? l4_later(winsize_op_send_line(tx, op, f->device, &to))
               : in.length < sizeof to ? VFS_FAULT
                                       : VFS_AGAIN;
    }
    case TIOCSPGRP:
        return in.length < 4 ? VFS_FAULT : foreground_set(tx, p, f, who, (i32)word_of(in));
    case TIOCSCTTY:
        return terminal_take(tx, p, f, who, argument);
    case TIOCNOTTY:
        return terminal_leave(tx, p, f);
    case TCFLSH: {
        struct flush_op *op = argument > 2 ? NULL : flush_op_new(tx);
        return op             ? l4_later(flush_op_send_line(tx, op, f->device, &who, (u32)argument))
               : argument > 2 ? VFS_INVAL
                              : VFS_AGAIN;
    }
    case TCSBRK:
    case TCSBRKP: {
        struct drain_op *op = drain_op_new(tx);
        return op ? l4_later(drain_op_send_line(tx, op, f->device, &who)) : VFS_AGAIN;
    }
    }
    return VFS_NOTTY;
}

l4_err_t do_ioctl(struct vfsd_tx tx, u64 label, u32 fd, u32 request, u64 argument, struct l4_bytes in, u64 *value,
    u8 *out, u32 *length)
{
    bool known, bold = fd & VFS_BOLD;
    const struct process *p = process_of(label);
    fd &= ~(u32)VFS_BOLD;
    const struct file *f = p ? descriptor_file(p, fd) : NULL;
    if (!f || f->what == VFSD_PATH || fd >= DESCRIPTORS) {
        return VFS_BADF;
    }
    *value = 0;
    l4_err_t err = ioctl_any(tx, p, f, fd, request, in, &known);
    if (known) {
        return err;
    }
    if (request == FIONREAD) {
        return ioctl_waiting(f, out, length);
    }
    return f->what == VFSD_TERMINAL ? terminal_ioctl(tx, p, f, request, argument, bold, in, out, length) : VFS_NOTTY;
}

struct l4_next termios_line(struct vfsd_tx tx, const struct termios_op *op, l4_err_t err)
{
    return termios_op_answer(tx, op, err, 0, l4_bytes(NULL, 0));
}

struct l4_next winsize_line(struct vfsd_tx tx, const struct winsize_op *op, l4_err_t err)
{
    return winsize_op_answer(tx, op, err, 0, l4_bytes(NULL, 0));
}

struct l4_next foreground_line(struct vfsd_tx tx, const struct foreground_op *op, l4_err_t err)
{
    return foreground_op_answer(tx, op, err, 0, l4_bytes(NULL, 0));
}

struct l4_next take_line(struct vfsd_tx tx, const struct take_op *op, l4_err_t err)
{
    return take_op_answer(tx, op, err, 0, l4_bytes(NULL, 0));
}

struct l4_next leave_line(struct vfsd_tx tx, const struct leave_op *op, l4_err_t err, u32 foreground)
{
    return leave_op_answer(tx, op, err, foreground, l4_bytes(NULL, 0));
}

struct l4_next flush_line(struct vfsd_tx tx, const struct flush_op *op, l4_err_t err)
{
    return flush_op_answer(tx, op, err, 0, l4_bytes(NULL, 0));
}

struct l4_next drain_line(struct vfsd_tx tx, const struct drain_op *op, l4_err_t err)
{
    return drain_op_answer(tx, op, err, 0, l4_bytes(NULL, 0));
}
