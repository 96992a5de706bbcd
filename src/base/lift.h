/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Lifts an allocator's typed functions into the tables of its families. A table's functions take
 * `void *self`, the typed ones take the allocator's struct; C has no portable cast between the two,
 * so each verb needs a function of its own that compilers reduce to a jump or inline away.
 *
 *     ACRE_LIFT_BASE(acre_tlsf)                            defines acre_tlsf_op_init, ...
 *     ACRE_LIFT_BYTES(acre_tlsf)                           defines acre_tlsf_op_alloc, ...
 *     const struct acre_bytes_ops acre_tlsf_ops = ACRE_BYTES_TABLE(acre_tlsf);
 *
 * An allocator that has another way to allocate through its table than through its struct defines
 * prefix_op_alloc and the frees itself and uses ACRE_LIFT_BLOCKS in place of
 * ACRE_LIFT_BYTES.
 */
#ifndef ACRE_SRC_BASE_LIFT_H
#define ACRE_SRC_BASE_LIFT_H

#include "base/annotate.h"

/** Defines the base verbs. */
#define ACRE_LIFT_BASE(prefix)                                                                     \
    static enum acre_status prefix##_op_init(void *self, void *start, size_t size)                 \
    {                                                                                              \
        return prefix##_init(self, start, size);                                                   \
    }                                                                                              \
    static enum acre_status prefix##_op_add_memory(void *self, void *start, size_t size)           \
    {                                                                                              \
        return prefix##_add_memory(self, start, size);                                             \
    }                                                                                              \
    static enum acre_status prefix##_op_remove_memory(void *self, void *start)                     \
    {                                                                                              \
        return prefix##_remove_memory(self, start);                                                \
    }                                                                                              \
    static struct acre_stats prefix##_op_stats(const void *self)                                   \
    {                                                                                              \
        return prefix##_stats(self);                                                               \
    }                                                                                              \
    static struct acre_check_result prefix##_op_check(const void *self)                            \
    {                                                                                              \
        return prefix##_check(self);                                                               \
    }                                                                                              \
    static void prefix##_op_reset(void *self)                                                      \
    {                                                                                              \
        prefix##_reset(self);                                                                      \
    }                                                                                              \
    static void prefix##_op_reset_peak(void *self)                                                 \
    {                                                                                              \
        prefix##_reset_peak(self);                                                                 \
    }

/** Defines the verbs on blocks but alloc and the frees. */
#define ACRE_LIFT_BLOCKS(prefix)                                                                   \
    static enum acre_status prefix##_op_resize(void *self, void *ptr, size_t size)                 \
    {                                                                                              \
        return prefix##_resize(self, ptr, size);                                                   \
    }                                                                                              \
    static struct acre_ptr prefix##_op_realloc(void *self, void *ptr, struct acre_layout layout)   \
    {                                                                                              \
        return prefix##_realloc(self, ptr, layout);                                                \
    }                                                                                              \
    static struct acre_num prefix##_op_usable_size(const void *self, const void *ptr)              \
    {                                                                                              \
        return prefix##_usable_size(self, ptr);                                                    \
    }                                                                                              \
    static struct acre_block prefix##_op_find(const void *self, const void *ptr)                   \
    {                                                                                              \
        return prefix##_find(self, ptr);                                                           \
    }                                                                                              \
    static void prefix##_op_walk(const void *self, acre_walk_fn *visit, void *arg)                 \
    {                                                                                              \
        prefix##_walk(self, visit, arg);                                                           \
    }                                                                                              \
    ACRE_ANNOTATE_TABLE(prefix)

/** Defines all verbs on blocks. */
#define ACRE_LIFT_BYTES(prefix)                                                                    \
    static struct acre_ptr prefix##_op_alloc(void *self, struct acre_layout layout)                \
    {                                                                                              \
        return prefix##_alloc(self, layout);                                                       \
    }                                                                                              \
    static enum acre_status prefix##_op_dealloc(void *self, void *ptr)                             \
    {                                                                                              \
        return prefix##_dealloc(self, ptr);                                                        \
    }                                                                                              \
    static enum acre_status prefix##_op_dealloc_sized(                                             \
        void *self, void *ptr, struct acre_layout layout)                                          \
    {                                                                                              \
        return prefix##_dealloc_sized(self, ptr, layout);                                          \
    }                                                                                              \
    ACRE_LIFT_BLOCKS(prefix)

/** The base verbs as an initializer of a struct acre_base_ops. */
#define ACRE_BASE_TABLE(prefix)                                                                    \
    {                                                                                              \
        .init = prefix##_op_init, .add_memory = prefix##_op_add_memory,                            \
        .remove_memory = prefix##_op_remove_memory, .stats = prefix##_op_stats,                    \
        .check = prefix##_op_check, .reset = prefix##_op_reset,                                    \
        .reset_peak = prefix##_op_reset_peak,                                                      \
    }

/** All verbs as an initializer of a struct acre_bytes_ops, never annotated. */
#define ACRE_PLAIN_TABLE(prefix)                                                                   \
    {                                                                                              \
        .base.init = prefix##_op_init, .base.add_memory = prefix##_op_add_memory,                  \
        .base.remove_memory = prefix##_op_remove_memory, .base.stats = prefix##_op_stats,          \
        .base.check = prefix##_op_check, .base.reset = prefix##_op_reset,                          \
        .base.reset_peak = prefix##_op_reset_peak, .alloc = prefix##_op_alloc,                     \
        .dealloc = prefix##_op_dealloc, .dealloc_sized = prefix##_op_dealloc_sized,                \
        .resize = prefix##_op_resize, .realloc = prefix##_op_realloc,                              \
        .usable_size = prefix##_op_usable_size, .find = prefix##_op_find,                          \
        .walk = prefix##_op_walk,                                                                  \
    }

/** The same, annotated in a build with ACRE_ANNOTATE. */
#define ACRE_BYTES_TABLE(prefix)                                                                   \
    {                                                                                              \
        .base.init = ACRE_TABLE_VERB(prefix, init),                                                \
        .base.add_memory = ACRE_TABLE_VERB(prefix, add_memory),                                    \
        .base.remove_memory = ACRE_TABLE_VERB(prefix, remove_memory),                              \
        .base.stats = ACRE_TABLE_VERB(prefix, stats),                                              \
        .base.check = ACRE_TABLE_VERB(prefix, check),                                              \
        .base.reset = ACRE_TABLE_VERB(prefix, reset),                                              \
        .base.reset_peak = ACRE_TABLE_VERB(prefix, reset_peak),                                    \
        .alloc = ACRE_TABLE_VERB(prefix, alloc), .dealloc = ACRE_TABLE_VERB(prefix, dealloc),      \
        .dealloc_sized = ACRE_TABLE_VERB(prefix, dealloc_sized),                                   \
        .resize = ACRE_TABLE_VERB(prefix, resize), .realloc = ACRE_TABLE_VERB(prefix, realloc),    \
        .usable_size = ACRE_TABLE_VERB(prefix, usable_size),                                       \
        .find = ACRE_TABLE_VERB(prefix, find), .walk = ACRE_TABLE_VERB(prefix, walk),              \
    }

#endif
