/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The functions of slab_tables.h, which includes this file, in a small build: constants are
 * computed, and no slab is current.
 */
#ifndef ACRE_SRC_SLAB_SMALL_H
#define ACRE_SRC_SLAB_SMALL_H

ACRE_INLINE unsigned slab_class_of(const struct acre_slab *slab, size_t size)
{
    size_t least =
        slab_page_size(slab) >> SLAB_WORD_LOG2; /* smaller objects: too many for a word */
    size_t last = (size > least ? size : least) - 1;
    if (last < 16 * (size_t)ACRE_SLAB_UNIT)
        return (unsigned)(last / ACRE_SLAB_UNIT);
    unsigned log2 = acre_bits_highest(last);
    return 16 + 8 * (log2 - 8) + (unsigned)(last >> (log2 - 3) & 7);
}

ACRE_INLINE uint32_t slab_object_size(const struct acre_slab *slab, unsigned size_class)
{
    (void)slab;
    return (uint32_t)slab_class_size(size_class);
}

ACRE_INLINE uint32_t slab_reciprocal(const struct acre_slab *slab, unsigned size_class)
{
    (void)slab;
    return (uint32_t)acre_divide(UINT32_MAX, slab_class_size(size_class)) + 1;
}

ACRE_INLINE uint8_t slab_class_size_steps(const struct acre_slab *slab, unsigned size_class)
{
    (void)slab;
    (void)size_class;
    return 0;
}

ACRE_INLINE uint32_t slab_object_count(
    const struct acre_slab *slab, unsigned size_class, size_t pages)
{
    uint32_t count = (uint32_t)acre_divide(pages << slab->page_log2, slab_class_size(size_class));
    return count < SLAB_MAX_OBJECTS ? count : SLAB_MAX_OBJECTS;
}

ACRE_INLINE bool slab_is_current(const struct acre_slab *slab, const struct acre_slab_page *page)
{
    (void)slab;
    (void)page;
    return false;
}

ACRE_INLINE bool slab_class_has_object(const struct acre_slab *slab, unsigned size_class)
{
    return slab->partial[size_class] != NULL;
}

/* NOT-COVERED-BEGIN: maps are shared only in other builds, and only then do slabs move */
ACRE_INLINE bool slab_move_current(struct acre_slab *slab, unsigned size_class,
    const struct acre_slab_page *was, struct acre_slab_page *page)
{
    (void)slab;
    (void)size_class;
    (void)was;
    (void)page;
    return false;
}
/* NOT-COVERED-END */

ACRE_INLINE void slab_raise_watermark(struct acre_slab *slab, const struct acre_slab_region *region)
{
    (void)slab;
    (void)region;
}

ACRE_INLINE void slab_lower_watermark(struct acre_slab *slab, size_t pages)
{
    (void)slab;
    (void)pages;
}

ACRE_INLINE const struct acre_slab_region *slab_cached_region(
    const struct acre_slab *slab, uintptr_t at)
{
    (void)slab;
    (void)at;
    return NULL;
}

ACRE_INLINE void slab_uncache_region(struct acre_slab *slab, const struct acre_slab_region *region)
{
    (void)slab;
    (void)region;
}

ACRE_INLINE const void *acre_slab_find_bad_constant(const struct acre_slab *slab)
{
    (void)slab;
    return NULL;
}

ACRE_INLINE const void *acre_slab_find_bad_cached_region(const struct acre_slab *slab)
{
    (void)slab;
    return NULL;
}

ACRE_INLINE const void *acre_slab_find_bad_current(const struct acre_slab *slab)
{
    (void)slab;
    return NULL;
}

ACRE_INLINE bool slab_has_largest(const struct acre_slab *slab, size_t pages, size_t regions)
{
    (void)slab;
    (void)pages;
    (void)regions;
    return true;
}

#endif
