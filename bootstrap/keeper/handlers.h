/* SPDX-License-Identifier: BSD-2-Clause */
/* handlers.h: keeper's handlers, for its loop and for the host test. */
#pragma once

struct keeperd_ops;
extern const struct keeperd_ops keeper_ops;
