/* SPDX-License-Identifier: BSD-2-Clause */
/* place.h: tasks of Linux processes, as idl/interfaces/process.idl says, and what vm must hold of tasks. */
#pragma once
#include <abi/types.h>

/* Of the boot, after all services: the factory of processes. */
void places_make(void);
/* Service n has a new task: vm gets it if the service is vm's client, and all of them if it is vm; pm gets the threads.
 * */
void places_give(u32 n);
