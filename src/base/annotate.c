/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The annotations of ACRE_ANNOTATE. Without it this file is empty.
 */
#include "base/annotate.h"

#include "base/memory.h"

#if ACRE_ANNOTATE

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef VALGRIND_MAKE_MEM_UNDEFINED
#define VALGRIND_DISABLE_ERROR_REPORTING ((void)0)
#define VALGRIND_ENABLE_ERROR_REPORTING ((void)0)
#define VALGRIND_MAKE_MEM_DEFINED(start, size) ((void)(start), (void)(size))
#define VALGRIND_MAKE_MEM_UNDEFINED(start, size) ((void)(start), (void)(size))
#define VALGRIND_MAKE_MEM_NOACCESS(start, size) ((void)(start), (void)(size))
#endif

/* The sanitizers' interfaces; null in a program without them. Their names are given. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
void __asan_poison_memory_region(void const volatile *start, size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *start, size_t size) __attribute__((weak));
void __msan_allocated_memory(const volatile void *start, size_t size) __attribute__((weak));
/* NOLINTEND(bugprone-reserved-identifier) */

/* ---- memory ---- */

/* Loops over bytes that compilers do not turn into calls of the C library's functions. */
void *acre_annotate_copy(void *target, const void *source, size_t size)
{
    unsigned char *to = target;
    const unsigned char *from = source;
    bool upward = (uintptr_t)to < (uintptr_t)from;
    for (size_t i = 0; i < size; i++) {
        size_t at = upward ? i : size - 1 - i;
        to[at] = from[at];
        ACRE_REREAD();
    }
    return target;
}

void *acre_annotate_fill(void *target, int value, size_t size)
{
    unsigned char *to = target;
    for (size_t i = 0; i < size; i++) {
        to[i] = (unsigned char)value;
        ACRE_REREAD();
    }
    return target;
}

/* ---- the tools ---- */

static void annotate_enter(void)
{
    VALGRIND_DISABLE_ERROR_REPORTING;
}

/* Ends a call of the allocator: its result may come from bytes that valgrind takes for undefined. */
static void annotate_leave(void *result, size_t size)
{
    VALGRIND_MAKE_MEM_DEFINED(result, size);
    VALGRIND_ENABLE_ERROR_REPORTING;
}

/* Bytes that nobody may touch. */
static void annotate_closed(void *start, size_t size)
{
    VALGRIND_MAKE_MEM_NOACCESS(start, size);
    if (__asan_poison_memory_region != NULL)
        __asan_poison_memory_region(start, size);
}

/* Bytes whose contents count no more; the allocator may write its own there next. */
static void annotate_forgotten(void *start, size_t size)
{
    if (__msan_allocated_memory != NULL)
        __msan_allocated_memory(start, size);
}

static void annotate_open(void *start, size_t size)
{
    if (__asan_unpoison_memory_region != NULL)
        __asan_unpoison_memory_region(start, size);
}

/* Bytes of a new block. */
static void annotate_fresh(void *start, size_t size)
{
    annotate_open(start, size);
    VALGRIND_MAKE_MEM_UNDEFINED(start, size);
    annotate_forgotten(start, size);
}

/* Bytes with contents. */
static void annotate_whole(void *start, size_t size)
{
    annotate_open(start, size);
    VALGRIND_MAKE_MEM_DEFINED(start, size);
}

/* ---- blocks ---- */

/* Usable bytes of a block; 0: it is not live. */
static size_t annotate_usable(const struct acre_bytes_ops *plain, const void *self, const void *ptr)
{
    annotate_enter();
    struct acre_num usable = plain->usable_size(self, ptr);
    annotate_leave(&usable, sizeof usable);
    return usable.status == ACRE_OK ? usable.num : 0;
}

/* Closes what a block has past the size requested. */
static void annotate_tail(
    const struct acre_bytes_ops *plain, const void *self, void *ptr, size_t size)
{
    size_t usable = annotate_usable(plain, self, ptr);
    if (usable > size)
        annotate_closed((char *)ptr + size, usable - size);
}

struct acre_ptr acre_annotate_alloc(
    const struct acre_bytes_ops *plain, void *self, struct acre_layout layout)
{
    annotate_enter();
    struct acre_ptr block = plain->alloc(self, layout);
    annotate_leave(&block, sizeof block);
    if (block.ptr != NULL) {
        annotate_fresh(block.ptr, layout.size);
        annotate_tail(plain, self, block.ptr, layout.size);
    }
    return block;
}

enum acre_status acre_annotate_dealloc(const struct acre_bytes_ops *plain, void *self, void *ptr)
{
    size_t usable = annotate_usable(plain, self, ptr);
    annotate_forgotten(ptr, usable);
    annotate_enter();
    enum acre_status status = plain->dealloc(self, ptr);
    annotate_leave(&status, sizeof status);
    if (status == ACRE_OK)
        annotate_closed(ptr, usable);
    return status;
}

enum acre_status acre_annotate_dealloc_sized(
    const struct acre_bytes_ops *plain, void *self, void *ptr, struct acre_layout layout)
{
    size_t usable = annotate_usable(plain, self, ptr);
    annotate_enter();
    enum acre_status status = plain->dealloc_sized(self, ptr, layout);
    annotate_leave(&status, sizeof status);
    if (status == ACRE_OK)
        annotate_closed(ptr, usable);
    return status;
}

enum acre_status acre_annotate_resize(
    const struct acre_bytes_ops *plain, void *self, void *ptr, size_t size)
{
    size_t before = annotate_usable(plain, self, ptr);
    annotate_enter();
    enum acre_status status = plain->resize(self, ptr, size);
    annotate_leave(&status, sizeof status);
    if (status != ACRE_OK)
        return status;
    size_t after = annotate_usable(plain, self, ptr);
    if (after < before)
        annotate_closed((char *)ptr + after, before - after);
    annotate_open(ptr, size);
    if (size > before)
        annotate_fresh((char *)ptr + before, size - before);
    annotate_tail(plain, self, ptr, size);
    return status;
}

/* The copy goes over the whole block, so that it is open while it is made. When nothing moved, the
 * block stays open: what was requested is not known. */
struct acre_ptr acre_annotate_realloc(
    const struct acre_bytes_ops *plain, void *self, void *ptr, struct acre_layout layout)
{
    size_t before = ptr != NULL ? annotate_usable(plain, self, ptr) : 0;
    annotate_open(ptr, before);
    annotate_enter();
    struct acre_ptr block = plain->realloc(self, ptr, layout);
    annotate_leave(&block, sizeof block);
    if (block.ptr == NULL)
        return block;
    if (block.ptr != ptr && before != 0)
        annotate_closed(ptr, before);
    annotate_whole(block.ptr, before < layout.size ? before : layout.size);
    if (before < layout.size)
        annotate_fresh((char *)block.ptr + before, layout.size - before);
    annotate_tail(plain, self, block.ptr, layout.size);
    return block;
}

struct acre_num acre_annotate_usable_size(
    const struct acre_bytes_ops *plain, const void *self, const void *ptr)
{
    annotate_enter();
    struct acre_num usable = plain->usable_size(self, ptr);
    annotate_leave(&usable, sizeof usable);
    return usable;
}

struct acre_block acre_annotate_find(
    const struct acre_bytes_ops *plain, const void *self, const void *ptr)
{
    annotate_enter();
    struct acre_block block = plain->find(self, ptr);
    annotate_leave(&block, sizeof block);
    return block;
}

void acre_annotate_walk(
    const struct acre_bytes_ops *plain, const void *self, acre_walk_fn *visit, void *arg)
{
    annotate_enter();
    plain->walk(self, visit, arg);
    annotate_leave(NULL, 0);
}

struct acre_num acre_annotate_pages(struct acre_num found, size_t bytes)
{
    if (found.status == ACRE_OK)
        annotate_whole((void *)(uintptr_t)found.num, bytes);
    return found;
}

/* ---- base verbs ---- */

enum acre_status acre_annotate_init(
    const struct acre_bytes_ops *plain, void *self, void *start, size_t size)
{
    annotate_open(start, start != NULL ? size : 0);
    annotate_enter();
    enum acre_status status = plain->base.init(self, start, size);
    annotate_leave(&status, sizeof status);
    if (status == ACRE_OK)
        annotate_closed(start, size);
    return status;
}

enum acre_status acre_annotate_add_memory(
    const struct acre_bytes_ops *plain, void *self, void *start, size_t size)
{
    annotate_enter();
    enum acre_status status = plain->base.add_memory(self, start, size);
    annotate_leave(&status, sizeof status);
    if (status == ACRE_OK)
        annotate_closed(start, size);
    return status;
}

/* A region that was removed is the caller's again, as far as the total shrank. */
enum acre_status acre_annotate_remove_memory(
    const struct acre_bytes_ops *plain, void *self, void *start)
{
    annotate_enter();
    size_t before = plain->base.stats(self).total;
    enum acre_status status = plain->base.remove_memory(self, start);
    size_t gone = before - plain->base.stats(self).total;
    annotate_leave(&gone, sizeof gone);
    VALGRIND_MAKE_MEM_DEFINED(&status, sizeof status);
    if (status == ACRE_OK)
        annotate_whole(start, gone);
    return status;
}

struct acre_stats acre_annotate_stats(const struct acre_bytes_ops *plain, const void *self)
{
    annotate_enter();
    struct acre_stats stats = plain->base.stats(self);
    annotate_leave(&stats, sizeof stats);
    return stats;
}

struct acre_check_result acre_annotate_check(const struct acre_bytes_ops *plain, const void *self)
{
    annotate_enter();
    struct acre_check_result result = plain->base.check(self);
    annotate_leave(&result, sizeof result);
    return result;
}

void acre_annotate_reset(const struct acre_bytes_ops *plain, void *self)
{
    annotate_enter();
    plain->base.reset(self);
    annotate_leave(NULL, 0);
}

void acre_annotate_reset_peak(const struct acre_bytes_ops *plain, void *self)
{
    annotate_enter();
    plain->base.reset_peak(self);
    annotate_leave(NULL, 0);
}

#endif
