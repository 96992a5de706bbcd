/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Arena: a byte allocator that serves requests one after the other, and frees many at once.
 *
 * Requests take the next bytes of the current region (bump allocation). Memory comes back from the
 * end only: when the last block is freed, when everything from a mark on is released, or at reset.
 * Freeing any other block only marks it as freed; its memory comes back once no live block lies
 * after it in its region. For frames, requests and parsers, whose blocks end together.
 *
 *     void *mark = acre_arena_mark(&arena).ptr;
 *     struct token *tokens = ACRE_NEW_ARRAY(bytes, struct token, 100);
 *     ...
 *     acre_arena_release(&arena, mark);
 *
 * A mark is a block: any live block can be released to, and a mark can be freed like any block.
 *
 * Two bits per granule, outside the blocks, tell where blocks start and which of them were freed.
 * They validate every pointer and mark, and give a block its size: blocks have no header.
 *
 * Cost per block: rounding to the granule, which is natural alignment. Cost per region: two bits
 * per granule (1.6 % on 64-bit machines) and a descriptor of some 130 bytes.
 *
 * Regions are filled one after the other: the first unused one that holds a request becomes the
 * current one, and what was left of the one before serves nothing until that is the current one
 * again. Fragmentation has no bound: one live block can hold the memory of all freed ones before
 * it.
 *
 * Not for: blocks that are freed in another order than the reverse one, unless all are released
 * soon. As the heap of a whole program it grows without end.
 */
#ifndef ACRE_ARENA_H
#define ACRE_ARENA_H

#include <acre/backing.h>
#include <acre/bytes.h>
#include <acre/regions.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast" /* alloc below is C */
#endif

/** Sizes. They follow from the configuration; do not change them. */
enum {
    ACRE_ARENA_GRANULE = ACRE_NATURAL_ALIGN, /**< Bytes that sizes are rounded up to. */
    ACRE_ARENA_GRANULE_LOG2 = ACRE_ARENA_GRANULE == 4    ? 2
                              : ACRE_ARENA_GRANULE == 8  ? 3
                              : ACRE_ARENA_GRANULE == 16 ? 4
                                                         : 5,
    ACRE_ARENA_WORD_BITS = 8 * sizeof(size_t)
};

struct acre_arena_region;

/**
 * One allocator. The caller provides the struct, zeroed before the first call: a zeroed struct is
 * an empty allocator. Every field is private. It must not move while it owns memory, and must not
 * lie in memory that it owns.
 */
struct acre_arena {
    size_t next;     /* current region: the granule that the next block starts at, */
    size_t granules; /* its granules; 0: there is no current region, */
    size_t *starts;  /* a bit for each: a block starts here, */
    uintptr_t base;  /* and the address of its first granule */
    size_t live_blocks;
    struct acre_arena_region *current; /* null: no region is in use */
    size_t older; /* granules in use in the regions in use but the current one */
    size_t peak;  /* granules; at least what was in use whenever that fell */
    size_t failed;
    size_t capacity; /* granules of all regions */
    struct acre_regions regions;
    struct acre_exhausted_hook on_exhausted; /* init keeps it */
};

/** acre_arena_alloc for what does not fit behind the last block, and for alignments above natural
 * alignment. A part of acre_arena_alloc, not to be called; its errors are those of it. Size and
 * alignment apart: a struct would be stored before it is known that the call is needed.
 * @return {block, ACRE_OK}; ACRE_INVALID_PARAM; ACRE_NO_MEMORY. O(regions). */
ACRE_NODISCARD struct acre_ptr acre_arena_alloc_slow(
    struct acre_arena *arena, size_t size, size_t align);

/**
 * The verbs. The contract of each is that of its namesake in acre/bytes.h and acre/base.h.
 *
 * alloc: O(1), with a request that starts on another region O(regions). dealloc of the last block:
 * O(n), n the bytes that come back and the block before them, a step per 1024 of them (256 on
 * 32-bit machines). Every other verb on a block: the same for the bytes of the block. A block
 * outside the current region is first found in O(log regions).
 *
 * stats().used is what lies before the end of the last block of each region, memory of freed blocks
 * included, so that stats().peak is what the arena needs. walk does not visit freed blocks that
 * have not come back, and what is left of a region that is not the current one.
 *
 * resize lets a block grow over freed ones after it, and the last one of its region to the region's
 * end.
 *
 * init, add_memory: O(regions + size / 512); reset: O(memory used / 512); stats: O(regions). check,
 * walk: O(blocks + memory owned / 512).
 */
ACRE_NODISCARD enum acre_status acre_arena_init(struct acre_arena *arena, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_arena_add_memory(
    struct acre_arena *arena, void *start, size_t size);
enum acre_status acre_arena_remove_memory(struct acre_arena *arena, void *start);
struct acre_stats acre_arena_stats(const struct acre_arena *arena);
struct acre_check_result acre_arena_check(const struct acre_arena *arena);
void acre_arena_reset(struct acre_arena *arena);
void acre_arena_reset_peak(struct acre_arena *arena);
enum acre_status acre_arena_dealloc(struct acre_arena *arena, void *ptr);
enum acre_status acre_arena_dealloc_sized(
    struct acre_arena *arena, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_arena_resize(struct acre_arena *arena, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_arena_realloc(
    struct acre_arena *arena, void *ptr, struct acre_layout layout);
struct acre_num acre_arena_usable_size(const struct acre_arena *arena, const void *ptr);
struct acre_block acre_arena_find(const struct acre_arena *arena, const void *ptr);
void acre_arena_walk(const struct acre_arena *arena, acre_walk_fn *visit, void *arg);

/** acre_alloc, in line: a layout known to the compiler takes a dozen instructions. O(1). */
ACRE_NODISCARD static inline struct acre_ptr acre_arena_alloc(
    struct acre_arena *arena, struct acre_layout layout)
{
    struct acre_ptr got;
    const size_t over_aligned = ~(size_t)(ACRE_ARENA_GRANULE - 1);
    size_t at = arena->next;
    /* The last granule of the block; out of reach for size 0. */
    size_t last = at + ((layout.size - 1) >> ACRE_ARENA_GRANULE_LOG2);
    /* The second condition: a power of two that is not above the granule. */
    if (last >= arena->granules || ((layout.align - 1) & (layout.align | over_aligned)) != 0)
        return acre_arena_alloc_slow(arena, layout.size, layout.align);
    arena->next = last + 1;
    arena->starts[at / ACRE_ARENA_WORD_BITS] |= (size_t)1 << at % ACRE_ARENA_WORD_BITS;
    arena->live_blocks++;
    got.ptr = (void *)(arena->base + (at << ACRE_ARENA_GRANULE_LOG2));
    got.status = ACRE_OK;
    return got;
}

/**
 * alloc of a block that is aligned at an offset: `offset` bytes after its start is a multiple of
 * layout.align.
 * @param layout as for alloc; the start itself has natural alignment.
 * @param offset bytes: a multiple of ACRE_ARENA_GRANULE, or of layout.align.
 * @return as alloc; also {null, ACRE_INVALID_PARAM}: offset is neither. O(1), with a request that
 *         starts on another region O(regions).
 */
ACRE_NODISCARD struct acre_ptr acre_arena_alloc_offset(
    struct acre_arena *arena, struct acre_layout layout, size_t offset);

/**
 * Allocates a block of one granule to release to. Any other live block serves as well; use a mark
 * where none was allocated, or where it shall stay.
 * @return as alloc. O(1).
 */
ACRE_NODISCARD static inline struct acre_ptr acre_arena_mark(struct acre_arena *arena)
{
    return acre_arena_alloc(arena, acre_layout(1, 1));
}

/**
 * Frees a block and all blocks that were allocated after it, in whatever regions.
 * @param mark the pointer that mark, alloc or realloc returned. realloc that moves a block
 *             allocates it anew.
 * @return ACRE_OK; ACRE_NOT_ALLOCATED: mark is not the start of a live block of this allocator;
 *         nothing has changed.
 * @note O(n), n the bytes released and the block before them, a step per 1024 of them (256 on
 *       32-bit machines).
 */
enum acre_status acre_arena_release(struct acre_arena *arena, void *mark);

/**
 * Sets the handler that is called when a request finds no memory; init keeps it. resize does not
 * call it.
 * @param handler null: none.
 * @param arg     passed to the handler. O(1).
 */
void acre_arena_set_on_exhausted(struct acre_arena *arena, acre_exhausted_fn *handler, void *arg);

/** The bytes table; `self` is a struct acre_arena. */
extern const struct acre_bytes_ops acre_arena_ops;

/** The table of acre/backing.h, for layers above; `self` as in the bytes table. */
extern const struct acre_backing acre_arena_backing;

/** The allocator as a handle. */
static inline struct acre_bytes acre_arena_bytes(struct acre_arena *arena)
{
    struct acre_bytes bytes;
    bytes.ops = &acre_arena_ops;
    bytes.self = arena;
    return bytes;
}

#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#ifdef __cplusplus
}
#endif

#endif
