/* SPDX-License-Identifier: BSD-2-Clause */
/* policy.c: a monitor that judges each message by a table: the first rule that fits its method and its caller decides.
 *
 * What comes through the gate that it monitors goes to `judge`, calls of its own clients to the methods: libl4 tells one from the other by
 * the label. A verdict is counted in the state before the message goes on, so none goes on uncounted; a kill in between has the caller
 * send again, and the message is judged again.
 *
 * INVARIANT counted: rule i of the policy is record i, once the start hook has run. */
#include "policyd_server.h"

#include <l4/log.h>

#include "rules.h"

static bool fits(const struct policy_rule *r, u32 method, u32 caller)
{
    return (method & r->mask) == r->method && caller >= r->first && caller <= r->last;
}

static u32 rule_deciding(u32 method, u32 caller)
{
    u32 i = 0;
    while (i + 1 < policy.rules && !fits(&policy.rule[i], method, caller)) {
        i++;
    }
    return i + 1;
}

static l4_err_t judge(struct policyd_tx tx, u64 label, u32 method, const u64 word[], u64 *why)
{
    u32 n = rule_deciding(method, (u16)label);
    const struct policy_rule *r = &policy.rule[n - 1];
    const struct rule *count = rule_at(n);
    rule_set_judged(tx, count, count->judged + 1);
    if (r->error == 0) {
        return L4_OK;
    }
    if (count->judged == 1) {
        policyd_after_tell(tx, n, label, method);
    }
    *why = r->line;
    return r->error;
}

static void do_tell(u32 n, u64 label, u32 method)
{
    const struct policy_rule *r = &policy.rule[n - 1];
    l4_log("line %u, `%s`, refuses for the first time: method %x of label %lx at %s", r->line, r->text, method, label, policy.service);
}

/* ---- what its own clients ask ---- */
static l4_err_t do_look(u64 label, u32 n, struct policy_rule_now *now)
{
    const struct rule *count = n <= policy.rules ? rule_at(n) : NULL;
    if (!count) {
        return POLICY_NO_RULE;
    }
    const struct policy_rule *r = &policy.rule[n - 1];
    *now = (struct policy_rule_now){ .judged = count->judged, .line = r->line, .error = r->error };
    memcpy(now->text, r->text, strnlen(r->text, sizeof now->text - 1));
    return L4_OK;
}

static l4_err_t do_total(u64 label, u64 *passed, u64 *refused)
{
    *passed = *refused = 0;
    for (u32 n = 1; n <= policy.rules; n++) {
        *(policy.rule[n - 1].error ? refused : passed) += rule_at(n)->judged;
    }
    return L4_OK;
}

static void all_clear(struct policyd_tx tx)
{
    for (const struct rule *r = rule_following(NULL); r; r = rule_following(r)) {
        rule_set_judged(tx, r, 0);
    }
}

static l4_err_t do_clear(struct policyd_tx tx, u64 label)
{
    all_clear(tx);
    return L4_OK;
}

/* ---- the start ---- */
/* Another policy than that of the last incarnation (`service update`) counts from 0. */
static void do_start(struct policyd_tx tx)
{
    u64 passed, refused;
    if (policyd_state()->policy != policy.hash) {
        all_clear(tx);
        while (policyd_state()->rule_table.live < policy.rules && rule_new(tx)) {
        }
        policyd_set_policy(tx, policy.hash);
    }
    do_total(0, &passed, &refused);
    l4_log("%u rules for %s; passed %lu, refused %lu", policy.rules, policy.service, passed, refused);
}

static const struct policyd_ops ops = {
    .hooks.start = do_start, .hooks.judge = judge,
    .look = do_look, .total = do_total, .clear = do_clear,
    .tell = do_tell,
};

void l4_main(void) { policyd_serve(&ops); }
