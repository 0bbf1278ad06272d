/* SPDX-License-Identifier: BSD-2-Clause */
/* counter.c: a QEMU plugin that writes down which instructions ran between two marks of a bench program.
 * Arguments: marks=FILE, lines `KIND ADDRESS BYTES` in hexadecimal, and out=FILE. The kinds are those of ../mark.h: a window is what runs
 * after a `begin` and before an `end`, a `group` ends a group of windows, and at a `fault` the kernel is entered because an instruction could
 * not be done or fetched. A mark is where ADDRESS holds BYTES, in whatever address space.
 *
 * What comes out, by lines:
 *     page NUMBER ADDRESS BYTES               a page that was executed in some window, and what it holds: that tells whose text it is
 *     insn NUMBER PAGE ADDRESS TEXT           an instruction, disassembled
 *     windows LENGTH...                       at each group's end: how many instructions were done in each of its windows
 *     trace INSN...                           and those of one window of median length, in order, with those that were tried in vain
 * One CPU. */
#include "qemu_plugin.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNKNOWN = -1 };
enum { PAGE = 4096, MARK_BYTES = 16, MARKS = 4096, INSN_HASH = 1 << 16, PAGE_HASH = 1 << 12 };
enum kind { BEGIN, END, GROUP, FAULT, NONE };      /* the first three: ../mark.h */

struct mark {
    unsigned kind;
    uint64_t address;
    unsigned char bytes[MARK_BYTES];
};

struct page {
    struct page *next;
    unsigned number;
    uint64_t address;
    unsigned char bytes[PAGE];
};

struct insn {
    struct insn *next;
    struct page *page;
    unsigned number;
    uint64_t address;
    enum kind kind;
    int accesses;               /* of a jump: how many it makes; else UNKNOWN */
};

struct window {
    size_t first, entries;      /* in `trace` */
    size_t tries;               /* of which so many were in vain */
};

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static FILE *out;
static struct mark mark[MARKS];
static unsigned marks, pages, insns;
static struct page *page_hash[PAGE_HASH];
static struct insn *insn_hash[INSN_HASH];
static bool is_open;
static const struct insn **trace;       /* of the group's windows, one after the other */
static size_t traced, trace_room;
static struct window *window;
static size_t windows, window_room;
static const struct insn *last;         /* executed in this window */
static int accesses;                    /* that it made, if it is a jump */

/* INVARIANT windows: while is_open, window[windows] is the one that is being filled, and ends at `traced`. */

static void *must(void *memory)
{
    if (!memory) {
        fputs("counter: no memory\n", stderr);
        exit(1);
    }
    return memory;
}

static void grow(void **array, size_t *room, size_t used, size_t size)
{
    if (used == *room) {
        *room = *room ? *room * 2 : 1024;
        *array = must(realloc(*array, *room * size));
    }
}

/* ---- pages and instructions ---- */

static struct page *page_find(uint64_t address, const unsigned char *bytes)
{
    struct page **at = &page_hash[address / PAGE % PAGE_HASH], *page;
    for (page = *at; page; page = page->next) {
        if (page->address == address && !memcmp(page->bytes, bytes, PAGE)) {
            return page;
        }
    }
    page = must(malloc(sizeof *page));
    *page = (struct page){ .next = *at, .number = pages++, .address = address };
    memcpy(page->bytes, bytes, PAGE);
    *at = page;
    fprintf(out, "page %u %" PRIx64 " ", page->number, address);
    for (unsigned i = 0; i < PAGE; i++) {
        fprintf(out, "%02x", bytes[i]);
    }
    fputc('\n', out);
    return page;
}

static enum kind kind_of(uint64_t address, const unsigned char *bytes)
{
    for (unsigned i = 0; i < marks; i++) {
        if (mark[i].address == address) {
            size_t left = PAGE - address % PAGE;
            return memcmp(mark[i].bytes, bytes, left < MARK_BYTES ? left : MARK_BYTES) ? NONE : mark[i].kind;
        }
    }
    return NONE;
}

static bool is_prefix(unsigned char byte)
{
    return (byte & 0xf0) == 0x40 || memchr("\x26\x2e\x36\x3e\x64\x65\x66\xf2\xf3", byte, 9);
}

/* How many accesses to memory a jump, call or return makes, at least; UNKNOWN for all else. */
static int accesses_of(const struct qemu_plugin_insn *from)
{
    const unsigned char *byte = qemu_plugin_insn_data(from), *end = byte + qemu_plugin_insn_size(from);
    while (byte < end - 1 && is_prefix(*byte)) {
        byte++;
    }
    switch (*byte) {
    case 0xc2: case 0xc3: case 0xe8:
        return 1;
    case 0xcf:          /* rip, cs, rflags, rsp, ss; descriptors */
        return 5;
    case 0xe0 ... 0xe3: case 0xe9: case 0xeb: case 0x70 ... 0x7f:
        return 0;
    case 0x0f:
        return byte + 1 < end && (byte[1] & 0xf0) == 0x80 ? 0 : UNKNOWN;
    case 0xff: {
        int operation = byte[1] >> 3 & 7, in_memory = byte[1] < 0xc0;
        return operation == 2 ? 1 + in_memory : operation == 4 ? in_memory : UNKNOWN;
    }
    default:
        return UNKNOWN;
    }
}

static struct insn *insn_find(struct page *page, uint64_t address, const struct qemu_plugin_insn *from)
{
    struct insn **at = &insn_hash[address % INSN_HASH], *insn;
    for (insn = *at; insn; insn = insn->next) {
        if (insn->address == address && insn->page == page) {
            return insn;
        }
    }
    insn = must(malloc(sizeof *insn));
    *insn = (struct insn){ *at, page, insns++, address, kind_of(address, page->bytes + address % PAGE), accesses_of(from) };
    *at = insn;
    char *text = qemu_plugin_insn_disas(from);
    fprintf(out, "insn %u %u %" PRIx64 " %s\n", insn->number, page->number, address, text ? text : "");
    free(text);
    return insn;
}

/* ---- windows ---- */

static size_t length(const struct window *w) { return w->entries - w->tries; }

static int compare_lengths(const void *a, const void *b)
{
    size_t x = length(a), y = length(b);
    return (x > y) - (x < y);
}

static void group_end(void)
{
    fputs("windows", out);
    for (size_t i = 0; i < windows; i++) {
        fprintf(out, " %zu", length(&window[i]));
    }
    fputs("\ntrace", out);
    if (windows) {
        qsort(window, windows, sizeof *window, compare_lengths);
        const struct window *median = &window[windows / 2];
        for (size_t i = 0; i < median->entries; i++) {
            fprintf(out, " %u", trace[median->first + i]->number);
        }
    }
    fputc('\n', out);
    windows = traced = 0;
    is_open = false;
}

static void window_begin(void)
{
    grow((void **)&window, &window_room, windows, sizeof *window);
    window[windows] = (struct window){ .first = traced };
    is_open = true;
    last = NULL;
}

static void window_end(void)
{
    if (is_open) {
        window[windows].entries = traced - window[windows].first;
        windows++;
        is_open = false;
    }
}

/* The kernel is entered by a fault: whether `last` could not be done, rather than its successor not be fetched, which only a jump's can.
 * The kernel itself does not fault: after its return to user space it is the first instruction there. */
static bool is_tried(void)
{
    return last && !(last->address >> 63) && (last->accesses == UNKNOWN || accesses < last->accesses);
}

static void accessed(unsigned cpu, uint32_t info, uint64_t address, void *argument) { accesses++; }

/* `insn` is about to be executed. */
static void executed(unsigned cpu, void *argument)
{
    const struct insn *insn = argument;
    if (insn->kind == END) {
        window_end();
    } else if (insn->kind == BEGIN) {
        window_begin();
    } else if (insn->kind == GROUP) {
        group_end();
    } else if (is_open) {
        grow((void **)&trace, &trace_room, traced, sizeof *trace);
        trace[traced++] = insn;
        window[windows].tries += insn->kind == FAULT && is_tried();
        last = insn;
        accesses = 0;
    }
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *from = qemu_plugin_tb_get_insn(block, i);
        uint64_t address = qemu_plugin_insn_vaddr(from);
        const unsigned char *bytes = qemu_plugin_insn_haddr(from);
        if (bytes && bytes != (void *)-1) {
            struct page *page = page_find(address - address % PAGE, bytes - address % PAGE);
            struct insn *insn = insn_find(page, address, from);
            qemu_plugin_register_vcpu_insn_exec_cb(from, executed, QEMU_PLUGIN_CB_NO_REGS, insn);
            if (insn->accesses > 0) {
                qemu_plugin_register_vcpu_mem_cb(from, accessed, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, insn);
            }
        }
    }
}

/* ---- beginning and end ---- */

static bool marks_read(const char *name)
{
    FILE *file = fopen(name, "r");
    if (!file) {
        return false;
    }
    char hex[2 * MARK_BYTES + 1];
    for (; marks < MARKS; marks++) {
        struct mark *m = &mark[marks];
        if (fscanf(file, "%u %" SCNx64 " %32s", &m->kind, &m->address, hex) != 3) {
            break;
        }
        for (unsigned i = 0; i < MARK_BYTES; i++) {
            unsigned byte = 0;
            sscanf(hex + 2 * i, "%2x", &byte);
            m->bytes[i] = (unsigned char)byte;
        }
    }
    bool whole = feof(file) && marks < MARKS;
    fclose(file);
    return whole;
}

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const void *info, int count, char **argument);
int qemu_plugin_install(uint64_t id, const void *info, int count, char **argument)
{
    bool has_marks = false;
    for (int i = 0; i < count; i++) {
        if (!strncmp(argument[i], "out=", 4)) {
            out = fopen(argument[i] + 4, "w");
        } else if (!strncmp(argument[i], "marks=", 6)) {
            has_marks = marks_read(argument[i] + 6);
        }
    }
    if (!out || !has_marks) {
        fputs("counter: marks=FILE and out=FILE are needed\n", stderr);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}

/* QEMU ends by exit() at the guest's word. */
__attribute__((destructor)) static void end(void)
{
    if (out) {
        fclose(out);
    }
}
