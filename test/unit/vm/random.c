/* SPDX-License-Identifier: BSD-2-Clause */
/* random.c: vm against a naive model: seeded random operations of a few processes and a file system, loads and stores through the page
 * tables of machine.c, and kills of vm at random points. After each operation page tables, audit and contents are compared.
 *
 * The model knows pages by address: which there are, what the first word of each holds, and who shares it. */
#include "vmd_kill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <boot/frames.h>
#include <l4/panic.h>
#include "../../../personality/vm/page.h"
#include "../../../personality/vm/pool.h"
#include "machine.h"

enum { PROCESSES = 6, PAGES = 48, FILES = 3, FILE_PAGES = 8, PM = 0x10001, FS = 0x10005, PAGE = 4096 };
enum { BASE = 0x10000, FILE_BASE = 0x1000000, RESERVE = FILE_PAGES * PAGE };

/* What a page is: where its value lies tells who shares it. */
struct cell { u64 value; u32 users; };
struct page { bool there, is_shared; u32 protection, file, file_page; struct cell *cell; };
struct program { u32 users; struct page page[PAGES]; };
static struct { u64 label, task; struct program *program; u32 turn; } process[PROCESSES];
static struct { u32 object; u64 bytes, value[FILE_PAGES]; } file[FILES];

static u32 seed, kills, refused, operations;
static u64 number = 1000;
static i32 kill_in = -1;

static u32 any(u32 below)
{
    seed = seed * 1664525 + 1013904223;
    return (u32)((u64)(seed >> 8) * below >> 24);
}

static _Noreturn void wrong(const char *what)
{
    printf("vm-random: %s after %u operations, %u kills\n", what, operations, kills);
    exit(1);
}

static void kill_point(void)
{
    if (kill_in > 0 && --kill_in == 0) {
        l4_panic("killed");
    }
}

static void check(void)
{
    const char *why = machine_check();
    if (why) {
        wrong(why);
    }
}

/* ---- requests ---- */
static l4_err_t call(u64 label, u32 method, const u64 *word, u32 words, u64 *answer)
{
    const struct kill_method *m = &vmd_kill.methods[method];
    struct l4_message message = { .tag = l4_tag(m->tag, words, 0) | (u64)m->rights << L4_TAG_RIGHTS_SHIFT,
        .label = label,
        .number = m->once ? ++number << 16 | 1 : ++number << 16,
        .word = { word[0], word[1], word[2], word[3] } };
    operations++;
    kill_in = any(3) ? -1 : 1 + (i32)any(any(4) ? 60 : 600);
    while (!world_deliver(&message, word)) {
        do {
            if (strcmp(world_crash(), "killed")) {
                wrong(world_crash());
            }
            kills++;
            machine_refuse(0);
            kill_in = any(4) ? -1 : 1 + (i32)any(40);
        } while (!world_start());
        check();
        kill_in = -1;
    }
    kill_in = -1;
    const struct world_answer *a = world_answer_to(label, message.number);
    if (!a && method == VMD_KILL_PAGER_FAULT) {
        check();
        return VM_NOMEM;            /* it waits for memory */
    }
    if (!a) {
        wrong("no answer");
    }
    check();
    if (answer) {
        *answer = a->word[0];
    }
    return l4_tag_status(a->tag);
}

#define CALL(label, what, count, answer, ...)                                                                          \
    call(label, VMD_KILL_##what, (const u64[L4_WORDS_MAX]){ __VA_ARGS__ }, count, answer)

/* What the CPU does: NULL if the process gets an exception. */
static u64 *reach(u32 p, u64 address, u32 right)
{
    for (u32 tries = 0; tries < 4; tries++) {
        const struct machine_entry *e = machine_find(process[p].task, address);
        if (e && e->rights & right) {
            return frame_content(e->frame);
        }
        u64 error = (right == L4_W ? PAGER_WRITE : PAGER_READ) | (e ? PAGER_PRESENT : 0);
        l4_err_t err = CALL(process[p].label, PAGER_FAULT, 3, NULL, address, error, 0);
        if (err == VM_NOMEM) {
            refused++;
            return NULL;
        }
        if (err != L4_OK) {
            return NULL;
        }
    }
    wrong("faults for ever");
}

/* ---- the model's pages ---- */
static void page_drop(struct page *page)
{
    if (page->cell && --page->cell->users == 0) {
        free(page->cell);
    }
    *page = (struct page){ 0 };
}

static struct cell *cell_new(u64 value)
{
    struct cell *cell = malloc(sizeof *cell);
    *cell = (struct cell){ value, 1 };
    return cell;
}

static void program_drop(struct program *program)
{
    if (--program->users) {
        return;
    }
    for (u32 i = 0; i < PAGES; i++) {
        page_drop(&program->page[i]);
    }
    free(program);
}

static struct program *program_new(void)
{
    struct program *program = calloc(1, sizeof *program);
    program->users = 1;
    return program;
}

static struct program *program_fork(const struct program *from)
{
    struct program *to = program_new();
    for (u32 i = 0; i < PAGES; i++) {
        to->page[i] = from->page[i];
        if (!from->page[i].cell) {
            continue;
        }
        if (from->page[i].is_shared) {
            to->page[i].cell->users++;
        } else {
            to->page[i].cell = cell_new(from->page[i].cell->value);
        }
    }
    return to;
}

/* Past the end of its file. */
static bool is_bus(const struct page *page)
{
    return page->file && page->file_page * PAGE >= file[page->file - 1].bytes;
}

/* NULL: what is there is the file's own word. */
static u64 *value_of(struct page *page)
{
    if (page->cell) {
        return &page->cell->value;
    }
    return &file[page->file - 1].value[page->file_page];
}

static void use(u32 p, u32 i, bool writes)
{
    struct page *page = &process[p].program->page[i];
    bool may = page->there && !is_bus(page) && (writes ? page->protection & VM_W : page->protection);
    u32 before = refused;
    u64 *at = reach(p, BASE + i * PAGE, writes ? L4_W : L4_R);
    if (refused != before) {
        return;
    }
    if (may != (at != NULL)) {
        wrong(may ? "an access failed that may not" : "an access succeeded that may not");
    }
    if (!at) {
        return;
    }
    if (*at != *value_of(page)) {
        wrong("memory holds something else");
    }
    if (writes) {
        u64 fresh = ((u64)any(1 << 20) << 20) + operations;
        if (page->file && !page->is_shared && !page->cell) {
            page->cell = cell_new(fresh);
        }
        *at = *value_of(page) = fresh;
    }
}

/* ---- operations ---- */
static void range(u32 *first, u32 *pages)
{
    *first = any(PAGES - 1);
    *pages = 1 + any(any(3) ? 6 : PAGES - *first);
    *pages = *first + *pages > PAGES ? PAGES - *first : *pages;
}

static void op_map(u32 p)
{
    u32 first, pages, protection = any(8) ? VM_RW : any(8);
    bool shared = !any(4);
    range(&first, &pages);
    u64 at, end = BASE + first * PAGE;
    l4_err_t err = CALL(
        process[p].label, VM_MAP, 4, &at, end, pages * PAGE, protection, VM_FIXED | shared | (any(4) ? 0 : VM_LOCKED));
    if (err != L4_OK || at != end) {
        wrong("map failed");
    }
    for (u32 i = first; i < first + pages; i++) {
        struct page *page = &process[p].program->page[i];
        page_drop(page);
        *page = (struct page){ .there = true, .is_shared = shared, .protection = protection, .cell = cell_new(0) };
    }
}

static void op_unmap(u32 p)
{
    u32 first, pages;
    range(&first, &pages);
    if (CALL(process[p].label, VM_UNMAP, 2, NULL, BASE + first * PAGE, pages * PAGE)) {
        wrong("unmap failed");
    }
    for (u32 i = first; i < first + pages; i++) {
        page_drop(&process[p].program->page[i]);
    }
}

static void op_protect(u32 p)
{
    u32 first, pages, protection = any(8), i;
    range(&first, &pages);
    struct page *page = process[p].program->page;
    for (i = first; i < first + pages && page[i].there && !(page[i].file && page[i].is_shared && protection & VM_X);
         i++) {
        page[i].protection = protection;
    }
    l4_err_t err = CALL(process[p].label, VM_PROTECT, 3, NULL, BASE + first * PAGE, pages * PAGE, protection);
    l4_err_t expected = i == first + pages ? L4_OK : page[i].there ? VM_ACCESS : VM_NOMEM;
    if (err != expected) {
        wrong("protect answered otherwise");
    }
}

static void op_discard(u32 p)
{
    u32 first, pages;
    range(&first, &pages);
    l4_err_t expected = L4_OK;
    for (u32 i = first; i < first + pages; i++) {
        struct page *page = &process[p].program->page[i];
        expected = page->there ? expected : VM_NOMEM;
        if (page->there && !page->is_shared && page->file && page->cell) {
            free(page->cell);
            page->cell = NULL;
        } else if (page->there && !page->is_shared && !page->file) {
            page->cell->value = 0;
        }
    }
    if (CALL(process[p].label, VM_DISCARD, 2, NULL, BASE + first * PAGE, pages * PAGE) != expected) {
        wrong("discard answered otherwise");
    }
}

/* Moves, within what the model may assume: one page is always in one region. */
static void op_move(u32 p)
{
    u32 from = any(PAGES), to = any(PAGES);
    struct page *page = process[p].program->page;
    l4_err_t err = CALL(process[p].label, VM_RESIZE, 5, NULL, BASE + from * PAGE, PAGE, PAGE, 2, BASE + to * PAGE);
    l4_err_t expected = from == to ? VM_INVAL : page[from].there ? L4_OK : VM_FAULT;
    if (err != expected) {
        wrong("a move answered otherwise");
    }
    if (err == L4_OK) {
        page_drop(&page[to]);
        page[to] = page[from];
        page[from] = (struct page){ 0 };
    }
}

/* Grows by a page that is free, in place. It may be refused, and is where the next page is of another kind. */
static void op_grow(u32 p)
{
    u32 at = any(PAGES - 1);
    struct page *page = process[p].program->page;
    if (!page[at].there || page[at + 1].there || page[at].file || page[at].is_shared) {
        return;
    }
    l4_err_t err = CALL(process[p].label, VM_RESIZE, 5, NULL, BASE + at * PAGE, PAGE, 2 * PAGE, 0, 0);
    if (err == L4_OK) {
        page[at + 1] = (struct page){ .there = true, .protection = page[at].protection, .cell = cell_new(0) };
    } else if (err != VM_NOMEM) {
        wrong("growing answered otherwise");
    }
}

static void label_next(u32 p)
{
    process[p].label = (u64)++process[p].turn << 16 | (VM_PROCESS_FIRST + p);
    process[p].task = 4096 + VM_PROCESS_FIRST + p;
}

static void op_fork(u32 p)
{
    u32 child = any(PROCESSES);
    bool share = !any(4);
    if (process[child].program) {
        return;
    }
    label_next(child);
    l4_err_t err = CALL(PM, VM_FORK, 6, NULL, process[p].label, process[child].label, process[child].task, 0, share, 0);
    if (err == VM_NOMEM) {
        refused++;
        return;
    }
    if (err != L4_OK) {
        wrong("fork failed");
    }
    u64 *data = reach(child, VM_RUNTIME_DATA, L4_R), *of_parent = reach(p, VM_RUNTIME_DATA, L4_R);
    if (!data || *data != *of_parent || data == of_parent) {
        wrong("the child's runtime has not the parent's data");
    }
    process[child].program = share ? process[p].program : program_fork(process[p].program);
    process[child].program->users += share;
}

static void op_make(u32 p)
{
    label_next(p);
    l4_err_t err = CALL(PM, VM_MAKE, 2, NULL, process[p].label, process[p].task);
    if (err == L4_OK) {
        process[p].program = program_new();
        *reach(p, VM_RUNTIME_DATA, L4_W) = process[p].label;
        if (*reach(p, VM_RUNTIME_TEXT, L4_R) != 0xa001) {
            wrong("the runtime is not mapped");
        }
    } else if (err != VM_NOMEM) {
        wrong("make failed");
    }
}

static void op_drop(u32 p)
{
    if (CALL(PM, VM_DROP, 1, NULL, process[p].label)) {
        wrong("drop failed");
    }
    program_drop(process[p].program);
    process[p].program = NULL;
}

static void op_exec(u32 p)
{
    l4_err_t err = CALL(process[p].label, VM_MAP, 4, NULL, VM_RUNTIME_PROGRAM, PAGE, VM_RW, VM_FIXED);
    u64 *word = err == L4_OK ? reach(p, VM_RUNTIME_PROGRAM, L4_W) : NULL;
    if (word) {
        *word = 0x12345;
    }
    err = CALL(PM, VM_EXEC, 1, NULL, process[p].label);
    if (err == VM_NOMEM) {
        refused++;
        return;
    }
    if (err != L4_OK) {
        wrong("exec failed");
    }
    program_drop(process[p].program);
    process[p].program = program_new();
    if (word && *reach(p, VM_RUNTIME_PROGRAM, L4_R) != 0x12345) {
        wrong("the arguments are lost");
    }
    if (CALL(process[p].label, VM_UNMAP, 2, NULL, VM_RUNTIME_PROGRAM, PAGE) || *reach(p, VM_RUNTIME_DATA, L4_R)) {
        wrong("the new runtime is not fresh");
    }
}

/* ---- files ---- */
static void file_bytes_set(u32 f, u64 bytes)
{
    u64 pages = (bytes + PAGE - 1) / PAGE;
    for (u32 p = 0; p < PROCESSES; p++) {
        for (u32 i = 0; process[p].program && i < PAGES; i++) {
            struct page *page = &process[p].program->page[i];
            if (page->file == f + 1 && page->file_page >= pages && page->cell) {
                free(page->cell);
                page->cell = NULL;
            }
        }
    }
    for (u64 i = 0; i < FILE_PAGES; i++) {
        if (i >= pages || (bytes < file[f].bytes && bytes <= i * PAGE)) {
            file[f].value[i] = 0;
        }
    }
    file[f].bytes = bytes;
}

static void op_file_resize(u32 f)
{
    u64 bytes = any(FILE_PAGES) * PAGE + (any(2) ? 0 : 8 + any(4000));
    bool grows = bytes > file[f].bytes;
    machine_refuse(grows && !any(4) ? 1 : 0);
    l4_err_t err = CALL(FS, VM_RESIZE_OBJECT, 2, NULL, file[f].object, bytes);
    machine_refuse(0);
    if (err == VM_NOMEM && !grows) {
        wrong("a file does not shrink");
    }
    if (err == VM_NOMEM) {
        refused++;
        return;
    }
    if (err != L4_OK) {
        wrong("a file was not resized");
    }
    file_bytes_set(f, bytes);
}

static void op_file_write(u32 f)
{
    for (u32 i = 0; i * PAGE < file[f].bytes; i++) {
        const struct machine_entry *e = machine_find(4096 + (u16)FS, FILE_BASE + f * RESERVE + i * PAGE);
        if (!e || !(e->rights & L4_W)) {
            wrong("a file is not mapped at its owner");
        }
        u64 *at = frame_content(e->frame);
        if (*at != file[f].value[i]) {
            wrong("a file holds something else");
        }
        *at = file[f].value[i] = any(1 << 24);
    }
}

static void op_file_map(u32 p)
{
    u32 f = any(FILES), first, pages, offset = any(FILE_PAGES), protection = any(4);
    bool shared = any(2);
    range(&first, &pages);
    l4_err_t err = CALL(PM, VM_MAP_OBJECT, 9, NULL, process[p].label, file[f].object, offset * PAGE,
        BASE + first * PAGE, pages * PAGE, protection, VM_FIXED | shared, VM_RW, f);
    if (err != L4_OK) {
        wrong("a file was not mapped");
    }
    for (u32 i = 0; i < pages; i++) {
        struct page *page = &process[p].program->page[first + i];
        page_drop(page);
        *page = (struct page){
            .there = true, .is_shared = shared, .protection = protection, .file = f + 1, .file_page = offset + i
        };
    }
}

/* Page after page, which vm foresees. */
static void op_sweep(u32 p)
{
    u32 first, pages;
    range(&first, &pages);
    for (u32 i = first; i < first + pages; i++) {
        use(p, i, true);
    }
}

static void op_any(u32 p)
{
    switch (any(40)) {
    case 0 ... 3: op_map(p); break;
    case 4 ... 5: op_unmap(p); break;
    case 6 ... 7: op_protect(p); break;
    case 8: op_discard(p); break;
    case 9 ... 10: op_move(p); break;
    case 11: op_grow(p); break;
    case 12: op_fork(p); break;
    case 13: if (!any(3)) op_drop(p); break;
    case 14: if (!any(2)) op_exec(p); break;
    case 15: op_file_resize(any(FILES)); break;
    case 16: op_file_write(any(FILES)); break;
    case 17: op_file_map(p); break;
    case 18: op_sweep(p); break;
    default: use(p, any(PAGES), any(2)); break;
    }
}

static void run(u32 first_seed, u32 rounds)
{
    seed = first_seed;
    world_reset();
    world_start();
    world_point = kill_point;
    u64 whole = frames_free();
    for (u32 f = 0; f < FILES; f++) {
        u64 object;
        file[f].bytes = 0;
        memset(file[f].value, 0, sizeof file[f].value);
        if (f == 0 ? CALL(FS, VM_ADOPT_OBJECT, 5, &object, f + 1, FILE_BASE, RESERVE, 6 * PAGE, 4 * PAGE)
                   : CALL(FS, VM_MAKE_OBJECT, 4, &object, f + 1, FILE_BASE + f * RESERVE, RESERVE, f * 2 * PAGE)) {
            wrong("no object");
        }
        file[f].object = (u32)object;
        file[f].bytes = f == 0 ? 4 * PAGE : f * 2 * PAGE;
        for (u32 i = 0; f == 0 && i < 4; i++) {
            file[f].value[i] = 0xa006 + i;
        }
    }
    for (u32 i = 0; i < rounds; i++) {
        u32 p = any(PROCESSES);
        if (process[p].program) {
            op_any(p);
        } else if (!any(4)) {
            op_make(p);
        }
    }
    for (u32 p = 0; p < PROCESSES; p++) {
        if (process[p].program) {
            op_drop(p);
        }
    }
    for (u32 f = 0; f < FILES; f++) {
        if (CALL(FS, VM_DROP_OBJECT, 1, NULL, file[f].object)) {
            wrong("an object was not dropped");
        }
    }
    if (frames_free() != whole || !vmd_server.check()) {
        wrong("frames are lost");
    }
    world_point = NULL;
}

int main(int count, char **words)
{
    static struct world_server server;
    u32 runs = count > 1 ? (u32)atoi(words[1]) : 100;
    server = vmd_kill.world;
    server.state_bytes = machine_bytes();
    world_init(&server);
    for (u32 i = 0; i < runs; i++) {
        run(count > 2 ? (u32)atoi(words[2]) : 1000 + i, 1500);
    }
    printf("vm-random: %u runs, %u operations, %u kills, %u refused for memory\n", runs, operations, kills, refused);
    return 0;
}
