/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The null allocators: they own no memory and accept none.
 */
#ifndef ACRE_SRC_BASE_NULL_H
#define ACRE_SRC_BASE_NULL_H

#include <acre/bytes.h>
#include <acre/pages.h>

/** alloc returns ACRE_NO_MEMORY, or ACRE_INVALID_PARAM for a bad alignment; init and add_memory
 * return ACRE_INVALID_PARAM; every verb with a pointer returns ACRE_NOT_ALLOCATED. */
extern const struct acre_bytes_ops acre_null_ops;

/** The same for pages, of ACRE_NATURAL_ALIGN bytes: every request is refused with ACRE_NO_MEMORY,
 * or ACRE_INVALID_PARAM when its arguments are wrong. */
extern const struct acre_pages_ops acre_null_pages_ops;

#endif
