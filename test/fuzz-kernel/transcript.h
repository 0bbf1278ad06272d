/* SPDX-License-Identifier: BSD-2-Clause */
/* transcript.h: an input's steps in words, for people: AXO_TRANSCRIPT=1. */
#pragma once
#include <abi/ipc.h>

/* The running thread is about to enter the kernel. */
void transcript_system_call(void);
void transcript_exception(u64 vector, u64 error, u64 address);
void transcript_timer(void);
void transcript_line(u32 line);
/* What has come of it, or that the step was none of the kernel's business. */
void transcript_after(void);
