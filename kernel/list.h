/* SPDX-License-Identifier: BSD-2-Clause */
/* list.h: circular doubly linked lists whose nodes lie inside what they link.
 * INVARIANT linked: node->next->prev == node && node->prev->next == node; a node alone points to itself. */
#pragma once
#include <abi/types.h>
#include "path.h"

struct list {
    struct list *next, *prev;
};

#define container_of(node, type, member) ((type *)((char *)(node) - offsetof(type, member)))
#define list_for_each(node, head) for (struct list *node = (head)->next; node != (head); node = node->next)

static inline void list_init(struct list *node) { node->next = node->prev = node; }
static inline bool list_is_empty(const struct list *node) { return node->next == node; }
static inline struct list *list_first(const struct list *head) { return head->next != head ? head->next : NULL; }

/* Put `node` last in `head`'s list, or before the node `head`. */
static inline void list_insert(struct list *head, struct list *node)
{
    node->next = head;
    node->prev = head->prev;
    head->prev->next = node;
    head->prev = node;
}
/* Take `node` out of the list it is in; afterwards it is alone. Harmless for one that is alone. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}
