/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c: plays pm and a file system: makes processes, whose threads run a few instructions in pages that the client writes as a
 * file, and looks at memory through another mapping of the same file. vm is killed meanwhile. It leaves by isa-debug-exit: 33 passes.
 *
 * A program: loop { read order from the shared page; do; write the answer; halt by a fault nobody resolves }. Here each order is a
 * program of its own: mov rax, [rdi] etc. at an address of the file, and it ends by storing to the shared page and looping. */
#include <keeper.h>
#include <l4/clock.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/session.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/window.h>
#include <process.h>
#include <thread.h>
#include <vm.h>

enum { EXIT_PORT = 0xf4, PASS = 0x10, FAIL = 0x11, PAGE = 4096 };
enum { TEXT = 0x400000, SHARED = 0x500000, HEAP = 0x600000, STACK = 0x700000 };
#define FILE_AT 0x5000000000ul
enum { CODE_BYTES = PAGE, SHARED_FILE_BYTES = PAGE };

static struct l4_session vm L4_VOLATILE_ZERO, process L4_VOLATILE_ZERO;
static u32 code L4_VOLATILE_ZERO, board L4_VOLATILE_ZERO;

static void leave(bool passed)
{
    __asm__ volatile("outl %0, %1" :: "a"(passed ? PASS : FAIL), "Nd"((u16)EXIT_PORT));
    for (;;) {
    }
}

#define WANT(call, wanted)                                                                                             \
    do {                                                                                                               \
        i64 got_ = (i64)(call);                                                                                        \
        if (got_ != (i64)(wanted)) {                                                                                   \
            l4_log("not ok: " #call " is %ld (%e), not %ld, line %d", got_, (l4_err_t)got_, (i64)(wanted), __LINE__);  \
            leave(false);                                                                                              \
        }                                                                                                              \
    } while (0)

/* rdi = shared page, rsi in its second word = address, third word = value: *address += value; first word = *address + 1; spin. */
static const u8 program[] = {
    0xbf, 0x00, 0x00, 0x50, 0x00,               /* mov edi, SHARED */
    0x48, 0x8b, 0x77, 0x08,                     /* mov rsi, [rdi+8] */
    0x48, 0x8b, 0x47, 0x10,                     /* mov rax, [rdi+16] */
    0x48, 0x01, 0x06,                           /* add [rsi], rax */
    0x48, 0x8b, 0x06,                           /* mov rax, [rsi] */
    0x48, 0xff, 0xc0,                           /* inc rax */
    0x48, 0x89, 0x07,                           /* mov [rdi], rax */
    0xeb, 0xfe,                                 /* jmp . */
};

static volatile u64 *at_board(void) { return (volatile u64 *)(FILE_AT + 0x100000); }

/* Run the program in a place's thread until it has answered. */
static u64 run(u32 place, u64 address, u64 value)
{
    cap_t thread = PROCESS_THREADS_AT_PM + PROCESS_THREADS * place;
    at_board()[0] = 0;
    at_board()[1] = address;
    at_board()[2] = value;
    WANT(thread_start(thread, TEXT, STACK, 0), L4_OK);
    u64 end = l4_now() + 3000000000ul;
    while (!at_board()[0] && l4_now() < end) {
        l4_sleep(5 * L4_MILLISECOND);
    }
    WANT(thread_stop(thread), L4_OK);
    return at_board()[0] - 1;
}

static void files_make(void)
{
    u64 at;
    WANT(vm_make_object(&vm, 1, FILE_AT, 0x10000, CODE_BYTES, &code), L4_OK);
    WANT(vm_make_object(&vm, 2, FILE_AT + 0x100000, 0x10000, SHARED_FILE_BYTES, &board), L4_OK);
    memcpy((void *)FILE_AT, program, sizeof program);
    (void)at;
}

static void process_make_all(u32 place, u64 label)
{
    u64 start, at;
    WANT(process_make(&process, place, label, &start), L4_OK);
    WANT(vm_make(&vm, label, PROCESS_TASKS_AT_VM + place), L4_OK);
    WANT(vm_map_object(&vm, label, code, 0, TEXT, PAGE, VM_RX, VM_FIXED, VM_R, 1, &at), L4_OK);
    WANT(vm_map_object(&vm, label, board, 0, SHARED, PAGE, VM_RW, VM_FIXED | VM_SHARED, VM_RW, 2, &at), L4_OK);
    WANT(vm_map_object(&vm, label, code, 0, HEAP, PAGE, VM_RW, VM_FIXED, VM_R, 1, &at), L4_OK);
}

static void fork_test(u32 place, u64 label)
{
    u64 child = label + 0x10001, next, start;
    u32 child_place = place + 1;
    u64 first = *(const u64 *)FILE_AT;
    WANT(run(place, HEAP, 5), first + 5);                   /* a private copy of a file's page */
    WANT(*(const u64 *)FILE_AT, first);
    WANT(process_make(&process, child_place, child, &start), L4_OK);
    WANT(vm_fork(&vm, label, child, PROCESS_TASKS_AT_VM + child_place, 0, false, 0, &next), L4_OK);
    WANT(next, 0);
    WANT(run(child_place, HEAP, 1), first + 6);
    WANT(run(place, HEAP, 10), first + 15);
    WANT(run(child_place, HEAP, 1), first + 7);
    WANT(vm_drop(&vm, child), L4_OK);
    WANT(process_drop(&process, child_place), L4_OK);
}

void l4_main(void)
{
    struct vm_totals before, after;
    u32 place = VM_PROCESS_FIRST;
    l4_session_open(&vm, l4_slot_need("vm"), 0, 0);
    l4_session_open(&process, l4_slot_need("keeper"), 0, 0);
    files_make();
    WANT(vm_total(vm.gate, &before), L4_OK);
    l4_log("%lu of %lu frames free", before.free, before.total);
    for (u32 round = 1; round <= 3; round++) {
        u64 label = (u64)round << 20 | VM_PROCESS_FIRST;
        process_make_all(place, label);
        fork_test(place, label);
        WANT(keeper_kill(&process, 3, KEEPER_NULL), L4_OK);
        WANT(run(place, HEAP, 1) != 0, true);
        WANT(vm_drop(&vm, label), L4_OK);
        WANT(process_drop(&process, place), L4_OK);
        WANT(vm_total(vm.gate, &after), L4_OK);
        WANT(after.free, before.free);
        l4_log("ok round %u", round);
    }
    leave(true);
}
