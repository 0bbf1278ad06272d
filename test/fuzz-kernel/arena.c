/* SPDX-License-Identifier: BSD-2-Clause */
/* arena.c: physical memory, and a fence around every block of it that the kernel takes: AddressSanitizer knows what is
 * in use to the byte, so a kernel object that is touched after it was given back is found at that instruction. The
 * linker leads memory.c's functions through here (--wrap); memory.c itself is not instrumented: it clears what is free. */
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "arch.h"
#include "lock.h"
#include "machine.h"
#include "memory.h"

enum { UNIT = 64, UNITS = MACHINE_SHARE_BYTES / UNIT };

u64 arch_direct_map;
static u16 block[UNITS];            /* bytes of the block in use that begins there */
static u16 saved_block[UNITS];
static u8 *saved, *saved_state, *pages_at;
static u64 saved_bytes;             /* of the share */
extern u8 kernel_state_begin[], kernel_state_end[];

static u8 *share(void) { return arch_pointer(MACHINE_SHARE); }

/* For memory.c, in place of memset. */
void *arena_memset(void *to, int byte, size_t bytes);
void *arena_memset(void *to, int byte, size_t bytes)
{
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(byte) : "memory");
    return to;
}

void arena_init(void)
{
    u8 *arena = mmap(NULL, MACHINE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED)
        machine_fail("no memory for the arena");
    arch_direct_map = (u64)arena;
}

bool arena_is_block(const void *at)
{
    u64 offset = (u64)at - (u64)share();
    return offset < MACHINE_SHARE_BYTES && block[offset / UNIT];
}

static void *took(void *at, u32 bytes)
{
    lock_needs_all();
    u64 offset = (u64)at - (u64)share();
    if (!at)
        return NULL;
    if (offset >= MACHINE_SHARE_BYTES || offset % UNIT)
        machine_fail("memory: a block outside of the kernel's share");
    for (u64 i = 0; i < (bytes + UNIT - 1) / UNIT; i++)
        if (block[offset / UNIT + i])
            machine_fail("memory: a block was given twice");
    block[offset / UNIT] = (u16)bytes;
    ASAN_UNPOISON_MEMORY_REGION(at, bytes);
    return at;
}

static void gave(const void *at, u32 bytes)
{
    lock_needs_all();
    u64 offset = (u64)at - (u64)share();
    if (offset >= MACHINE_SHARE_BYTES || memory_cost(block[offset / UNIT]) != memory_cost(bytes))
        machine_fail("memory: %u bytes given back that were not taken so", bytes);
    block[offset / UNIT] = 0;
    ASAN_POISON_MEMORY_REGION(at, bytes);
}

void __real_memory_init(paddr_t base, u64 bytes);
void *__real_memory_take(struct factory *factory, u32 bytes);
void __real_memory_give(struct factory *factory, void *at, u32 bytes);
void *__real_memory_take_block(struct factory *factory, u32 order);
void __real_memory_give_block(struct factory *factory, void *at, u32 order);
void *__real_memory_take_zero(struct factory *factory);
void __real_memory_give_zero(struct factory *factory, void *page);
void __wrap_memory_init(paddr_t base, u64 bytes);
void *__wrap_memory_take(struct factory *factory, u32 bytes);
void __wrap_memory_give(struct factory *factory, void *at, u32 bytes);
void *__wrap_memory_take_block(struct factory *factory, u32 order);
void __wrap_memory_give_block(struct factory *factory, void *at, u32 order);
void *__wrap_memory_take_zero(struct factory *factory);
void __wrap_memory_give_zero(struct factory *factory, void *page);

void __wrap_memory_init(paddr_t base, u64 bytes)
{
    __real_memory_init(base, bytes);
    pages_at = arch_pointer(memory_unused);     /* before that it keeps what it knows of each page */
    ASAN_POISON_MEMORY_REGION(pages_at, memory_end - memory_unused);
}

void *__wrap_memory_take(struct factory *factory, u32 bytes)
{
    return took(__real_memory_take(factory, bytes), bytes);
}

void __wrap_memory_give(struct factory *factory, void *at, u32 bytes)
{
    gave(at, bytes);
    __real_memory_give(factory, at, bytes);
}

void *__wrap_memory_take_block(struct factory *factory, u32 order)
{
    return took(__real_memory_take_block(factory, order), 1u << order);
}

void __wrap_memory_give_block(struct factory *factory, void *at, u32 order)
{
    gave(at, 1u << order);
    __real_memory_give_block(factory, at, order);
}

void *__wrap_memory_take_zero(struct factory *factory)
{
    return took(__real_memory_take_zero(factory), L4_PAGE_SIZE);
}

void __wrap_memory_give_zero(struct factory *factory, void *page)
{
    gave(page, L4_PAGE_SIZE);
    __real_memory_give_zero(factory, page);
}

/* ---- back to the start ---- */

static void copy(void *to, const void *from, u64 bytes)     /* past every fence */
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

/* Of the share nobody has touched more than what memory.c has begun to give out. */
static u64 touched(void) { return memory_unused - MACHINE_SHARE; }

void arena_save(void)
{
    u64 state_bytes = (u64)(kernel_state_end - kernel_state_begin);
    saved_bytes = touched();
    saved = malloc(saved_bytes);
    saved_state = malloc(state_bytes);
    copy(saved, share(), saved_bytes);
    copy(saved_state, kernel_state_begin, state_bytes);
    memcpy(saved_block, block, sizeof block);
}

void arena_restore(void)
{
    u8 *end = share() + touched();
    copy(share(), saved, saved_bytes);
    arena_memset(share() + saved_bytes, 0, (u64)(end - share()) - saved_bytes);     /* as the loader left it */
    copy(kernel_state_begin, saved_state, (u64)(kernel_state_end - kernel_state_begin));
    memcpy(block, saved_block, sizeof block);
    ASAN_POISON_MEMORY_REGION(pages_at, (u64)(end - pages_at));
    for (u32 i = 0; i < saved_bytes / UNIT; i++)
        if (block[i])
            ASAN_UNPOISON_MEMORY_REGION(share() + (u64)i * UNIT, block[i]);
}
