/* SPDX-License-Identifier: BSD-2-Clause */
/* rseq.c: restartable sequences. A thread registers an area in its memory; while the area names a sequence, nobody else may run and no
 * handler may begin between the sequence's first instruction and its last unless the thread goes on at the sequence's abort instead.
 * Who says that others ran: the kernel (utcb->lost: preemption, a stop, a page fault, while the area names a sequence), every wait of
 * the runtime's, each signal. They all come here before the program goes on. The area is read then and written only where it is not right yet, since it lies in a page
 * that is shared after a fork. What cannot be read, or makes no sense, is SIGSEGV, as on Linux 6.1. */
#include "calls.h"
#include "rseq.h"
#include "user.h"

enum { UNREGISTER = 1, AREA_ALIGN = 32, SIGNATURE_BYTES = 4 };
enum { CPU_HERE = 0, CPU_NONE = -1 };   /* the kernel has one CPU */

/* struct rseq and struct rseq_cs */
struct linux_rseq {
    i32 cpu_start, cpu;
    u64 sequence;                   /* struct linux_sequence, or 0 */
    u32 flags, pad[3];
};
_Static_assert(sizeof(struct linux_rseq) == AREA_ALIGN, "struct rseq");
enum { SEQUENCE = offsetof(struct linux_rseq, sequence) };

struct linux_sequence {
    u32 version, flags;
    u64 start, bytes, abort;
};
_Static_assert(sizeof(struct linux_sequence) == 32, "struct rseq_cs");

void rseq_set(struct thread *t, u64 area, u32 signature)
{
    t->rseq = area;
    t->rseq_signature = signature;
    thread_utcb(t)->tell_lost = area ? area + SEQUENCE : 0;
}

/* Its abort lies outside it and behind the signature, everything below the end of the program's addresses. */
static bool is_sane(const struct thread *t, const struct linux_sequence *s)
{
    u32 signature;
    return s->version == 0 && s->start < USER_END && s->bytes < USER_END - s->start && s->abort < USER_END
        && s->abort - s->start >= s->bytes && user_get(&signature, s->abort - SIGNATURE_BYTES, sizeof signature)
        && signature == t->rseq_signature;
}

static bool forget_sequence(u64 area)
{
    u64 none = 0;
    return user_put(area + SEQUENCE, &none, sizeof none);
}

/* Leave the sequence that the area names, or forget one that was left. */
static bool leave_sequence(struct thread *t, const struct linux_rseq *area)
{
    struct linux_sequence s;
    if (!area->sequence)
        return true;
    if (!user_get(&s, area->sequence, sizeof s) || !is_sane(t, &s))
        return false;
    bool inside = t->at.rip - s.start < s.bytes;
    if (inside && (s.flags || area->flags))
        return false;
    if (!forget_sequence(t->rseq))
        return false;
    if (inside) {
        t->at.rip = s.abort;
        t->full = 1;
    }
    return true;
}

static bool put_cpu(u64 at, i32 start, i32 cpu)
{
    i32 two[] = { start, cpu };
    return user_put(at, two, sizeof two);
}

bool rseq_settle(struct thread *t)
{
    struct linux_rseq area;
    thread_utcb(t)->lost = 0;       /* before the look: what comes now is looked after, too */
    if (!t->rseq)
        return true;
    if (!user_get(&area, t->rseq, sizeof area) || !leave_sequence(t, &area))
        return false;
    return (area.cpu_start == CPU_HERE && area.cpu == CPU_HERE) || put_cpu(t->rseq, CPU_HERE, CPU_HERE);
}

void rseq_waited(struct thread *t)
{
    if (t->rseq && (u64)user_long((const u64 *)(t->rseq + SEQUENCE)) + 1 > 1)
        thread_utcb(t)->lost = 1;
}

static i64 unregister(struct thread *t, u64 area, u64 bytes, u32 signature)
{
    if (!t->rseq || area != t->rseq || bytes != sizeof(struct linux_rseq))
        return -EINVAL;
    if (signature != t->rseq_signature)
        return -EPERM;
    if (!put_cpu(area, 0, CPU_NONE))
        return -EFAULT;
    rseq_set(t, 0, 0);
    return 0;
}

/* Linux fills in the CPU on the way back from the call: where that fails, the call has succeeded and the program gets SIGSEGV. */
i64 sys_rseq(struct thread *t, const u64 *a)
{
    u64 at = a[0], bytes = (u32)a[1];
    u32 flags = (u32)a[2], signature = (u32)a[3];
    struct linux_rseq area;
    if (flags == UNREGISTER)
        return unregister(t, at, bytes, signature);
    if (flags || bytes != sizeof area || (t->rseq ? at != t->rseq : at % AREA_ALIGN))
        return -EINVAL;
    if (t->rseq)
        return signature != t->rseq_signature ? -EPERM : -EBUSY;
    if (!user_get(&area, at, sizeof area) || (area.sequence && !forget_sequence(at)))
        return -EFAULT;
    rseq_set(t, at, signature);
    if (!put_cpu(at, CPU_HERE, CPU_HERE))
        signal_raise(t, &(struct linux_siginfo){ .number = SIGSEGV, .code = SI_KERNEL });
    return 0;
}
