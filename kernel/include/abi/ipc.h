/* SPDX-License-Identifier: BSD-2-Clause */
/* ipc.h: the one system call and what surrounds it: message tag, UTCB, typed items.
 *
 * INVOKE (`syscall`): r10 capability, rdi tag, rsi rdx r8 r9 words 0-3, rax recovery number (0: none).
 * Comes back:         r10 label,      rdi tag, rsi rdx r8 r9 words 0-3, rax recovery number; rcx r11 lost, others kept.
 *   a door          calls its server: sends, then waits for the answer.
 *   a kernel object runs the method (tag bits 0-31) and answers at once.
 *   0, a reply      sends the answer: tag bits 0-31 are the status (below 0x100; from 0x100 on it is a method of the
 *                   reply object itself). With L4_TAG_WAIT the invoker then waits for the next request: an *open
 *                   receive*, which takes rung irqs bound to the thread first, then the gates bound to it. Nobody to
 *                   answer is no error then.
 *
 * TAG   0-31   request: protocol << 8 | method; answer: status (l4_err_t)
 *       32-37  words (0 to 63): the first four in registers, word i from 4 on at utcb->mr[i]
 *       38-40  typed items, utcb->item[0...]
 *       41-47  flags
 *       48-55  rights of the capability used; filled in by the kernel in what is delivered
 *       56-63  zero
 * An irq is delivered as tag = L4_IRQ << 8 (method 0), label = the label it was bound with, no words. */
#pragma once
#include <abi/types.h>

enum { L4_WORDS_MAX = 63, L4_ITEMS_MAX = 7, L4_REGISTER_WORDS = 4, L4_UTCB_SIZE = 1024 };

#define L4_TAG_WORDS_SHIFT  32
#define L4_TAG_ITEMS_SHIFT  38
#define L4_TAG_RIGHTS_SHIFT 48
#define L4_TAG_TIMEOUT (1ul << 41)  /* utcb->deadline holds for the whole invocation; without it: for ever */
#define L4_TAG_NO_WAIT (1ul << 42)  /* fail with L4_WOULD_BLOCK where the partner is not ready */
#define L4_TAG_NO_PARK (1ul << 43)  /* for the server: answer PENDING, do not keep me (the kernel only passes it on) */
#define L4_TAG_WAIT    (1ul << 44)  /* after the answer, an open receive */
#define L4_TAG_FLAGS   (127ul << 41)
#define L4_TAG_ITEMS   (7ul << L4_TAG_ITEMS_SHIFT)
/* What a sender's tag tells the receiver: method or status, words, items, and of the flags NO_PARK. */
#define L4_TAG_DELIVERED (((1ul << 41) - 1) | L4_TAG_NO_PARK)

static inline u64 l4_tag(u32 what, u32 words, u32 items)
{
    return what | (u64)words << L4_TAG_WORDS_SHIFT | (u64)items << L4_TAG_ITEMS_SHIFT;
}
static inline u32 l4_tag_words(u64 tag) { return (u32)(tag >> L4_TAG_WORDS_SHIFT & 63); }
static inline u32 l4_tag_items(u64 tag) { return (u32)(tag >> L4_TAG_ITEMS_SHIFT & 7); }
static inline u32 l4_tag_rights(u64 tag) { return (u32)(tag >> L4_TAG_RIGHTS_SHIFT & 255); }
static inline l4_err_t l4_tag_status(u64 tag) { return (l4_err_t)tag; }

/* A typed item maps or grants a flexpage of the sender into the receiver's window for that type.
 * It lands at window base + (hot >> 12 & window mask), in pages, ports or slots, rounded down to its size; ports keep
 * their numbers. */
struct l4_item {
    u64 fpage;      /* what, in the sender's task */
    u64 hot;        /* bits 12-63: place inside the window; bits 0-7: rights mask for capabilities; bit 8: grant, which
                       takes along what was derived and has no more rights than are left; the rest is revoked */
};
#define L4_ITEM_GRANT 0x100ul

/* Registers of a user thread, as exceptions, crash records and thread.get_registers show them. */
struct l4_registers {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rflags, rsp, fs_base, gs_base;
};

/* Why the kernel entered a thread's upcall or sent an exception. */
struct l4_exception {
    u64 vector;             /* x86 vector 0-31 (SDM vol. 3, 6.15); 256: a foreign `int 0x80` or vsyscall */
    u64 error;              /* the CPU's error code, 0 if it pushes none */
    u64 address;            /* CR2 for vector 14, else 0 */
    struct l4_registers registers;
};

/* User thread control block: 1 KB of kernel memory mapped into the thread's task. libl4's threads find theirs at the
 * bottom of their 64 KB aligned stack block (rsp & ~0xffff). The kernel trusts nothing in it. */
struct l4_utcb {
    u64 mr[L4_WORDS_MAX];           /* message words; 0-3 are the stub's stash of what it sent */
    u64 sent_cap;                   /* the stub's, so that a cold path can send again */
    u64 sent_tag;
    u64 sent_number;
    u64 deadline;                   /* absolute nanoseconds since boot, read only with L4_TAG_TIMEOUT */
    u64 window_memory;              /* receive windows, flexpages; 0: take none of this type */
    u64 window_caps;
    u64 window_io;
    u64 kick_mask;                  /* bit 0: do not abort my waits when I am kicked */
    u32 kicked;                     /* a kick is latched: the kernel sets it, the runtime clears it. If that finds no wait
                                     * to end, the next one that kick_mask does not protect ends at once: L4_KICKED */
    u32 lost;                       /* with tell_lost: an interrupt or a fault gave the CPU to somebody else. The kernel sets it, the
                                     * runtime clears it; outside the native range the kick upcall follows, as for a
                                     * kick */
    u64 reflect_rip, reflect_rflags, reflect_rsp;   /* where a reflected system call or a kick came from */
    struct l4_item item[L4_ITEMS_MAX];
    struct l4_exception exception;  /* delivered with an exception message, or filled at an exception upcall */
    u64 thread_id;                  /* the kernel's id of this thread, for traces */
    u64 tell_lost;                  /* 0, or the address of a word of the task's: set `lost` while that is not 0, or not to be read.
                                     * What the thread's own invocations do to it is not told */
    u64 spare[14];
};
_Static_assert(sizeof(struct l4_utcb) == L4_UTCB_SIZE, "four UTCBs share a page");
