/* SPDX-License-Identifier: BSD-2-Clause */
/* authority.h: objects that are nothing but authority: one of each, in the kernel image. */
#pragma once
#include "object.h"

struct sched { struct object object; };     /* the highest priority it may give is the capability's label */
struct debug { struct object object; };
struct log { struct object object; };

extern struct sched authority_sched;
extern struct debug authority_debug;
extern struct log authority_log;
void authority_init(struct factory *root);
