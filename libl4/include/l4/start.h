/* SPDX-License-Identifier: BSD-2-Clause */
/* start.h: how a native program begins and what it may count on.
 *
 * A program is a static ELF (native.ld) with its own stack as a segment. Its first thread enters with rsp at the end
 * of its
 * stack block and rdi pointing to the startup page, which keeper fills; root tasks (sigma0, keeper, kernel tests) get
 * rdi = 0 and
 * the slots of enum l4_boot_slot. Then l4_main() runs; when it returns, the program panics: servers never end.
 *
 * Slots: 1 own task, 2 own thread, 3 log, 4 the irq object that rings this program's events, from 16 on the durable
 * ones that the
 * manifest names, from 1024 on volatile ones, which a restart empties: kept replies, scratch. */
#pragma once
#include <abi/types.h>

#define L4_STARTUP_MAGIC 0x2174726174736c34ul /* "4lstart!" */
#define L4_STARTUP_ADDRESS 0x0ff00000ul
#define L4_STACK_ADDRESS 0x10000000ul /* of a program's first thread; see abi/boot.h for root tasks */
#define L4_STACK_BYTES 0x10000ul      /* size and alignment of every thread's stack block */
#define L4_IMAGE_BASE 0x400000ul

/* Memory that a crash may lose: it is as the file says (or zero) again after each restart. */
#define L4_VOLATILE __attribute__((section(".volatile")))
#define L4_VOLATILE_ZERO __attribute__((section(".volatile_zero,\"aw\",@nobits#")))

enum l4_slot_number {
    L4_SLOT_TASK = 1, /* R only */
    L4_SLOT_THREAD = 2,
    L4_SLOT_LOG = 3,
    L4_SLOT_EVENT = 4,
    L4_SLOT_NAMED = 16,      /* durable, by name */
    L4_SLOT_VOLATILE = 1024, /* this one and all above are emptied by a restart */
};

enum { L4_NAME_BYTES = 24, L4_STARTUP_SLOTS = 64, L4_ARGUMENT_BYTES = 512 };

struct l4_named_slot {
    char name[L4_NAME_BYTES]; /* zero padded and terminated */
    u64 slot;
};

enum { L4_WINDOWS_MOST = 512 };
struct l4_startup {
    u64 magic;
    u32 version;                               /* 1 */
    u32 incarnation;                           /* 1 at the first start, one more at each restart */
    char name[L4_NAME_BYTES];                  /* the service's */
    u64 state_address, state_bytes;            /* the state object; 0: none */
    u64 window_address, window_bytes, windows; /* its clients' windows: `windows` of `window_bytes` each */
    u64 window_there[L4_WINDOWS_MOST / 64];    /* a bit for each that is mapped: clients' threads come later */
    u64 crash_page; /* where the last incarnation's end is told (crash.h), read only; 0: none */
    u64 slots;
    struct l4_named_slot slot[L4_STARTUP_SLOTS];
    char arguments[L4_ARGUMENT_BYTES]; /* the manifest's words, separated by single spaces */
};
_Static_assert(sizeof(struct l4_startup) <= L4_PAGE_SIZE, "the startup page is one page");

/* The program itself: what a C program calls main. */
void l4_main(void);

/* What keeper told this incarnation; NULL in a root task. */
const struct l4_startup *l4_startup(void);
/* Whether a server's window is mapped. A client may name any of its slots, also one whose thread was never made. */
bool l4_window_is_there(u32 index);
/* The slot that the manifest calls `name`; 0 if there is none. */
cap_t l4_slot(const char *name);
/* The same for a name that must be there: panics otherwise. */
cap_t l4_slot_need(const char *name);
/* The value of the argument `key=value`, its length in *bytes; NULL if there is none. A bare word has an empty value.
 * */
const char *l4_argument(const char *key, size_t *bytes);
/* The same as a number (decimal or 0x); `otherwise` if it is absent or none. */
u64 l4_argument_number(const char *key, u64 otherwise);
/* This program's name; "root" in a root task. */
const char *l4_name(void);
