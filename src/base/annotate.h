/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Tells AddressSanitizer, MemorySanitizer and valgrind which bytes of a region belong to live
 * blocks. Empty unless ACRE_ANNOTATE is 1: then every table of a byte allocator (lift.h) passes
 * through the functions below. All bytes of a free block, and those of a live one past the size
 * requested, are out of bounds; the contents of a new block are undefined. The allocators
 * themselves touch such bytes: they are compiled without sanitizers, and valgrind's reports are off
 * inside a call.
 *
 * A tool is there or not at run time: the sanitizers' functions are weak symbols, valgrind's
 * requests do nothing outside it. Calls of an allocator's typed functions, which bypass the table,
 * are not annotated.
 */
#ifndef ACRE_SRC_BASE_ANNOTATE_H
#define ACRE_SRC_BASE_ANNOTATE_H

#include "base/compiler.h"

#include <acre/bytes.h>

#if ACRE_ANNOTATE

/** The verbs of a table, annotated; `plain` is the allocator's table without. */
enum acre_status acre_annotate_init(
    const struct acre_bytes_ops *plain, void *self, void *start, size_t size);
enum acre_status acre_annotate_add_memory(
    const struct acre_bytes_ops *plain, void *self, void *start, size_t size);
enum acre_status acre_annotate_remove_memory(
    const struct acre_bytes_ops *plain, void *self, void *start);
struct acre_stats acre_annotate_stats(const struct acre_bytes_ops *plain, const void *self);
struct acre_check_result acre_annotate_check(const struct acre_bytes_ops *plain, const void *self);
void acre_annotate_reset(const struct acre_bytes_ops *plain, void *self);
void acre_annotate_reset_peak(const struct acre_bytes_ops *plain, void *self);
struct acre_ptr acre_annotate_alloc(
    const struct acre_bytes_ops *plain, void *self, struct acre_layout layout);
enum acre_status acre_annotate_dealloc(const struct acre_bytes_ops *plain, void *self, void *ptr);
enum acre_status acre_annotate_dealloc_sized(
    const struct acre_bytes_ops *plain, void *self, void *ptr, struct acre_layout layout);
enum acre_status acre_annotate_resize(
    const struct acre_bytes_ops *plain, void *self, void *ptr, size_t size);
struct acre_ptr acre_annotate_realloc(
    const struct acre_bytes_ops *plain, void *self, void *ptr, struct acre_layout layout);
struct acre_num acre_annotate_usable_size(
    const struct acre_bytes_ops *plain, const void *self, const void *ptr);
struct acre_block acre_annotate_find(
    const struct acre_bytes_ops *plain, const void *self, const void *ptr);
void acre_annotate_walk(
    const struct acre_bytes_ops *plain, const void *self, acre_walk_fn *visit, void *arg);

/** Makes pages that leave the heap whole again: blocks may have lain in there. */
struct acre_num acre_annotate_pages(struct acre_num found, size_t bytes);

/** The name of a verb's function in an allocator's table. */
#define ACRE_TABLE_VERB(prefix, verb) prefix##_noted_##verb

/** Defines the annotated verb of a table: its result, its parameters behind `self`, their names. */
#define ACRE_NOTED(prefix, result, verb, self_type, parameters, names)                             \
    static result prefix##_noted_##verb(self_type *self ACRE_UNPACK parameters)                    \
    {                                                                                              \
        return acre_annotate_##verb(&prefix##_plain, self ACRE_UNPACK names);                      \
    }

#define ACRE_NOTED_VOID(prefix, verb, self_type, parameters, names)                                \
    static void prefix##_noted_##verb(self_type *self ACRE_UNPACK parameters)                      \
    {                                                                                              \
        acre_annotate_##verb(&prefix##_plain, self ACRE_UNPACK names);                             \
    }

#define ACRE_UNPACK(...) __VA_ARGS__

/** Defines every annotated verb of a table; prefix_op_alloc and the frees may follow. */
#define ACRE_ANNOTATE_TABLE(prefix)                                                                \
    static struct acre_ptr prefix##_op_alloc(void *self, struct acre_layout layout);               \
    static enum acre_status prefix##_op_dealloc(void *self, void *ptr);                            \
    static enum acre_status prefix##_op_dealloc_sized(                                             \
        void *self, void *ptr, struct acre_layout layout);                                         \
    static const struct acre_bytes_ops prefix##_plain = ACRE_PLAIN_TABLE(prefix);                  \
    ACRE_NOTED(                                                                                    \
        prefix, enum acre_status, init, void, (, void *start, size_t size), (, start, size))       \
    ACRE_NOTED(                                                                                    \
        prefix, enum acre_status, add_memory, void, (, void *start, size_t size), (, start, size)) \
    ACRE_NOTED(prefix, enum acre_status, remove_memory, void, (, void *start), (, start))          \
    ACRE_NOTED(prefix, struct acre_stats, stats, const void, (), ())                               \
    ACRE_NOTED(prefix, struct acre_check_result, check, const void, (), ())                        \
    ACRE_NOTED_VOID(prefix, reset, void, (), ())                                                   \
    ACRE_NOTED_VOID(prefix, reset_peak, void, (), ())                                              \
    ACRE_NOTED(prefix, struct acre_ptr, alloc, void, (, struct acre_layout layout), (, layout))    \
    ACRE_NOTED(prefix, enum acre_status, dealloc, void, (, void *ptr), (, ptr))                    \
    ACRE_NOTED(prefix, enum acre_status, dealloc_sized, void,                                      \
        (, void *ptr, struct acre_layout layout), (, ptr, layout))                                 \
    ACRE_NOTED(prefix, enum acre_status, resize, void, (, void *ptr, size_t size), (, ptr, size))  \
    ACRE_NOTED(prefix, struct acre_ptr, realloc, void, (, void *ptr, struct acre_layout layout),   \
        (, ptr, layout))                                                                           \
    ACRE_NOTED(prefix, struct acre_num, usable_size, const void, (, const void *ptr), (, ptr))     \
    ACRE_NOTED(prefix, struct acre_block, find, const void, (, const void *ptr), (, ptr))          \
    ACRE_NOTED_VOID(prefix, walk, const void, (, acre_walk_fn * visit, void *arg), (, visit, arg))

#else

#define ACRE_TABLE_VERB(prefix, verb) prefix##_op_##verb
#define ACRE_ANNOTATE_TABLE(prefix)

#define acre_annotate_pages(found, bytes) ((void)(bytes), (found))

#endif

#endif
