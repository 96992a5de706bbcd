/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's realloc, over its other verbs.
 */
#include "base/memory.h"
#include "tlsf/tlsf_private.h"

static struct acre_ptr tlsf_realloc_moving(
    struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout)
{
    struct acre_ptr moved = acre_tlsf_alloc(tlsf, layout);
    if (moved.ptr == NULL)
        return moved;
    size_t usable = tlsf_usable(tlsf_span(ptr));
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_tlsf_dealloc(tlsf, ptr);
    return moved;
}

struct acre_ptr acre_tlsf_realloc(struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout)
{
    if (!tlsf_is_sound(tlsf, ptr))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    bool is_aligned = ((uintptr_t)ptr & (layout.align - 1)) == 0;
    if (is_aligned && acre_tlsf_resize_in_place(tlsf, ptr, layout.size))
        return (struct acre_ptr){ ptr, ACRE_OK };
    return tlsf_realloc_moving(tlsf, ptr, layout);
}
