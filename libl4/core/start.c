/* SPDX-License-Identifier: BSD-2-Clause */
/* start.c: from the first instruction to l4_main, and what the startup page tells. */
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>

static L4_VOLATILE const struct l4_startup *startup;

void l4_begin_program(const struct l4_startup *page) __attribute__((noreturn));
void l4_begin_program(const struct l4_startup *page)
{
    startup = page;
    if (page && page->magic != L4_STARTUP_MAGIC)
        l4_panic("the startup page is none");
    l4_main();
    l4_panic("l4_main returned");
}

const struct l4_startup *l4_startup(void) { return startup; }

bool l4_window_is_there(u32 index)
{
    return index < L4_WINDOWS_MOST && *(const volatile u64 *)&startup->window_there[index / 64] >> index % 64 & 1;
}

const char *l4_name(void) { return startup ? startup->name : "root"; }

cap_t l4_slot(const char *name)
{
    if (!startup)
        return 0;
    for (u64 i = 0; i < startup->slots && i < L4_STARTUP_SLOTS; i++) {
        if (strncmp(startup->slot[i].name, name, L4_NAME_BYTES) == 0)
            return startup->slot[i].slot;
    }
    return 0;
}

cap_t l4_slot_need(const char *name)
{
    cap_t slot = l4_slot(name);
    if (!slot)
        l4_panic("no slot is called %s", name);
    return slot;
}

const char *l4_argument(const char *key, size_t *bytes)
{
    size_t key_bytes = strlen(key);
    const char *word = startup ? startup->arguments : "";
    while (*word) {
        const char *end = strchr(word, ' ');
        size_t length = end ? (size_t)(end - word) : strlen(word);
        if (length >= key_bytes && memcmp(word, key, key_bytes) == 0 &&
            (length == key_bytes || word[key_bytes] == '=')) {
            size_t skip = length == key_bytes ? key_bytes : key_bytes + 1;
            *bytes = length - skip;
            return word + skip;
        }
        word += length + (end != NULL);
    }
    return NULL;
}

u64 l4_argument_number(const char *key, u64 otherwise)
{
    size_t bytes;
    u64 number;
    const char *text = l4_argument(key, &bytes);
    return text && l4_parse_number(text, bytes, &number) ? number : otherwise;
}
