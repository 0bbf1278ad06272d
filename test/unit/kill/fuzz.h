/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz.h: a server fed with any bytes. One request after the other: a byte for the method, one for client and slot,
 * one that may spoil the number of words, then each word as a length byte and so many bytes. After each request every
 * invariant and audit must hold, and a request that was refused must have left the state as it was (unless the server
 * has ops). */
#pragma once
#include "kill.h"

extern int fuzz_one(const struct kill_server *, const u8 *data, size_t bytes);
extern u64 fuzz_requests, fuzz_done;    /* so many were sent, so many of them did not fail */
/* libFuzzer's name for the program's entry. */
extern int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);
