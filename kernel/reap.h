/* SPDX-License-Identifier: BSD-2-Clause */
/* reap.h: objects whose last capability is gone, until their memory is given back.
 * Destroying a task or a factory destroys what it holds, and that may hold more: instead of recursing, whatever is
 * found on the way goes to the front of one list, and whoever destroys works at the front until what he asked for is
 * gone. */
#pragma once
#include "object.h"

/* `object` has lost its root: it is destroyed before everything that is dying now. Harmless if it is dying already. */
void reap_insert(struct object *object);
/* One bounded step towards the end of the first: the units of tree.h that it took, 0 if nothing is dying. The invoking
 * thread and its task may be gone afterwards. For whoever destroys, and for a CPU that has nothing else to do (a
 * destroyer may die before its work is done). */
u32 reap_step(void);
