/* SPDX-License-Identifier: BSD-2-Clause */
/* visitor.c: a second caller of tmpfs, in a system whose tmpfs is monitored by test.policy: what it is refused and passed, whether it waits while
 * the monitor is down, whether anything comes past the monitor while that one and tmpfs are killed, and what the counters say. The script that
 * starts it has made /precious, which it tries to remove all the while. It prints `visitor: done` and puts itself down. */
#include <abi/ipc.h>
#include <fs.h>
#include <keeper.h>
#include <l4/clock.h>
#include <l4/leave.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/window.h>
#include <policy.h>

enum { KILLS = 60, CALLS = 40, LINE_STATFS = 3, LINE_UNLINK = 5 };     /* lines of test.policy */
enum { RULE_STATFS = 1, RULE_UNLINK = 3, RULE_STAT };

static struct l4_session keeper L4_VOLATILE_ZERO;
static struct l4_session policy L4_VOLATILE_ZERO;
static struct l4_session tmpfs L4_VOLATILE_ZERO;

static void expect(bool holds, const char *what, i64 got)
{
    if (!holds) {
        l4_panic("FAILED %s: %ld", what, got);
    }
}

static u32 number_of(const char *name)
{
    u32 n = 0;
    expect(keeper_find(keeper.gate, (struct l4_bytes){ (const u8 *)name, (u32)strlen(name) }, &n) == L4_OK, name, n);
    return n;
}

/* statfs as a message, within 300 ms: its status, and word 0. */
static l4_err_t statfs_raw(u64 *why)
{
    u64 tag = l4_tag(FS_METHOD_STATFS, 0, 0) | L4_TAG_TIMEOUT, w1 = 0, w2 = 0, w3 = 0;
    *why = 0;
    l4_utcb()->deadline = l4_now() + 300 * L4_MILLISECOND;
    l4_invoke(tmpfs.gate, &tag, 0, why, &w1, &w2, &w3);
    return l4_tag_status(tag);
}

static l4_err_t unlink_precious(void)
{
    return fs_unlink(&tmpfs, FS_ROOT, false, (struct l4_bytes){ (const u8 *)"precious", 8 });
}

static l4_err_t stat_root(void)
{
    struct fs_node node;
    l4_err_t err = fs_stat(tmpfs.gate, FS_ROOT, &node);
    expect(err != L4_OK || node.inode == FS_ROOT, "it is the root", (i64)node.inode);
    return err;
}

static struct policy_rule_now rule(u32 n)
{
    struct policy_rule_now now = { 0 };
    expect(policy_look(policy.gate, n, &now) == L4_OK, "a rule", n);
    return now;
}

static void test_verdicts(void)
{
    struct policy_rule_now none;
    u64 why;
    expect(stat_root() == L4_OK, "stat is passed on", stat_root());
    expect(unlink_precious() == FS_PERM, "unlink is refused", unlink_precious());
    expect(statfs_raw(&why) == L4_REFUSED, "statfs is refused", statfs_raw(&why));
    expect(why == LINE_STATFS, "and by which line", (i64)why);
    expect(fs_sync(&tmpfs) == L4_REFUSED, "so is all else", fs_sync(&tmpfs));
    expect(rule(RULE_UNLINK).line == LINE_UNLINK && rule(RULE_UNLINK).error == FS_PERM, "the rule tells its line", rule(RULE_UNLINK).line);
    expect(memcmp(rule(RULE_UNLINK).text, "refuse unlink visitor perm", 27) == 0, "and its text", 0);
    expect(policy_look(policy.gate, 99, &none) == POLICY_NO_RULE, "there are no more rules", 0);
}

/* The monitor's own methods are out of reach of whom it judges. */
static void test_own_methods(void)
{
    u64 before = rule(RULE_UNLINK).judged, w0 = 0, w1 = 0, w2 = 0, w3 = 0, tag = l4_tag(POLICY_METHOD_CLEAR, 0, 0);
    l4_invoke(tmpfs.gate, &tag, 1 << 16, &w0, &w1, &w2, &w3);
    expect(l4_tag_status(tag) == L4_REFUSED, "sent to tmpfs, `clear` is judged", l4_tag_status(tag));
    expect(rule(RULE_UNLINK).judged == before, "and clears nothing", (i64)before);
}

/* Meanwhile vfs, whom the script that waits asks for files, waits too, for longer than its heartbeat lets it be silent: it has no defect in the end. */
static void test_down(u32 monitor)
{
    u64 why, refused = rule(RULE_STATFS).judged;
    expect(keeper_stop(&keeper, monitor) == L4_OK, "the monitor is put down", 0);
    expect(statfs_raw(&why) == L4_TIMED_OUT, "who calls waits", statfs_raw(&why));
    l4_sleep(3000ul * L4_MILLISECOND);
    expect(keeper_start(&keeper, monitor) == L4_OK, "the monitor comes back", 0);
    expect(stat_root() == L4_OK, "as if nothing had been", 0);
    expect(rule(RULE_STATFS).judged == refused, "who waited in vain was not judged", (i64)refused);
}

static void calls(u64 *passed, u64 *refused)
{
    for (u32 i = 0; i < CALLS; i++) {
        expect(stat_root() == L4_OK, "stat while others die", 0);
        l4_err_t err = unlink_precious();
        expect(err == FS_PERM, "unlink while others die", err);
        ++*passed;
        ++*refused;
    }
}

static u32 defects_of(u32 n)
{
    struct keeper_status now = { 0 };
    expect(keeper_look(keeper.gate, n, &now) == L4_OK, "keeper knows it", n);
    return now.defects;
}

/* The fourth way, a loop, ends by a heartbeat that this one does not wait for. */
static void test_kills(u32 monitor, u32 monitored)
{
    static const enum keeper_way ways[] = { KEEPER_QUIT, KEEPER_NULL, KEEPER_PORT };
    u64 passed = 0, refused = 0, before_passed = rule(RULE_STAT).judged, before_refused = rule(RULE_UNLINK).judged;
    for (u32 i = 0; i < KILLS; i++) {
        l4_err_t err = keeper_kill(&keeper, i % 4 == 3 ? monitored : monitor, ways[i % 3]);
        expect(err == L4_OK, "it is killed", err);
        calls(&passed, &refused);
    }
    passed = rule(RULE_STAT).judged - before_passed - passed;
    refused = rule(RULE_UNLINK).judged - before_refused - refused;
    l4_log("%u kills; judged twice: %lu that were passed on, %lu that were refused", KILLS, passed, refused);
    expect(passed <= KILLS, "what was passed on is counted", (i64)passed);
    expect(refused <= KILLS, "what was refused is counted", (i64)refused);
    expect(defects_of(monitor) == 0 && defects_of(monitored) == 0, "nobody died but of kills", 0);
}

static void test_clear(void)
{
    u64 passed = 0, refused = 0;
    expect(policy_total(policy.gate, &passed, &refused) == L4_OK && passed > 0 && refused > 0, "totals", (i64)passed);
    expect(policy_clear(&policy) == L4_OK, "cleared", 0);
    expect(policy_total(policy.gate, &passed, &refused) == L4_OK && refused == 0, "from 0 again", (i64)refused);
}

/* `service update`: other rules by the same counters. */
static void test_update(u32 monitor)
{
    u64 why;
    expect(statfs_raw(&why) == L4_REFUSED, "the old policy", 0);
    expect(keeper_update(&keeper, monitor, (struct l4_bytes){ (const u8 *)"policy-lax", 10 }) == L4_OK, "another policy", 0);
    expect(statfs_raw(&why) == L4_OK, "the new policy", statfs_raw(&why));
    expect(rule(RULE_STATFS).line == LINE_STATFS && rule(RULE_STATFS).error == FS_ACCESS && rule(RULE_STATFS).judged == 0, "counts from 0", rule(RULE_STATFS).line);
    expect(keeper_update(&keeper, monitor, (struct l4_bytes){ (const u8 *)"policy", 6 }) == L4_OK, "the old one again", 0);
    expect(statfs_raw(&why) == L4_REFUSED, "refuses again", statfs_raw(&why));
}

void l4_main(void)
{
    keeper = l4_session_named("keeper");
    policy = l4_session_named("policy");
    tmpfs = l4_session_named("tmpfs");
    u32 monitor = number_of("policy"), own = number_of("visitor");
    test_verdicts();
    test_own_methods();
    test_down(monitor);
    test_kills(monitor, number_of("tmpfs"));
    test_clear();
    test_update(monitor);
    l4_log("done");
    keeper_stop(&keeper, own);
    l4_panic("keeper does not put me down");
}
