/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Pass-through: the starting point for a wrapper of your own. Every verb is passed to the inner
 * allocator; a wrapper overrides the ones that it changes.
 *
 *     struct counter {
 *         struct acre_bytes inner; // the first member
 *         size_t requests;
 *     };
 *
 *     static struct acre_ptr counter_alloc(void *self, struct acre_layout layout)
 *     {
 *         struct counter *counter = self;
 *         counter->requests++;
 *         return acre_pass_alloc(self, layout);
 *     }
 *
 *     ACRE_PASS_OPS(counter_ops, .alloc = counter_alloc);
 *
 *     struct counter counter = { acre_tlsf_bytes(&tlsf), 0 };
 *     struct acre_bytes heap = { &counter_ops, &counter };
 *
 * A wrapper that changes pointers or sizes overrides every verb that takes or returns one. A
 * wrapper that only watches may override as few verbs as it likes, and stays complete when the
 * table gains a verb. examples/wrapper.c is a whole program.
 */
#ifndef ACRE_WRAP_PASS_H
#define ACRE_WRAP_PASS_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The verbs, each passed to the inner allocator. The contracts and costs are those of the inner
 * allocator's verbs.
 * @param self a wrapper: a struct whose first member is the inner allocator, a struct acre_bytes.
 */
ACRE_NODISCARD enum acre_status acre_pass_init(void *self, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_pass_add_memory(void *self, void *start, size_t size);
enum acre_status acre_pass_remove_memory(void *self, void *start);
struct acre_stats acre_pass_stats(const void *self);
struct acre_check_result acre_pass_check(const void *self);
void acre_pass_reset(void *self);
void acre_pass_reset_peak(void *self);
ACRE_NODISCARD struct acre_ptr acre_pass_alloc(void *self, struct acre_layout layout);
enum acre_status acre_pass_dealloc(void *self, void *ptr);
enum acre_status acre_pass_dealloc_sized(void *self, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_pass_resize(void *self, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_pass_realloc(void *self, void *ptr, struct acre_layout layout);
struct acre_num acre_pass_usable_size(const void *self, const void *ptr);
struct acre_block acre_pass_find(const void *self, const void *ptr);
void acre_pass_walk(const void *self, acre_walk_fn *visit, void *arg);

/** The table that passes every verb. C++ has no overriding initializers: copy it and assign. */
extern const struct acre_bytes_ops acre_pass_ops;

#ifndef __cplusplus

/** For ACRE_PASS_OPS: an initializer of every verb. */
#define ACRE_PASS_ALL                                                                              \
    .base.init = acre_pass_init, .base.add_memory = acre_pass_add_memory,                          \
    .base.remove_memory = acre_pass_remove_memory, .base.stats = acre_pass_stats,                  \
    .base.check = acre_pass_check, .base.reset = acre_pass_reset,                                  \
    .base.reset_peak = acre_pass_reset_peak, .alloc = acre_pass_alloc,                             \
    .dealloc = acre_pass_dealloc, .dealloc_sized = acre_pass_dealloc_sized,                        \
    .resize = acre_pass_resize, .realloc = acre_pass_realloc,                                      \
    .usable_size = acre_pass_usable_size, .find = acre_pass_find, .walk = acre_pass_walk

/** For ACRE_PASS_OPS: compilers warn of an initializer that another one overrides, which is the
 * purpose here. */
#if defined(__clang__)
#define ACRE_PASS_QUIET                                                                            \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Winitializer-overrides\"")
#define ACRE_PASS_LOUD _Pragma("GCC diagnostic pop")
#elif defined(__GNUC__)
#define ACRE_PASS_QUIET                                                                            \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Woverride-init\"")
#define ACRE_PASS_LOUD _Pragma("GCC diagnostic pop")
#else
#define ACRE_PASS_QUIET
#define ACRE_PASS_LOUD
#endif

/** Defines a static table that passes every verb but those given, as `.verb = function` or
 * `.base.verb = function`. */
#define ACRE_PASS_OPS(name, ...)                                                                   \
    ACRE_PASS_QUIET                                                                                \
    static const struct acre_bytes_ops name = { ACRE_PASS_ALL, __VA_ARGS__ };                      \
    ACRE_PASS_LOUD                                                                                 \
    _Static_assert(sizeof name != 0, "a semicolon follows")

#endif

#ifdef __cplusplus
}
#endif

#endif
