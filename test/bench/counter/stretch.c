/* SPDX-License-Identifier: BSD-2-Clause */
/* stretch.c: a QEMU plugin that measures for how many instructions at a time interrupts are off.
 * Axolotl's kernel runs with interrupts off from where it is entered to where it leaves, and user code with interrupts on: a stretch is what
 * runs in the kernel from one entry to the next. Waiting for an interrupt is no part of one. What comes before the first entry is the boot.
 * Arguments, addresses in hexadecimal: call=ADDRESS where system calls enter, vectors=ADDRESS and after=ADDRESS the stubs of exceptions and
 * interrupts, idle=ADDRESS the loop that waits, which ends at `vectors`; out=FILE.
 *
 * What comes out, by lines:
 *     block NUMBER ADDRESS LENGTH             instructions that run one after the other
 *     stretch LENGTH ENTRY NUMBER:TIMES...    the longest of those that spend most in the same block, and the blocks it went through;
 *                                             of those that are longer than FLOOR
 *     boot LENGTH
 *     length LENGTH TIMES                     so many stretches were that long
 * One CPU. */
#include "qemu_plugin.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOOR = 1000, BLOCK_HASH = 1 << 14, LENGTH_HASH = 1 << 14 };

struct block {
    struct block *next;
    uint64_t address;
    unsigned number, length, times;     /* times: in this stretch */
    bool is_entry;
    unsigned longest;                   /* of the stretches that spent most of their instructions here */
    char *path;                         /* its line */
};

struct length {
    struct length *next;
    uint64_t length, times;
};

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static FILE *out;
static uint64_t call, vectors, after, idle;
static struct block *block_hash[BLOCK_HASH], **blocks;      /* all of them; by number */
static struct length *length_hash[LENGTH_HASH];
static unsigned block_count, block_room;
static struct block **gone;             /* through, in this stretch: INVARIANT gone: those with times > 0 */
static unsigned gone_count, gone_room;
static uint64_t length, boot, entry;    /* entry 0: the boot */

static void *must(void *memory)
{
    if (!memory) {
        fputs("stretch: no memory\n", stderr);
        exit(1);
    }
    return memory;
}

static void append(struct block ***array, unsigned *count, unsigned *room, struct block *block)
{
    if (*count == *room) {
        *room = *room ? *room * 2 : 1024;
        *array = must(realloc(*array, *room * sizeof **array));
    }
    (*array)[(*count)++] = block;
}

/* ---- the end of a stretch ---- */

static void length_note(uint64_t of)
{
    struct length **at = &length_hash[of % LENGTH_HASH], *l;
    for (l = *at; l; l = l->next) {
        if (l->length == of) {
            l->times++;
            return;
        }
    }
    l = must(malloc(sizeof *l));
    *l = (struct length){ *at, of, 1 };
    *at = l;
}

/* Where this stretch has spent most of its instructions. */
static struct block *hottest(void)
{
    struct block *best = gone[0];
    for (unsigned i = 1; i < gone_count; i++) {
        if ((uint64_t)gone[i]->times * gone[i]->length > (uint64_t)best->times * best->length) {
            best = gone[i];
        }
    }
    return best;
}

static void path_keep(struct block *hot)
{
    size_t size;
    free(hot->path);
    FILE *line = must(open_memstream(&hot->path, &size));
    fprintf(line, "stretch %" PRIu64 " %" PRIx64, length, entry);
    for (unsigned i = 0; i < gone_count; i++) {
        fprintf(line, " %u:%u", gone[i]->number, gone[i]->times);
    }
    fclose(line);
    hot->longest = (unsigned)length;
}

static void stretch_end(void)
{
    if (!entry) {
        boot = length;
    } else {
        length_note(length);
        if (length > FLOOR) {
            struct block *hot = hottest();
            if (length > hot->longest) {
                path_keep(hot);
            }
        }
    }
    for (unsigned i = 0; i < gone_count; i++) {
        gone[i]->times = 0;
    }
    gone_count = 0;
    length = 0;
}

/* ---- what runs ---- */

static void executed(unsigned cpu, void *argument)
{
    struct block *block = argument;
    if (block->is_entry) {
        stretch_end();
        entry = block->address;
    }
    if (block->times++ == 0) {
        append(&gone, &gone_count, &gone_room, block);
    }
    length += block->length;
}

static struct block *block_find(uint64_t address, unsigned insns)
{
    struct block **at = &block_hash[address % BLOCK_HASH], *block;
    for (block = *at; block; block = block->next) {
        if (block->address == address && block->length == insns) {
            return block;
        }
    }
    block = must(calloc(1, sizeof *block));
    *block = (struct block){ .next = *at, .address = address, .number = block_count, .length = insns };
    block->is_entry = address == call || (address >= vectors && address < after && address % 16 == 0);
    *at = block;
    append(&blocks, &block_count, &block_room, block);
    return block;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
    uint64_t address = qemu_plugin_tb_vaddr(tb);
    if (address >> 63 && !(address >= idle && address < vectors)) {
        struct block *block = block_find(address, (unsigned)qemu_plugin_tb_n_insns(tb));
        qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS, block);
    }
}

/* ---- beginning and end ---- */

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const void *info, int count, char **argument);
int qemu_plugin_install(uint64_t id, const void *info, int count, char **argument)
{
    const struct {
        const char *key;
        uint64_t *value;
    } known[] = { { "call=", &call }, { "vectors=", &vectors }, { "after=", &after }, { "idle=", &idle } };
    for (int i = 0; i < count; i++) {
        if (!strncmp(argument[i], "out=", 4)) {
            out = fopen(argument[i] + 4, "w");
        }
        for (unsigned k = 0; k < sizeof known / sizeof *known; k++) {
            if (!strncmp(argument[i], known[k].key, strlen(known[k].key))) {
                *known[k].value = strtoull(argument[i] + strlen(known[k].key), NULL, 16);
            }
        }
    }
    if (!out || !call || !vectors || !after || !idle) {
        fputs("stretch: call=, vectors=, after=, idle= and out=FILE are needed\n", stderr);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}

/* QEMU ends by exit() at the guest's word: the stretch in which it gave it never ends. */
__attribute__((destructor)) static void end(void)
{
    if (!out) {
        return;
    }
    for (unsigned i = 0; i < block_count; i++) {
        fprintf(out, "block %u %" PRIx64 " %u\n", i, blocks[i]->address, blocks[i]->length);
    }
    for (unsigned i = 0; i < block_count; i++) {
        if (blocks[i]->path) {
            fprintf(out, "%s\n", blocks[i]->path);
        }
    }
    fprintf(out, "boot %" PRIu64 "\n", boot);
    for (unsigned i = 0; i < LENGTH_HASH; i++) {
        for (const struct length *l = length_hash[i]; l; l = l->next) {
            fprintf(out, "length %" PRIu64 " %" PRIu64 "\n", l->length, l->times);
        }
    }
    fclose(out);
}
