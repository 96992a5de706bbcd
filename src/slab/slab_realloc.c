/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's realloc, which is made of the other verbs.
 */
#include "base/memory.h"
#include "slab/slab_private.h"

static struct acre_ptr slab_move_block(
    struct acre_slab *slab, void *ptr, size_t usable, struct acre_layout layout)
{
    struct acre_ptr moved = acre_slab_alloc(slab, layout);
    if (moved.ptr == NULL)
        return moved;
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_slab_dealloc(slab, ptr);
    return moved;
}

struct acre_ptr acre_slab_realloc(struct acre_slab *slab, void *ptr, struct acre_layout layout)
{
    struct slab_block block;
    if (!acre_slab_find_block(slab, ptr, &block))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (((uintptr_t)ptr & (layout.align - 1)) == 0 &&
        acre_slab_resize_block(slab, &block, layout.size))
        return (struct acre_ptr){ ptr, ACRE_OK };
    return slab_move_block(slab, ptr, block.size, layout);
}
