/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The table of a byte allocator under a lock, for every struct that begins with a struct
 * acre_locked: the wrapper of that name and the shared handle.
 */
#ifndef ACRE_SRC_BASE_LOCKED_H
#define ACRE_SRC_BASE_LOCKED_H

#include <acre/wrap/locked.h>

extern const struct acre_bytes_ops acre_locked_ops;

#endif
