/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The C library's malloc family over a handle: the standard names with the prefix acre_std_, the
 * handle as first argument, and the C standard's meaning (C23 for the sized frees), errno included.
 * Header only; for hosted programs.
 *
 *     struct acre_bytes heap = acre_shared_bytes(&shared);
 *     char *name = acre_std_strdup(heap, "acre");
 *     acre_std_free(heap, name);
 *
 * All of them follow these rules:
 *
 * - Size 0 yields a pointer that must be freed; only realloc to 0 frees, as in glibc.
 * - A size above PTRDIFF_MAX and a product that overflows fail with ENOMEM.
 * - A call that fails sets errno and changes nothing: ENOMEM when there is no memory, EINVAL for a
 *   wrong argument (an alignment that is not a power of two, a pointer to realloc that is not a
 *   live block). A call that succeeds leaves errno unchanged, and so do all frees.
 * - The frees return a status, which C's do not: ACRE_OK, also for null; ACRE_NOT_ALLOCATED: the
 *   pointer is not the start of a live block of this heap; ACRE_INVALID_PARAM: the size or the
 *   alignment is not the block's. After an error nothing has changed, and the program can continue.
 * - Blocks have natural alignment, or the one passed to aligned_alloc. realloc guarantees natural
 *   alignment only.
 *
 * The time is that of the allocator, plus the time to copy, zero or print. The handle decides from
 * where and from how many threads the functions may be called.
 */
#ifndef ACRE_MALLOC_H
#define ACRE_MALLOC_H

#include <acre/bytes.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ACRE_STD_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define ACRE_STD_PRINTF(text, first)
#endif

/** For the functions below: the size to allocate. SIZE_MAX, which every allocator refuses and
 * counts, when the product overflows or is above PTRDIFF_MAX. */
static inline size_t acre_std_size(size_t count, size_t size)
{
    bool fits = size == 0 || count <= (size_t)PTRDIFF_MAX / size;
    return fits ? count * size : SIZE_MAX;
}

/** For the functions below: the pointer; sets errno when it is null. */
static inline void *acre_std_result(struct acre_ptr got)
{
    if (got.status != ACRE_OK)
        errno = got.status == ACRE_NO_MEMORY ? ENOMEM : EINVAL;
    return got.ptr;
}

/**
 * A block aligned to `align` bytes, a power of two; `size` need not be a multiple of it.
 * @return the block; null: ENOMEM or EINVAL.
 */
static inline void *acre_std_aligned_alloc(struct acre_bytes heap, size_t align, size_t size)
{
    return acre_std_result(acre_alloc(heap, acre_layout(acre_std_size(1, size), align)));
}

/** A block of `size` bytes. @return the block; null: ENOMEM. */
static inline void *acre_std_malloc(struct acre_bytes heap, size_t size)
{
    return acre_std_aligned_alloc(heap, ACRE_NATURAL_ALIGN, size);
}

/** A zeroed block of `count` times `size` bytes. @return the block; null: ENOMEM. */
static inline void *acre_std_calloc(struct acre_bytes heap, size_t count, size_t size)
{
    void *ptr = acre_std_malloc(heap, acre_std_size(count, size));
    return ptr != NULL ? memset(ptr, 0, count * size) : NULL;
}

/** Frees a block. @return see above. */
static inline enum acre_status acre_std_free(struct acre_bytes heap, void *ptr)
{
    return ptr != NULL ? acre_dealloc(heap, ptr) : ACRE_OK;
}

/** Frees a block that aligned_alloc returned for `align` and `size`. @return see above. */
static inline enum acre_status acre_std_free_aligned_sized(
    struct acre_bytes heap, void *ptr, size_t align, size_t size)
{
    return ptr != NULL ? acre_dealloc_sized(heap, ptr, acre_layout(size, align)) : ACRE_OK;
}

/** Frees a block of `size` bytes that malloc, calloc or realloc returned. @return see above. */
static inline enum acre_status acre_std_free_sized(struct acre_bytes heap, void *ptr, size_t size)
{
    return acre_std_free_aligned_sized(heap, ptr, ACRE_NATURAL_ALIGN, size);
}

/** For realloc: a block that cannot be made smaller stays as it is. */
static inline void *acre_std_unmoved(
    struct acre_bytes heap, void *ptr, size_t size, struct acre_ptr refused)
{
    if (refused.status == ACRE_NO_MEMORY && acre_usable_size(heap, ptr).num >= size)
        return ptr;
    return acre_std_result(refused);
}

/**
 * Changes a block's size to `count` times `size` bytes, moving it when it cannot stay.
 * @param ptr a block; null allocates.
 * @return the block, contents kept up to the smaller size. Null with errno unchanged: the product
 *         is 0, and the block has been freed. Null with ENOMEM (never for a block that does not
 *         grow) or EINVAL: the block is unchanged.
 */
static inline void *acre_std_reallocarray(
    struct acre_bytes heap, void *ptr, size_t count, size_t size)
{
    size_t bytes = acre_std_size(count, size);
    if (ptr == NULL)
        return acre_std_malloc(heap, bytes);
    struct acre_ptr moved = { NULL, ACRE_OK };
    if (bytes == 0)
        moved.status = acre_dealloc(heap, ptr);
    else
        moved = acre_realloc(heap, ptr, acre_layout(bytes, ACRE_NATURAL_ALIGN));
    return moved.status == ACRE_OK ? moved.ptr : acre_std_unmoved(heap, ptr, bytes, moved);
}

/** Changes a block's size to `size` bytes; as reallocarray with a count of 1. */
static inline void *acre_std_realloc(struct acre_bytes heap, void *ptr, size_t size)
{
    return acre_std_reallocarray(heap, ptr, 1, size);
}

/** A copy of the first `length` characters at `text`, followed by a 0. */
static inline char *acre_std_copy(struct acre_bytes heap, const char *text, size_t length)
{
    char *copy = (char *)acre_std_malloc(heap, length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

/** A copy of a string. @return the copy; null: ENOMEM. */
static inline char *acre_std_strdup(struct acre_bytes heap, const char *text)
{
    return acre_std_copy(heap, text, strlen(text));
}

/** A copy of at most the first `most` characters of a string, followed by a 0; reads no further.
 * @return the copy; null: ENOMEM. */
static inline char *acre_std_strndup(struct acre_bytes heap, const char *text, size_t most)
{
    const char *end = (const char *)memchr(text, '\0', most);
    return acre_std_copy(heap, text, end != NULL ? (size_t)(end - text) : most);
}

/**
 * Prints into a new block of exactly the needed size.
 * @param out receives the block, or null.
 * @return the number of characters, without the final 0; -1: ENOMEM, or an error of vsnprintf.
 */
ACRE_STD_PRINTF(3, 0)
static inline int acre_std_vasprintf(
    struct acre_bytes heap, char **out, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    *out = length < 0 ? NULL : (char *)acre_std_malloc(heap, (size_t)length + 1);
    if (*out == NULL || (length = vsnprintf(*out, (size_t)length + 1, format, args)) >= 0)
        return *out != NULL ? length : -1;
    acre_std_free(heap, *out);
    *out = NULL;
    return -1;
}

/** As acre_std_vasprintf. */
ACRE_STD_PRINTF(3, 4)
static inline int acre_std_asprintf(struct acre_bytes heap, char **out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = acre_std_vasprintf(heap, out, format, args);
    va_end(args);
    return length;
}

#ifdef __cplusplus
}
#endif

#endif
