/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A byte allocator that owns nothing: it has no memory to hand out and knows no block.
 */
#ifndef ACRE_SRC_BASE_NULL_H
#define ACRE_SRC_BASE_NULL_H

#include <acre/bytes.h>

/** Every request is refused with ACRE_NO_MEMORY, every pointer with ACRE_NOT_ALLOCATED, a bad
 * alignment and every region with ACRE_INVALID_PARAM. */
extern const struct acre_bytes_ops acre_null_ops;

#endif
