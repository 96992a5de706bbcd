/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "wrap/pass.h"

enum acre_status acre_wrap_pass_add_memory(void *self, void *start, size_t size)
{
    return acre_add_memory(wrap_inner_base(self), start, size);
}

enum acre_status acre_wrap_pass_remove_memory(void *self, void *start)
{
    return acre_remove_memory(wrap_inner_base(self), start);
}

struct acre_stats acre_wrap_pass_stats(const void *self)
{
    return acre_stats(wrap_inner_base(self));
}

struct acre_check_result acre_wrap_pass_check(const void *self)
{
    return acre_check(wrap_inner_base(self));
}

enum acre_status acre_wrap_pass_dealloc(void *self, void *ptr)
{
    return acre_dealloc(wrap_inner(self), ptr);
}

enum acre_status acre_wrap_pass_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    return acre_dealloc_sized(wrap_inner(self), ptr, layout);
}

struct acre_num acre_wrap_pass_usable_size(const void *self, const void *ptr)
{
    return acre_usable_size(wrap_inner(self), ptr);
}

void acre_wrap_pass_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    acre_walk(wrap_inner(self), visit, arg);
}
