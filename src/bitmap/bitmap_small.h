/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What stands in bitmap_private.h, which includes this, in a small build: no summaries, no hint.
 */
#ifndef ACRE_SRC_BITMAP_SMALL_H
#define ACRE_SRC_BITMAP_SMALL_H

ACRE_INLINE void bitmap_clear_hint(struct acre_bitmap *self)
{
    (void)self;
}

ACRE_INLINE void bitmap_cache_range(struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    (void)self;
    (void)range;
}

ACRE_INLINE void bitmap_list_any(struct acre_bitmap *self)
{
    (void)self;
}

ACRE_INLINE size_t bitmap_dirty_limit(const struct acre_bitmap *self)
{
    (void)self;
    return 1;
}

ACRE_INLINE void bitmap_set_dirty_limit(struct acre_bitmap *self, size_t groups)
{
    (void)self;
    (void)groups;
}

ACRE_INLINE void bitmap_forget_unlisted(struct acre_bitmap *self)
{
    (void)self;
}

ACRE_INLINE size_t bitmap_words(const struct acre_bitmap_range *range)
{
    return bitmap_set_words(range->pages);
}

ACRE_INLINE struct acre_check_result acre_bitmap_check_tree(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    (void)self;
    (void)range;
    return acre_check_sound();
}

ACRE_INLINE struct acre_check_result acre_bitmap_check_hint(const struct acre_bitmap *self)
{
    (void)self;
    return acre_check_sound();
}

#endif
