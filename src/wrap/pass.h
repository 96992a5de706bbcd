/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The verbs that a wrapper hands on as they are. Every wrapper's struct begins with the inner
 * handle, which is all that these look at.
 */
#ifndef ACRE_SRC_WRAP_PASS_H
#define ACRE_SRC_WRAP_PASS_H

#include <acre/bytes.h>

/** The inner handle of a wrapper. */
static inline struct acre_bytes wrap_inner(const void *self)
{
    return *(const struct acre_bytes *)self;
}

/** Its base verbs. */
static inline struct acre_base wrap_inner_base(const void *self)
{
    return acre_bytes_base(wrap_inner(self));
}

enum acre_status acre_wrap_pass_add_memory(void *self, void *start, size_t size);
enum acre_status acre_wrap_pass_remove_memory(void *self, void *start);
struct acre_stats acre_wrap_pass_stats(const void *self);
struct acre_check_result acre_wrap_pass_check(const void *self);
enum acre_status acre_wrap_pass_dealloc(void *self, void *ptr);
enum acre_status acre_wrap_pass_dealloc_sized(void *self, void *ptr, struct acre_layout layout);
struct acre_num acre_wrap_pass_usable_size(const void *self, const void *ptr);
void acre_wrap_pass_walk(const void *self, acre_walk_fn *visit, void *arg);

#endif
