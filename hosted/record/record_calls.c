/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The malloc family as the program sees it: the real call, and its event.
 *
 * An event takes its order number after the real call when that makes a block and before when it
 * ends one, so that an address is freed in the record before it is given out again. A resize is
 * both, and writes two events. errno is the real call's.
 */
#include "record_note.h"
#include "record_real.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default"), used))

/* The declarations of libc may carry attributes that let the compiler drop what it sees here. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
void *reallocarray(void *block, size_t count, size_t size);
void *memalign(size_t align, size_t size);
void *aligned_alloc(size_t align, size_t size);
int posix_memalign(void **block, size_t align, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
void cfree(void *block);
void free_sized(void *block, size_t size);
void free_aligned_sized(void *block, size_t align, size_t size);

static inline bool has_real(void)
{
    return RECORD_LIKELY(record_real.malloc) || record_find_real();
}

EXPORT void *malloc(size_t size)
{
    void *block;

    if (!has_real())
        return record_early_alloc(size);
    block = record_real.malloc(size);
    record_note(SPOOL_MALLOC, block, size, 0);
    return block;
}

EXPORT void *calloc(size_t count, size_t size)
{
    void *block;
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX;
    if (!has_real())
        return record_early_alloc(bytes);
    block = record_real.calloc(count, size);
    record_note(SPOOL_CALLOC, block, bytes, 0);
    return block;
}

EXPORT void free(void *block)
{
    if (!block || record_is_early(block) || !has_real())
        return;
    record_note(SPOOL_FREE, block, 0, 0);
    record_real.free(block);
}

/** A resize of a block that the dynamic linker got early: it moves to the real heap. */
static RECORD_COLD void *move_early_block(void *block, size_t size)
{
    size_t room = record_early_room(block);
    void *moved = malloc(size);

    if (moved && !record_is_early(moved))
        memcpy(moved, block, size < room ? size : room);
    else if (moved)
        memmove(moved, block, size);
    return moved;
}

EXPORT void *realloc(void *block, size_t size)
{
    void *moved;

    if (record_is_early(block))
        return move_early_block(block, size);
    if (!has_real())
        return block ? NULL : record_early_alloc(size);
    if (block)
        record_note(SPOOL_RESIZE_BEGIN, block, size, 0);
    moved = record_real.realloc(block, size);
    record_note(block ? SPOOL_RESIZE_END : SPOOL_MALLOC, moved, size, 0);
    return moved;
}

EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        if (block)
            record_note(SPOOL_RESIZE_BEGIN, block, SIZE_MAX, 0);
        record_note(block ? SPOOL_RESIZE_END : SPOOL_MALLOC, NULL, SIZE_MAX, 0);
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

/** log2 of the alignment that an allocator gives for `align`: the next power of two. */
static inline unsigned align_to_log2(size_t align)
{
    return align > 1 ? (unsigned)(sizeof(long) * 8) - (unsigned)__builtin_clzl(align - 1) : 0;
}

/** Records a call that asked for an alignment; one with an alignment that is none is not recorded.
 */
static inline void *note_aligned(void *block, size_t align, size_t size)
{
    if (block || (align & (align - 1)) == 0)
        record_note(SPOOL_MEMALIGN, block, size, align_to_log2(align));
    return block;
}

EXPORT void *memalign(size_t align, size_t size)
{
    if (!has_real())
        return NULL;
    return note_aligned(record_real.memalign(align, size), align, size);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
    if (!has_real())
        return NULL;
    return note_aligned(record_real.aligned_alloc(align, size), align, size);
}

EXPORT int posix_memalign(void **block, size_t align, size_t size)
{
    int error;

    if (!has_real())
        return ENOMEM;
    error = record_real.posix_memalign(block, align, size);
    if (error != EINVAL)
        note_aligned(error ? NULL : *block, align, size);
    return error;
}

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

EXPORT void *valloc(size_t size)
{
    if (!has_real())
        return NULL;
    return note_aligned(record_real.valloc(size), page_size(), size);
}

EXPORT void *pvalloc(size_t size)
{
    size_t page = page_size();
    size_t rounded = size > SIZE_MAX - page ? SIZE_MAX : (size + page - 1) / page * page;

    if (!has_real())
        return NULL;
    return note_aligned(record_real.pvalloc(size), page, rounded);
}

EXPORT void cfree(void *block)
{
    free(block);
}

EXPORT void free_sized(void *block, size_t size)
{
    (void)size;
    free(block);
}

EXPORT void free_aligned_sized(void *block, size_t align, size_t size)
{
    (void)align;
    (void)size;
    free(block);
}
