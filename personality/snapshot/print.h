/* SPDX-License-Identifier: BSD-2-Clause */
/* print.h: the kernel's snapshot as lines of its log, for tools/axo/snapshot.py to read:
 *
 *   snapshot NAME                                      it begins
 *   T task                                             numbers are hexadecimal
 *   M task address order rights frame lineage parent N F L P    memory: a run of N mappings, one behind the other, of which each has
 *                                                      a frame, lineage and parent greater by F, L and P (modulo 2^64) than the one
 *                                                      before. sigma0's, which is all there is, is left out
 *   P task port order rights lineage parent
 *   C task slot kind object label rights lineage parent factory
 *   end NAME events object lineage                     the lines between are all of it; where a trace goes on, and the last object and
 *                                                      lineage that were given */
#pragma once
#include <abi/types.h>

/* Print it. The caller holds `debug` with R; what changes meanwhile may be in it or not. The kernel's error, or 0. */
l4_err_t snapshot_print(cap_t debug, const char *name);
