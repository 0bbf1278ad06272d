/* SPDX-License-Identifier: BSD-2-Clause */
/* process.c: texts about a process. */
#include "procfs.h"

enum { TICK_US = 10000, TICK_NS = 10000000, KB = 1024 };

static u32 space_of(const struct census_about *p) { return (u16)p->client; }
static bool has_space(const struct census_about *p) { return p->state != CENSUS_ZOMBIE; }

static struct vm_usage usage_of(const struct census_about *p)
{
    struct vm_usage u = { 0 };
    if (has_space(p) && vm_use(vm_door(), space_of(p), &u) != L4_OK) {
        u = (struct vm_usage){ 0 };
    }
    return u;
}

static char letter_of(const struct census_about *p)
{
    return p->state == CENSUS_STOPPED ? 'T' : p->state == CENSUS_ZOMBIE ? 'Z' : p->state == CENSUS_DYING ? 'X' : 'S';
}

static const char *word_of(const struct census_about *p)
{
    return p->state == CENSUS_STOPPED ? "T (stopped)" : p->state == CENSUS_ZOMBIE ? "Z (zombie)" : p->state == CENSUS_DYING ? "X (dead)" : "S (sleeping)";
}

/* What the runtime of the process has put there for us; of one without memory only the name that pm knows. */
static struct vm_shown shown_of(const struct census_about *p)
{
    struct vm_shown shown = { 0 };
    struct l4_bytes data = { 0 };
    memcpy(shown.name, p->name, sizeof shown.name);
    if (has_space(p) && vm_peek(vm_door(), space_of(p), VM_RUNTIME_SHOWN, &data) == L4_OK && data.length >= sizeof shown) {
        memcpy(&shown, data.at, sizeof shown);
    }
    return shown;
}

static i32 name_bytes(const struct vm_shown *s) { return (i32)strnlen(s->name, sizeof s->name); }

/* The bytes [at, end) of the process's memory, as far as they are there. */
static void memory_put(struct text *t, const struct census_about *p, u64 at, u64 end)
{
    enum { MOST = 4 << 20 };        /* more the runtime lays out for nobody */
    u64 skipped = at < end && end - at <= MOST ? (t->skip < end - at ? t->skip : end - at) : 0;
    t->skip -= skipped;
    at += skipped;
    while (at < end && end - at <= MOST && !text_is_full(t)) {
        struct l4_bytes data = { 0 };
        if (vm_peek(vm_door(), space_of(p), at, &data) != L4_OK || data.length == 0) {
            return;
        }
        u32 bytes = end - at < data.length ? (u32)(end - at) : data.length;
        text_bytes(t, data.at, bytes);
        at += bytes;
    }
}

void print_stat(struct text *t, const struct census_about *p)
{
    struct vm_usage u = usage_of(p);
    struct vm_shown s = shown_of(p);
    text_put(t, "%u (%.*s) %c %u %u %u %d -1 0 0 0 0 0 %lu %lu 0 0 %d %d %u 0 %lu %lu %lu ", p->pid, name_bytes(&s), s.name, letter_of(p), p->ppid,
             p->group, p->session, (i32)p->terminal, p->user_us / TICK_US, p->system_us / TICK_US, 20 + (i32)p->nice, (i32)p->nice, p->threads,
             p->start_ns / TICK_NS, u.size, u.resident / L4_PAGE_SIZE);
    text_put(t, "18446744073709551615 0 0 0 0 0 %lu 0 %lu %lu 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", p->pending, p->ignored, p->caught);
}

void print_statm(struct text *t, const struct census_about *p)
{
    struct vm_usage u = usage_of(p);
    text_put(t, "%lu %lu %lu 0 0 %lu 0\n", u.size / L4_PAGE_SIZE, u.resident / L4_PAGE_SIZE, u.shared / L4_PAGE_SIZE, u.size / L4_PAGE_SIZE);
}

void print_status(struct text *t, const struct census_about *p)
{
    struct vm_usage u = usage_of(p);
    struct vm_shown s = shown_of(p);
    text_put(t, "Name:\t%.*s\nState:\t%s\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n", name_bytes(&s), s.name, word_of(p), p->pid, p->pid,
             p->ppid);
    text_put(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", p->uid, p->euid, p->suid, p->fsuid, p->gid, p->egid, p->sgid, p->fsgid);
    if (has_space(p)) {
        text_put(t, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\n", u.size / KB, u.resident / KB);
    }
    text_put(t, "Threads:\t%u\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", p->threads, p->pending, s.blocked, p->ignored, p->caught);
}

void print_cmdline(struct text *t, const struct census_about *p)
{
    struct vm_shown s = shown_of(p);
    memory_put(t, p, s.arg_start, s.arg_end);
}

void print_environ(struct text *t, const struct census_about *p)
{
    struct vm_shown s = shown_of(p);
    memory_put(t, p, s.env_start, s.env_end);
}

void print_comm(struct text *t, const struct census_about *p)
{
    struct vm_shown s = shown_of(p);
    text_put(t, "%.*s\n", name_bytes(&s), s.name);
}

void print_loginuid(struct text *t, const struct census_about *p) { text_put(t, "4294967295"); }

void print_maps(struct text *t, const struct census_about *p)
{
    struct vm_region r = { 0 };
    for (u64 at = 0; has_space(p) && !text_is_full(t) && vm_look(vm_door(), space_of(p), at, &r) == L4_OK && r.bytes; at = r.address + r.bytes) {
        if (r.address >= VM_ADDRESS_END) {
            break;
        }
        text_put(t, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu%s\n", r.address, r.address + r.bytes, r.protection & VM_R ? 'r' : '-',
                 r.protection & VM_W ? 'w' : '-', r.protection & VM_X ? 'x' : '-', r.how & VM_SHARED ? 's' : 'p', r.inode ? r.offset : 0, r.inode ? 1u : 0u,
                 r.inode, r.how & VM_STACK ? "                          [stack]" : r.how & VM_HEAP ? "                          [heap]" : "");
    }
}
