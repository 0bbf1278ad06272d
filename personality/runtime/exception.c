/* SPDX-License-Identifier: BSD-2-Clause */
/* exception.c: exceptions of the program become signals, those of a copy from or to its memory become EFAULT, all others are
 * mistakes of the runtime and end the process. */
#include "pm.h"
#include "user.h"
#include "vm.h"
#include <abi/object.h>
#include <process.h>

enum { DIVIDE = 0, DEBUG = 1, BREAKPOINT = 3, OVERFLOW = 4, BOUND = 5, OPCODE = 6, PAGE = 14, X87 = 16, ALIGNMENT = 17, SIMD = 19 };
enum { FAULT_WRITE = 2, FAULT_FETCH = 16 };

static bool is_in(u64 ip, const u8 *from, const u8 *to) { return ip - (u64)from < (u64)(to - from); }

static struct linux_siginfo fault_info(i32 number, i32 code, u64 address)
{
    return (struct linux_siginfo){ .number = number, .code = code, .fault = { address } };
}

static struct linux_siginfo page_fault(const struct thread *t)
{
    u64 error = t->fault.error;
    l4_err_t why = vm_explain(PROCESS_VM, t->fault.address, error & FAULT_FETCH ? 2 : error & FAULT_WRITE ? 1 : 0);
    if (why == VM_BUS)
        return fault_info(SIGBUS, BUS_ADRERR, t->fault.address);
    return fault_info(SIGSEGV, why == VM_ACCESS ? SEGV_ACCERR : SEGV_MAPERR, t->fault.address);
}

static struct linux_siginfo info_of(const struct thread *t)
{
    u64 ip = t->at.rip;
    switch (t->fault.vector) {
    case DIVIDE:
        return fault_info(SIGFPE, FPE_INTDIV, ip);
    case DEBUG:
        return fault_info(SIGTRAP, TRAP_TRACE, ip);
    case BREAKPOINT:
        return fault_info(SIGTRAP, SI_KERNEL, 0);
    case OPCODE:
        return fault_info(SIGILL, ILL_ILLOPN, ip);
    case PAGE:
        return page_fault(t);
    case X87:
    case SIMD:
        return fault_info(SIGFPE, FPE_FLTINV, ip);
    case ALIGNMENT:
        return fault_info(SIGBUS, BUS_ADRALN, 0);
    default:
        return fault_info(SIGSEGV, SI_KERNEL, 0);
    }
}

void runtime_exception(struct thread *t)
{
    struct l4_exception e = thread_utcb(t)->exception;
    u64 ip = e.registers.rip;
    bool leaving = ip - runtime_header.leave < runtime_header.leave_end - runtime_header.leave;
    if (is_in(ip, user_code, user_code_end)) {
        e.registers.rip = (u64)user_fault;
        runtime_resume(&e.registers);
    }
    if (!leaving && ip - L4_RUNTIME_BASE < runtime_header.end - L4_RUNTIME_BASE) {
        runtime_die(t, SIGSEGV);
    }
    if (leaving && thread_utcb(t)->reflect_rip != ~0ul) {   /* from a call that was answered at once: only where it goes on is known */
        t->at = e.registers;
        t->at.rip = thread_utcb(t)->reflect_rip;
        t->at.rflags = thread_utcb(t)->reflect_rflags;
        t->at.rsp = thread_utcb(t)->reflect_rsp;
        t->full = 1;
    }
    if (!leaving) {                 /* else thread->at is what the program shall have, and its rip or flags are to blame */
        t->at = e.registers;
        t->full = 1;
    }
    if (leaving && e.vector == DEBUG) {
        t->at.rflags &= ~0x100ul;
        runtime_leave(t);
    }
    thread_utcb(t)->kick_mask = 1;
    thread_utcb(t)->reflect_rip = ~0ul;
    t->restart = RESTART_NEVER;
    t->fault.vector = e.vector;
    t->fault.error = e.error;
    t->fault.address = e.vector == PAGE ? e.address : t->fault.address;
    struct linux_siginfo info = info_of(t);
    signal_raise(t, &info);
    runtime_leave(t);
}
