/* SPDX-License-Identifier: BSD-2-Clause */
/* ds.c: the data store's handlers.
 * An entry belongs to the label that set it first; only that label changes or removes it. A removed entry keeps its record
 * until every subscriber that is due has heard of it, so its name is told to all.
 *
 * INVARIANT due: subscription.due[i] != 0  =>  entry i + 1 is in use and the expression matches its key. */
#include "dsd_server.h"

#include <l4/string.h>

#include "ere.h"

enum { ENTRIES = 128, SUBSCRIPTIONS = 16 };

/* Keys are padded with zeros in their record. */
static bool key_is(const struct entry *e, struct l4_bytes key)
{
    return memcmp(e->key, key.at, key.length) == 0 && (key.length == DS_KEY || e->key[key.length] == 0);
}

static bool key_is_good(struct l4_bytes key)
{
    for (u32 i = 0; i < key.length; i++) {
        if (key.at[i] <= ' ' || key.at[i] > '~') {
            return false;
        }
    }
    return key.length > 0;
}

static u32 key_length(const struct entry *e) { return (u32)strnlen((const char *)e->key, DS_KEY); }

/* The entry of that name; private ones are in a space of names for each owner. NULL: there is none. */
static const struct entry *entry_find(u64 label, struct l4_bytes key, bool private)
{
    for (u32 i = 1; i <= ENTRIES; i++) {
        const struct entry *e = entry_at(i);
        if (e && (e->what == DS_PRIVATE) == private && key_is(e, key) && (!private || e->owner == label)) {
            return e;
        }
    }
    return NULL;
}

static const struct entry *entry_seen(u64 label, struct l4_bytes key, enum ds_kind what, l4_err_t *err)
{
    const struct entry *e = entry_find(label, key, what == DS_PRIVATE);
    *err = !e || e->removed ? DS_NO_KEY : e->what != what ? DS_OTHER_KIND : L4_OK;
    return e;
}

static void subscription_set_due_of(struct dsd_tx tx, const struct subscription *s, u32 ref, u8 due)
{
    if (s->due[ref - 1] != due) {
        subscription_edit(tx, s)->due[ref - 1] = due;
    }
}

static bool subscription_wants(const struct subscription *s, const struct entry *e)
{
    struct ere ere;
    return ere_compile(&ere, s->expression, s->length) && ere_match(&ere, e->key, key_length(e));
}

/* Whoever watches this name shall ask. */
static void entry_announce(struct dsd_tx tx, const struct entry *e)
{
    if (e->what == DS_PRIVATE) {
        return;
    }
    for (u32 i = 1; i <= SUBSCRIPTIONS; i++) {
        const struct subscription *s = subscription_at(i);
        if (s && subscription_wants(s, e)) {
            subscription_set_due_of(tx, s, entry_ref(e), 1);
            l4_raise(s->owner, 1ul << DS_EVENT_CHANGED);
        }
    }
}

/* A removed entry that nobody is due to hear of goes. */
static void entry_settle(struct dsd_tx tx, const struct entry *e)
{
    for (u32 i = 1; e->removed && i <= SUBSCRIPTIONS; i++) {
        const struct subscription *s = subscription_at(i);
        if (s && s->due[entry_ref(e) - 1]) {
            return;
        }
    }
    if (e->removed) {
        entry_free(tx, e);
    }
}

/* The writable record for a new value; NULL with the error. */
static struct entry *entry_set(struct dsd_tx tx, u64 label, struct l4_bytes key, enum ds_kind what, l4_err_t *err)
{
    *err = key_is_good(key) ? L4_OK : DS_BAD_KEY;
    if (*err) {
        return NULL;
    }
    const struct entry *e = entry_find(label, key, what == DS_PRIVATE);
    if (e && e->owner != label && !e->removed) {
        *err = DS_NOT_OWNER;
        return NULL;
    }
    struct entry *to = e ? entry_edit(tx, e) : entry_new(tx);
    if (!to) {
        *err = DS_FULL;
        return NULL;
    }
    to->owner = label;
    to->what = what;
    to->removed = false;
    if (!e) {
        memcpy(to->key, key.at, key.length);
    }
    return to;
}

static l4_err_t set_word(struct dsd_tx tx, u64 label, struct l4_bytes key, enum ds_kind what, u64 value)
{
    l4_err_t err;
    struct entry *to = entry_set(tx, label, key, what, &err);
    if (to) {
        to->value = value;
        to->length = 0;
        entry_announce(tx, to);
    }
    return err;
}

static l4_err_t set_data(struct dsd_tx tx, u64 label, struct l4_bytes key, enum ds_kind what, struct l4_bytes data)
{
    l4_err_t err;
    struct entry *to = entry_set(tx, label, key, what, &err);
    if (to) {
        memcpy(to->data, data.at, data.length);
        to->length = data.length;
        entry_announce(tx, to);
    }
    return err;
}

static l4_err_t get_data(u64 label, struct l4_bytes key, enum ds_kind what, u8 *data, u32 *length)
{
    l4_err_t err;
    const struct entry *e = entry_seen(label, key, what, &err);
    if (err == L4_OK) {
        *length = e->length;
        memcpy(data, e->data, e->length);
    }
    return err;
}

static l4_err_t get_word(u64 label, struct l4_bytes key, enum ds_kind what, u64 *value)
{
    l4_err_t err;
    const struct entry *e = entry_seen(label, key, what, &err);
    *value = err == L4_OK ? e->value : 0;
    return err;
}

static l4_err_t do_set_number(struct dsd_tx tx, u64 label, struct l4_bytes key, u32 value)
{
    return set_word(tx, label, key, DS_NUMBER, value);
}

static l4_err_t do_set_label(struct dsd_tx tx, u64 label, struct l4_bytes key, u64 value)
{
    return set_word(tx, label, key, DS_LABEL, value);
}

static l4_err_t do_set_text(struct dsd_tx tx, u64 label, struct l4_bytes key, struct l4_bytes text)
{
    return set_data(tx, label, key, DS_TEXT, text);
}

static l4_err_t do_set_memory(struct dsd_tx tx, u64 label, struct l4_bytes key, struct l4_bytes data)
{
    return set_data(tx, label, key, DS_MEMORY, data);
}

static l4_err_t do_back_up(struct dsd_tx tx, u64 label, struct l4_bytes key, struct l4_bytes data)
{
    return set_data(tx, label, key, DS_PRIVATE, data);
}

static l4_err_t do_get_number(u64 label, struct l4_bytes key, u32 *value)
{
    u64 wide;
    l4_err_t err = get_word(label, key, DS_NUMBER, &wide);
    *value = (u32)wide;
    return err;
}

static l4_err_t do_get_label(u64 label, struct l4_bytes key, u64 *value)
{
    return get_word(label, key, DS_LABEL, value);
}

static l4_err_t do_get_text(u64 label, struct l4_bytes key, u8 *text, u32 *length)
{
    return get_data(label, key, DS_TEXT, text, length);
}

static l4_err_t do_get_memory(u64 label, struct l4_bytes key, u8 *data, u32 *length)
{
    return get_data(label, key, DS_MEMORY, data, length);
}

static l4_err_t do_restore(u64 label, struct l4_bytes key, u8 *data, u32 *length)
{
    return get_data(label, key, DS_PRIVATE, data, length);
}

/* Public or private, whichever the label owns. */
static l4_err_t do_remove(struct dsd_tx tx, u64 label, struct l4_bytes key)
{
    const struct entry *e = entry_find(label, key, false);
    if (!e || e->removed || e->owner != label) {
        const struct entry *private = entry_find(label, key, true);
        if (!private) {
            return e && !e->removed ? DS_NOT_OWNER : DS_NO_KEY;
        }
        entry_free(tx, private);
        return L4_OK;
    }
    entry_edit(tx, e)->removed = true;
    entry_announce(tx, e);
    entry_settle(tx, e);
    return L4_OK;
}

static const struct subscription *subscription_of(u64 label)
{
    for (u32 i = 1; i <= SUBSCRIPTIONS; i++) {
        const struct subscription *s = subscription_at(i);
        if (s && s->owner == label) {
            return s;
        }
    }
    return NULL;
}

static l4_err_t do_unsubscribe(struct dsd_tx tx, u64 label)
{
    const struct subscription *s = subscription_of(label);
    if (!s) {
        return L4_OK;
    }
    subscription_free(tx, s);
    for (u32 i = 1; i <= ENTRIES; i++) {
        const struct entry *e = entry_at(i);
        if (e) {
            entry_settle(tx, e);
        }
    }
    return L4_OK;
}

static l4_err_t do_subscribe(struct dsd_tx tx, u64 label, struct l4_bytes expression)
{
    struct ere ere;
    if (!ere_compile(&ere, expression.at, expression.length)) {
        return DS_BAD_EXPRESSION;
    }
    do_unsubscribe(tx, label);
    struct subscription *s = subscription_new(tx);
    if (!s) {
        return DS_FULL;
    }
    s->owner = label;
    s->length = expression.length;
    memcpy(s->expression, expression.at, expression.length);
    for (u32 i = 1; i <= ENTRIES; i++) {
        const struct entry *e = entry_at(i);
        s->due[i - 1] = e && !e->removed && e->what != DS_PRIVATE && ere_match(&ere, e->key, key_length(e));
    }
    l4_raise(label, 1ul << DS_EVENT_CHANGED);
    return L4_OK;
}

static l4_err_t do_next(struct dsd_tx tx, u64 label, struct ds_change *what)
{
    const struct subscription *s = subscription_of(label);
    for (u32 i = 1; s && i <= ENTRIES; i++) {
        const struct entry *e = entry_at(i);
        if (!e || !s->due[i - 1]) {
            continue;
        }
        memcpy(what->key, e->key, DS_KEY);
        what->what = e->what;
        what->removed = e->removed;
        subscription_set_due_of(tx, s, i, 0);
        entry_settle(tx, e);
        return L4_OK;
    }
    return DS_NOTHING;
}

/* A client is gone for ever: its subscription and its backups go, what it published stays for who reads it. */
static bool do_forget(struct dsd_tx tx, u64 label)
{
    do_unsubscribe(tx, label);
    for (u32 i = 1; i <= ENTRIES; i++) {
        const struct entry *e = entry_at(i);
        if (e && e->what == DS_PRIVATE && e->owner == label) {
            entry_free(tx, e);
            return true;
        }
    }
    return false;
}

static const struct dsd_ops ops = {
    .hooks.forget = do_forget,
    .set_number = do_set_number, .set_text = do_set_text, .set_memory = do_set_memory, .set_label = do_set_label,
    .get_number = do_get_number, .get_text = do_get_text, .get_memory = do_get_memory, .get_label = do_get_label,
    .remove = do_remove, .subscribe = do_subscribe, .unsubscribe = do_unsubscribe, .next = do_next,
    .back_up = do_back_up, .restore = do_restore,
};

void l4_main(void) { dsd_serve(&ops); }
