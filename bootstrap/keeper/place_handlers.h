/* SPDX-License-Identifier: BSD-2-Clause */
/* place_handlers.h: the methods of process.idl, and what a new incarnation does first. */
#pragma once
#include "keeperd_server.h"

l4_err_t do_process_make(struct keeperd_tx tx, u64 label, u32 place, u64 process, u64 *start);
l4_err_t do_process_renew(struct keeperd_tx tx, u64 label, u32 place, u64 *start);
l4_err_t do_process_make_thread(struct keeperd_tx tx, u64 label, u32 place, u32 thread);
l4_err_t do_process_drop_thread(struct keeperd_tx tx, u64 label, u32 place, u32 thread);
l4_err_t do_process_drop(struct keeperd_tx tx, u64 label, u32 place);
/* Places and threads that keeper was making or ending when it died, and of which the state does not say that
 * somebody has them, go. */
void places_check(struct keeperd_tx tx);
