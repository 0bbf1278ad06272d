/* SPDX-License-Identifier: BSD-2-Clause */
/* policyd_kill.c: kills the policy monitor at every step of each method, and of each judgement by rules.c. A message that it had judged
 * when it died is sent again and counted again, but never passed on or refused against the policy. */
#include "policyd_kill.h"

#include <fs.h>

enum { WRITE = 0x22014, LINK = 0x22016, READ = 0x22003, STAT = 0x22002, CLEAR = 0x14003 };
enum { RULE_WRITE_VFS = 1, RULE_READ, RULE_LINK, RULE_WRITE, RULE_ANY };
#define OWN    (L4_LABEL_OWN | 0x70003ul)
#define OWN_2  (L4_LABEL_OWN | 0x70004ul)
#define VFS    0x10000ul

/* What was judged once before may be counted twice afterwards, if it was sent twice. */
static bool is_counted(u32 rule, u64 before)
{
    u64 judged = rule_at(rule)->judged;
    return judged == before + 1 || judged == before + 2;
}

static u64 write_counted(void) { return is_counted(RULE_WRITE_VFS, 0); }
static u64 write_counted_again(void) { return is_counted(RULE_WRITE_VFS, 1); }
static u64 other_write_counted(void) { return is_counted(RULE_WRITE, 0); }
static u64 read_counted(void) { return is_counted(RULE_READ, 0); }
static u64 link_counted(void) { return is_counted(RULE_LINK, 0); }
/* `subscribe` of the two labels of others has come this way before. */
static u64 any_counted(void) { return is_counted(RULE_ANY, 2); }
static u64 stat_counted(void) { return is_counted(RULE_ANY, 3); }

static void refused_once(void)
{
    const u64 *why = kill_send(&(struct kill_request){ .judged = WRITE, .label = VFS, .expect = FS_ACCESS });
    if (why[0] != 2) {
        l4_broken();
    }
}

/* Labels without L4_LABEL_OWN reach no method of the monitor's: this clears nothing, it is passed on. */
static void cleared_by_nobody(void)
{
    refused_once();
    kill_send(&(struct kill_request){ .judged = CLEAR, .label = VFS });
    if (rule_at(RULE_WRITE_VFS)->judged != 1) {
        l4_broken();
    }
}

static const struct kill_request requests[] = {
    { .name = "refused to vfs", .judged = WRITE, .label = VFS, .steps = true, .expect = FS_ACCESS, .meaning = write_counted },
    { .name = "refused again", .judged = WRITE, .label = VFS, .steps = true, .expect = FS_ACCESS, .meaning = write_counted_again, .prepare = refused_once },
    { .name = "refused to another", .judged = WRITE, .label = KILL_OTHER, .steps = true, .expect = FS_PERM, .meaning = other_write_counted },
    { .name = "refused by the system's error", .judged = LINK, .label = VFS, .steps = true, .expect = L4_REFUSED, .meaning = link_counted },
    { .name = "passed on", .judged = READ, .label = VFS, .steps = true, .meaning = read_counted },
    { .name = "passed on, as another's", .judged = READ, .steps = true, .meaning = any_counted },
    { .name = "passed on, of a method that no line names", .judged = STAT, .label = KILL_OTHER, .steps = true, .meaning = any_counted },
    { .name = "one of the monitor's own, sent to whom it monitors", .judged = CLEAR, .label = VFS, .steps = true, .meaning = stat_counted,
      .prepare = cleared_by_nobody },
    { .method = POLICYD_KILL_LOOK, .word = { RULE_READ }, .label = OWN, .prepare = refused_once },
    { .name = "behind the last", .method = POLICYD_KILL_LOOK, .word = { 6 }, .label = OWN, .expect = POLICY_NO_RULE },
    { .name = "none", .method = POLICYD_KILL_LOOK, .word = { 0 }, .label = OWN, .expect = POLICY_NO_RULE },
    { .method = POLICYD_KILL_TOTAL, .label = OWN, .prepare = refused_once },
    { .method = POLICYD_KILL_CLEAR, .label = OWN, .prepare = refused_once },
    { .name = "of another", .method = POLICYD_KILL_CLEAR, .label = OWN_2, .prepare = refused_once },
    { 0 },
};

int main(int count, char **words) { return kill_main(count, words, &policyd_kill, requests, NULL, NULL); }
