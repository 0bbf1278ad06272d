/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: threads and tasks are made, run and destroyed, one after the other; kernel memory is the same to the byte after each, and the
 * same in the middle of each. How many of either says `lives=` on the command line. */
#include <abi/fpage.h>
#include <abi/kip.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include "factory.h"
#include "gate.h"
#include "task.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { GATE = TEST_SLOTS, DOOR, THREAD, TASK, CHILD_DOOR = 1, USUALLY = 20000 };
#define BLOCK 0x40000000ul      /* of the thread: only its UTCB is ever there */

/* All that a child does: it calls the door in the slot that it was started with. */
void life_child(void);
__asm__(".text; life_child: mov %rdi, %r10; mov $0x100001, %edi; xor %eax, %eax; syscall; 1: jmp 1b");

static u64 lives(void)
{
    const char *word = ((const struct l4_kip *)L4_KIP_ADDRESS)->command_line;
    u64 n = 0;
    while (*word && strncmp(word, "lives=", 6))
        word++;
    for (word += *word ? 6 : 0; *word >= '0' && *word <= '9'; word++)
        n = n * 10 + (u64)(*word - '0');
    return n ? n : USUALLY;
}

/* Kernel memory while the child waits for an answer. */
static struct test_usage run_child(cap_t home, cap_t door)
{
    struct l4_message m;
    l4_must(factory_make_thread(L4_BOOT_FACTORY, THREAD));
    l4_must(thread_bind(THREAD, home, BLOCK));
    l4_must(thread_start(THREAD, (u64)life_child, BLOCK, door));
    wire_wait(&m, 0);
    return test_usage();
}

static struct test_usage thread_life(void)
{
    struct test_usage alive = run_child(L4_BOOT_TASK, DOOR);
    test_drop(THREAD);
    return alive;
}

static struct test_usage task_life(void)
{
    u64 mapped, code = (u64)life_child & ~(u64)(L4_PAGE_SIZE - 1);
    l4_must(factory_make_task(L4_BOOT_FACTORY, TASK));
    l4_must(task_map(TASK, L4_BOOT_TASK, l4_fpage_memory(code, L4_PAGE_SHIFT, 0), code, L4_R | L4_X, &mapped));
    l4_must(task_map(TASK, L4_BOOT_TASK, l4_fpage_caps(DOOR, 0), CHILD_DOOR, L4_R, &mapped));
    struct test_usage alive = run_child(TASK, CHILD_DOOR);
    test_drop(THREAD);
    test_drop(TASK);
    return alive;
}

static bool is_same(struct test_usage a, struct test_usage b) { return a.bytes == b.bytes && a.objects == b.objects; }

static void live(const char *what, struct test_usage (*life)(void), u64 n)
{
    struct test_usage first = life(), before = test_usage();
    u64 others = 0;
    for (u64 i = 0; i < n; i++)
        others += !is_same(life(), first) || !is_same(test_usage(), before);
    test_is("it takes memory to be alive", first.bytes > before.bytes && first.objects > before.objects, true);
    test_is("every life takes the same and gives it back", others, 0);
    l4_print("lives: %lu of a %s: %lu bytes each, %lu in use after the first and after the last\n", n, what,
        first.bytes - before.bytes, test_usage().bytes);
}

void l4_main(void)
{
    test_begin("kernel-lives");
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 1, L4_R));
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
    live("thread", thread_life, lives());
    live("task", task_life, lives());
    test_end();
}
