/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz.h: what a step may do, and what it can see; see README.md for how bytes become steps. */
#pragma once
#include <abi/ipc.h>
#include "seen.h"

enum { RECORD = 16, RECORD_SETTLE = 0x80, RECORD_INTERRUPT = 0x40 };    /* bits of a record's last byte */

extern struct seen now;         /* the kernel, before this step */
extern u64 fuzz_step;           /* number of this step in its input */
const struct seen_thread *running_thread(void);

/* What the running thread's code does without the kernel. */
void user_registers(const struct l4_registers *r);
void user_utcb(const struct l4_utcb *utcb);
void user_write(u64 frame, u64 value);
/* One entry into the kernel; the running thread's registers are set. */
void do_system_call(bool lets_interrupt_in);
void do_exception(u64 vector, u64 error, u64 address, bool ports_are_new);
void do_timer(void);
void do_line(u32 line);

/* What the model is to do after it. */
struct model_step {
    enum { STEP_NONE, STEP_SYSTEM_CALL, STEP_EXCEPTION, STEP_TIMER, STEP_LINE } what;
    u64 self, a, error, address;
    bool ports_are_new;
    bool chose_before;          /* an answer was given, somebody may have been made ready and queued, before the receive was run again */
};
extern struct model_step model_step;

/* ---- step.c: one record ---- */
void step_running(const u8 *record);
void step_idle(const u8 *record);
void step_again(void);          /* the running thread's system call is to be run again */
