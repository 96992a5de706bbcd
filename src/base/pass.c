/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <acre/wrap/pass.h>

static struct acre_bytes pass_inner(const void *self)
{
    return *(const struct acre_bytes *)self;
}

enum acre_status acre_pass_init(void *self, void *start, size_t size)
{
    return acre_bytes_init(pass_inner(self), start, size);
}

enum acre_status acre_pass_add_memory(void *self, void *start, size_t size)
{
    return acre_bytes_add_memory(pass_inner(self), start, size);
}

enum acre_status acre_pass_remove_memory(void *self, void *start)
{
    return acre_bytes_remove_memory(pass_inner(self), start);
}

struct acre_stats acre_pass_stats(const void *self)
{
    return acre_bytes_stats(pass_inner(self));
}

struct acre_check_result acre_pass_check(const void *self)
{
    return acre_bytes_check(pass_inner(self));
}

void acre_pass_reset(void *self)
{
    acre_bytes_reset(pass_inner(self));
}

void acre_pass_reset_peak(void *self)
{
    acre_bytes_reset_peak(pass_inner(self));
}

struct acre_ptr acre_pass_alloc(void *self, struct acre_layout layout)
{
    return acre_alloc(pass_inner(self), layout);
}

enum acre_status acre_pass_dealloc(void *self, void *ptr)
{
    return acre_dealloc(pass_inner(self), ptr);
}

enum acre_status acre_pass_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    return acre_dealloc_sized(pass_inner(self), ptr, layout);
}

enum acre_status acre_pass_resize(void *self, void *ptr, size_t size)
{
    return acre_resize(pass_inner(self), ptr, size);
}

struct acre_ptr acre_pass_realloc(void *self, void *ptr, struct acre_layout layout)
{
    return acre_realloc(pass_inner(self), ptr, layout);
}

struct acre_num acre_pass_usable_size(const void *self, const void *ptr)
{
    return acre_usable_size(pass_inner(self), ptr);
}

struct acre_block acre_pass_find(const void *self, const void *ptr)
{
    return acre_find(pass_inner(self), ptr);
}

void acre_pass_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    acre_walk(pass_inner(self), visit, arg);
}

const struct acre_bytes_ops acre_pass_ops = { ACRE_PASS_ALL };
