/* SPDX-License-Identifier: BSD-2-Clause */
/* step.c: sixteen bytes become a step of the running thread, or of the machine when nobody runs. Every record means
 * something, and most of them something that can succeed: a byte picks among what there is (the n-th capability of the
 * kind that a method wants, the n-th page of a task); only its highest values are taken as they are. */
#include <string.h>
#include <abi/fpage.h>
#include "fuzz.h"
#include "machine.h"
#include "scene.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { PORTS_AT_BIT = 63, RAW = 0xe0 };

/* The bytes between a record's first and last. */
static const u8 *record;
static u32 used;

static u8 next(void) { return record[1 + used++ % (RECORD - 2)]; }
static u64 next_two(void)
{
    u64 low = next();
    return low | (u64)next() << 8;
}

/* ---- what bytes mean ---- */
static u64 number(u8 byte)
{
    static const u64 some[] = {
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 4095, 4096, 0x10000, 0xffffffff,
        0x100000000, 1ul << 47, L4_USER_END - 1, L4_USER_END, 1ul << 63, ~0ul - 4095, ~0ul - 1, ~0ul,
    };
    return some[byte % COUNT(some)];
}

/* The slot of the n-th capability of that kind (0: any) in a task. */
static u64 slot_of_kind(u64 task, u64 kind, u8 byte)
{
    u64 count = 0, wanted;
    for (u64 i = 0; i < now.caps; i++)
        count += now.cap[i].task == task && (!kind || now.cap[i].kind == kind);
    if (byte >= RAW || !count)
        return byte % SCENE_SLOTS;
    wanted = byte % count;
    for (u64 i = 0; i < now.caps; i++)
        if (now.cap[i].task == task && (!kind || now.cap[i].kind == kind) && !wanted--)
            return now.cap[i].slot;
    return 0;
}

static const struct seen_cap *cap_in(u64 task, u64 slot)
{
    for (u64 i = 0; i < now.caps; i++)
        if (now.cap[i].task == task && now.cap[i].slot == slot)
            return &now.cap[i];
    return NULL;
}

static u64 new_slot(u8 byte)
{
    if (byte >= RAW)
        return byte & 1 ? byte & 63 : number(byte);
    return SCENE_SLOTS + byte % (byte & 64 ? 256 : 24);
}

static const struct seen_page *page_of(u64 task, u8 byte)
{
    u64 count = 0, wanted;
    for (u64 i = 0; i < now.pages; i++)
        count += now.page[i].task == task && !(now.page[i].at >> PORTS_AT_BIT);
    if (!count)
        return NULL;
    wanted = byte % count;
    for (u64 i = 0; i < now.pages; i++)
        if (now.page[i].task == task && !(now.page[i].at >> PORTS_AT_BIT) && !wanted--)
            return &now.page[i];
    return NULL;
}

static u64 address(u8 byte)
{
    switch (byte >> 5) {
    case 0: return MEMORY_AT + (byte & 31) * 0x100000ul;
    case 1: return MEMORY_AT + (4 << 20) + (byte & 31) * 0x1000ul;
    case 2: return UTCBS_AT + (byte & 31) * 0x400ul;
    case 3: return 0x40000000ul + (byte & 31) * 0x1000ul;
    case 4: return L4_USER_END - (byte & 31) * 0x1000ul;
    case 5: return 0x8000000000ul + (byte & 31) * 0x200000ul;
    case 6: return MEMORY_AT + (byte & 31) * 0x1000ul;
    default: return number(byte);
    }
}

static u64 memory_page(u64 task)
{
    static const u8 orders[] = { 12, 12, 12, 12, 12, 13, 14, 14, 16, 16, 21, 21, 21, 22, 23, 47 };
    u8 where = next(), how = next();
    u32 order = orders[how & 15];
    const struct seen_page *page = where & 1 ? NULL : page_of(task, where >> 1);
    u64 at = page ? page->at : address(where);
    u32 rights = how & 16 ? 7 : how >> 5;
    if (how == 0xff)
        return number(where) << 12 | where;
    return l4_fpage_memory(at >> order << order, order, rights);
}

/* A flexpage of a task. */
static u64 flexpage(u64 task)
{
    static const u8 orders[] = { 0, 0, 0, 1, 2, 4, 5, 15 };
    u8 type = next();
    if (type < 0xb0)
        return memory_page(task);
    u8 where = next(), how = next();
    u32 order = orders[how & 7];
    if (type < 0xe0)
        return l4_fpage_caps(slot_of_kind(task, 0, where) >> order << order, order);
    if (type < 0xf8)
        return l4_fpage_ports((0x400u + (where & 63)) >> (order + (how >> 6)) << (order + (how >> 6)), order + (how >> 6));
    return (u64)where << 40 | (u64)how << 12 | (u64)where << 6 | how;
}

/* Where it goes: to the same place, or to another one that is aligned. */
static u64 destination(u64 fpage)
{
    u8 how = next();
    u32 order = l4_fpage_order(fpage) & 63;
    switch ((u32)l4_fpage_type(fpage)) {
    case L4_FPAGE_MEMORY:
        if (how & 1 || how >= RAW)
            return address(how >> 1 | (how & 4 ? 0 : 0x80)) >> order << order;
        return how & 2 ? l4_fpage_address(fpage) : (l4_fpage_address(fpage) + 0x800000) >> order << order;
    case L4_FPAGE_CAP: return how & 1 ? l4_fpage_base(fpage) : (SCENE_SLOTS + how % 64u) >> order << order;
    default: return how == 0xff ? how : l4_fpage_base(fpage);
    }
}

static u32 rights(void)
{
    u8 byte = next();
    return byte < 128 ? L4_RIGHTS_ALL : byte & 127;
}

/* ---- invocations of kernel objects ---- */

/* What parameters are: S a slot to fill, T a task, t a thread, g a gate, F a flexpage of the task just named (or of the object
 * invoked), D where that goes, R rights, B a bool, N any number, C a code address, U a place for a UTCB, P a priority,
 * L a line, Q bytes, Y a time of 0.1 ms and more, H a share of the CPU, G a generation of a minter, X a door's slot or none, A a place for a trace ring (which spares the first
 * 128 bytes of pages, where words are that the model reads), E how many records, I a thread's id or a small number. */
static const struct method {
    u32 number;
    const char *parameters;
} methods[] = {
    { 0x101, "S" }, { 0x102, "S" }, { 0x103, "S" }, { 0x104, "S" }, { 0x105, "SLB" }, { 0x106, "SQ" }, { 0x107, "" },
    { 0x201, "TFDR" }, { 0x201, "TFDR" }, { 0x201, "TFDR" }, { 0x805, "AEI" }, { 0x202, "TFDR" }, { 0x202, "TFDR" },
    { 0x203, "FRB" }, { 0x203, "FRB" }, { 0x203, "FRB" }, { 0x806, "tI" }, { 0x204, "CCCC" }, { 0x205, "F" },
    { 0x301, "TU" }, { 0x301, "TU" }, { 0x302, "CNN" }, { 0x303, "" }, { 0x303, "" }, { 0x304, "" }, { 0x304, "" },
    { 0x305, "XX" }, { 0x306, "CCCN" }, { 0x307, "NN" }, { 0x308, "" }, { 0x309, "" }, { 0x30a, "" }, { 0x30a, "" },
    { 0x30b, "" }, { 0x30c, "B" }, { 0x30d, "" }, { 0x401, "t" }, { 0x406, "g" }, { 0x402, "" }, { 0x403, "SNR" },
    { 0x407, "" }, { 0x404, "G" }, { 0x405, "" }, { 0x501, "tN" }, { 0x502, "" }, { 0x503, "" }, { 0x503, "" },
    { 0x504, "" }, { 0x601, "S" }, { 0x601, "S" }, { 0x602, "" }, { 0x701, "tPN" }, { 0x701, "tPN" }, { 0x702, "" },
    { 0x703, "tYY" }, { 0x703, "tYY" }, { 0x704, "SPH" },
    { 0x802, "N" }, { 0x803, "" }, { 0x804, "Z" }, { 0x901, "Z" },
};

static u64 code_address(u8 byte)
{
    static const u64 some[] = { 0, CODE_AT + 2, PROGRAM_AT, UPCALL_AT, UPCALL_AT + 32, 0x400000, 0x480000, 0x470000,
                                0x470800, 0x471000, L4_USER_END };
    return byte >= RAW ? number(byte) : some[byte % COUNT(some)];
}

static u64 thread_somewhere(u8 byte)
{
    u64 count = 0;
    for (u64 i = 0; i < now.objects; i++)
        count += now.object[i].kind == L4_THREAD;
    u64 wanted = byte % count;
    for (u64 i = 0; i < now.objects; i++)
        if (now.object[i].kind == L4_THREAD && !wanted--)
            return now.object[i].id;
    return 0;
}

static u64 fpage_made;

static u64 parameter(char what, u64 *task)
{
    u64 self = running_thread()->task, slot;
    const struct seen_cap *cap;
    switch (what) {
    case 'S': return new_slot(next());
    case 'T':
        slot = slot_of_kind(self, L4_TASK, next());
        cap = cap_in(self, slot);
        *task = cap ? cap->object : 0;
        return slot;
    case 't': return slot_of_kind(self, L4_THREAD, next());
    case 'g': return slot_of_kind(self, L4_GATE, next());
    case 'F': return fpage_made = flexpage(*task);
    case 'D': return destination(fpage_made);
    case 'R': return rights();
    case 'B': slot = next(); return slot < RAW ? slot & 1 : slot;
    case 'C': return code_address(next());
    case 'U': slot = next(); return slot & 1 ? address((u8)(slot >> 1 | 0x40)) : address((u8)slot) >> 10 << 10;
    case 'P': slot = next(); return slot < RAW ? slot & 63 : number((u8)slot);
    case 'L': slot = next(); return slot < RAW ? slot % 26 : number((u8)slot);
    case 'Q': return number(next()) + (u64)next() * 64;
    case 'Y': slot = next(); return slot < RAW ? (slot & 15) * 100000 : number((u8)slot);
    case 'H': slot = next(); return slot < RAW ? slot % 51 * 20 : number((u8)slot);
    case 'G': return thread_somewhere(next());
    case 'A': slot = next(); return slot < RAW ? (address((u8)slot) & ~4095ul) + 128 * (1 + slot % 16) : number((u8)slot);
    case 'E': slot = next(); return slot < RAW ? slot & 15 : 1ul << 32 | slot;
    case 'I': slot = next(); return slot & 1 ? thread_somewhere((u8)(slot >> 1)) : slot >> 5;
    case 'X': slot = next(); return slot & 1 ? 0 : slot_of_kind(self, L4_DOOR, (u8)(slot >> 1));
    default: return number(next());
    }
}

/* Text: bytes from word 4 on. */
static u64 text(u32 method, u64 word[4])
{
    u64 length = next() % 20;
    u32 at = method == 0x804 ? 1 : 0;
    if (at)
        word[0] = slot_of_kind(running_thread()->task, 0, next());
    word[at] = length;
    return 4 + (length + 7) / 8;
}

static void invoke_method(struct l4_registers *r, u8 flags)
{
    const struct method *m = &methods[next() % COUNT(methods)];
    u64 self = running_thread()->task, word[4] = { 0 }, words = strlen(m->parameters);
    u8 which = next();
    u32 kind = m->number >> 8;
    r->r10 = kind == L4_REPLY && which & 1 ? 0 : slot_of_kind(self, kind, which);
    const struct seen_cap *cap = cap_in(self, r->r10);
    u64 task = cap && cap->kind == L4_TASK ? cap->object : self;
    for (u32 i = 0; m->parameters[i] && m->parameters[i] != 'Z'; i++)
        word[i] = parameter(m->parameters[i], &task);
    if (m->parameters[0] == 'Z')
        words = text(m->number, word);
    if (m->number == 0x309)
        words = sizeof(struct l4_registers) / sizeof(u64);
    r->rdi = l4_tag(m->number, (u32)(flags & 1 ? next() & 63 : words), flags & 2 ? next() & 7 : 0);
    r->rsi = word[0];
    r->rdx = word[1];
    r->r8 = word[2];
    r->r9 = word[3];
}

/* ---- messages ---- */
static void set_items(struct l4_utcb *utcb, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        u64 fpage = flexpage(running_thread()->task);
        u8 hot = next();
        utcb->item[i] = (struct l4_item){
            fpage, (u64)(hot & 63) << 12 | (hot & 64 ? L4_RIGHTS_ALL : hot & 31) | (hot & 128 ? L4_ITEM_GRANT : 0),
        };
        if (l4_fpage_type(fpage) == L4_FPAGE_IO)
            utcb->item[i].hot = l4_fpage_base(fpage) << 12;
    }
}

/* Words, items, flags: what a sender says. */
static u64 message_tag(struct l4_registers *r, u32 what)
{
    struct l4_utcb utcb = running_thread()->utcb;
    u8 how = next(), flags = next();
    u32 items = how & 0x80 ? 1 + (how >> 5 & 1) + (how == 0xff ? 5 : 0) : 0, words = how & 0x10 ? next() & 63 : how & 15;
    r->rsi = next();
    r->rdx = r->rsi * 0x10001;
    r->r8 = fuzz_step;
    r->r9 = how;
    for (u32 i = 4; i < 12; i++)
        utcb.mr[i] = fuzz_step << 32 | i;
    utcb.deadline = flags & 0x20 ? machine_now() + (flags & 15) * 1000000ul : number(flags);
    set_items(&utcb, items);
    user_utcb(&utcb);
    return l4_tag(what, words, items) | (flags & 0x40 ? L4_TAG_TIMEOUT : 0) | (flags & 0x80 && flags & 1 ? L4_TAG_NO_WAIT : 0)
        | (flags & 2 ? L4_TAG_NO_PARK : 0);
}

static void call(struct l4_registers *r)
{
    r->r10 = slot_of_kind(running_thread()->task, L4_DOOR, next());
    r->rdi = message_tag(r, 0x123400u | next());
}

/* Who is a monitor and has a message: the slot of the gate that this was sent to; else 0. */
static u64 slot_to_pass_by(const struct seen_thread *t)
{
    u64 gate = 0;
    for (u64 i = 0; t->caller && i < now.objects; i++)
        if (now.object[i].id == t->caller)
            gate = now.object[i].thread.held;
    for (u64 i = 0; gate && i < now.caps; i++)
        if (now.cap[i].task == t->task && now.cap[i].kind == L4_GATE && now.cap[i].object == gate)
            return now.cap[i].slot;
    return 0;
}

/* An answer to the implicit caller or a kept one, and perhaps the next receive; or a monitor passes on. */
static void answer(struct l4_registers *r, bool wait)
{
    u8 how = next();
    if (how & 0x80 && (r->r10 = slot_to_pass_by(running_thread()))) {
        r->rdi = l4_tag(0x407, 0, 0);
        return;
    }
    u32 status = how & 0x20 ? 0 : how & 0x10 ? (u32)-(i32)(how & 15) : how & 3;
    r->r10 = how & 0x40 ? slot_of_kind(running_thread()->task, L4_REPLY, next()) : 0;
    r->rdi = message_tag(r, status) | (wait ? L4_TAG_WAIT : 0);
}

static void garbage(struct l4_registers *r)
{
    u8 how = next();
    r->r10 = how & 1 ? next() : number(next());
    r->rdi = number(next()) ^ number(next()) << 32 ^ next_two() ^ (u64)next() << 40;
    r->rsi = number(next());
    r->rdx = number(next());
    r->r8 = number(next());
    r->r9 = number(next());
}

/* ---- what needs no kernel ---- */
static void write_utcb(void)
{
    struct l4_utcb utcb = running_thread()->utcb;
    u8 value = next();
    switch (next() % 10) {
    case 0: utcb.window_memory = l4_fpage_memory(address(value) >> 21 << 21, 21, 7); break;
    case 1: utcb.window_memory = value & 1 ? l4_fpage_memory(MEMORY_AT, 23, 7) : number(value); break;
    case 2: utcb.window_caps = l4_fpage_caps(value & 0xf0, value & 7); break;
    case 3: utcb.window_io = value & 1 ? l4_fpage_ports(0, 16) : number(value); break;
    case 4: utcb.kick_mask = value; break;
    case 5: utcb.kicked = value & 1; break;
    case 6: utcb.tell_lost = value & 1 ? 0 : MEMORY_AT + (4 << 20) + (value & 0x78); break;
    case 7: utcb.lost = value; break;
    case 8: utcb.mr[4 + value % 59] = number(next()); break;
    default: utcb.exception.registers.rip = code_address(value); break;
    }
    user_utcb(&utcb);
}

static void use_memory(void)
{
    u8 which = next(), value = next();
    const struct seen_page *page = page_of(running_thread()->task, which);
    if (!page)
        return;
    machine_touch(page->at);
    if (page->rights & L4_W && !page->uncached)
        user_write(page->frame + (value & 0x78), value & 1);
}

/* ---- steps ---- */
static void pass_time(void)
{
    u8 how = next();
    u64 until = machine_timer_at(), at = machine_now();
    if (how & 1 && until != ~0ul)
        machine_pass(until > at ? until - at : 0);
    else
        machine_pass((u64)how << 12);
    if (machine_timer_at() <= machine_now() || how & 2)
        do_timer();
}

static void fault(struct l4_registers *r)
{
    u8 how = next(), where = next();
    r->rip = how & 1 ? CODE_AT + 2 : how & 2 ? PROGRAM_AT : code_address(next());
    user_registers(r);
    do_exception(14, how & 7, address(where), false);
}

static void exception(struct l4_registers *r)
{
    static const u8 vectors[] = { 0, 1, 3, 6, 13, 13, 17, 0 };
    u8 how = next();
    u64 vector = vectors[how & 7];
    r->rip = how & 8 ? CODE_AT + 2 : how & 16 ? PROGRAM_AT : code_address(next());
    user_registers(r);
    do_exception((how & 7) == 7 ? 256 : vector, vector == 13 ? how >> 5 : 0, 0, how & 32);
}

static void begin(const u8 *bytes)
{
    record = bytes;
    used = 0;
}

void step_running(const u8 *bytes)
{
    struct l4_registers r = running_thread()->registers;
    u8 flags = bytes[RECORD - 1];
    begin(bytes);
    r.rip = CODE_AT + 2;
    r.rax = bytes[RECORD - 1] & 4 ? next() : 0;
    switch (bytes[0] % 32) {
    case 0 ... 10: invoke_method(&r, flags & 8 ? flags : 0); break;
    case 11 ... 15: call(&r); break;
    case 16 ... 18: answer(&r, false); break;
    case 19 ... 22: answer(&r, true); break;
    case 23: garbage(&r); break;
    case 24: r.rip = PROGRAM_AT; garbage(&r); break;
    case 25: fault(&r); return;
    case 26: exception(&r); return;
    case 27: pass_time(); return;
    case 28: do_line(bytes[1] % 3 ? bytes[1] & 1 ? KEEPERS_LINE : LEVEL_LINE : bytes[1] % MACHINE_LINES); return;
    case 29 ... 30: write_utcb(); return;
    default: use_memory(); return;
    }
    user_registers(&r);
    do_system_call(flags & RECORD_INTERRUPT);
}

void step_idle(const u8 *bytes)
{
    begin(bytes);
    if (bytes[0] & 1 && machine_timer_at() != ~0ul)
        pass_time();
    else
        do_line(bytes[1] & 1 ? KEEPERS_LINE : bytes[1] & 2 ? LEVEL_LINE : bytes[1] % MACHINE_LINES);
}
