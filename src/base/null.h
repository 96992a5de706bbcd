/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The null allocator: a byte allocator that owns no memory and accepts none.
 */
#ifndef ACRE_SRC_BASE_NULL_H
#define ACRE_SRC_BASE_NULL_H

#include <acre/bytes.h>

/** alloc returns ACRE_NO_MEMORY, or ACRE_INVALID_PARAM for a bad alignment; init and add_memory
 * return ACRE_INVALID_PARAM; every verb with a pointer returns ACRE_NOT_ALLOCATED. */
extern const struct acre_bytes_ops acre_null_ops;

#endif
