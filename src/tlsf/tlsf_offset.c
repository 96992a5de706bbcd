/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's blocks that are aligned at an offset.
 */
#include "base/exhausted.h"
#include "tlsf/tlsf_heads.h"

/* The parameters of a retry, besides the layout. */
struct tlsf_offset_request {
    struct acre_tlsf *tlsf;
    size_t offset;
};

static struct acre_ptr tlsf_offset_retry(void *self, struct acre_layout layout)
{
    const struct tlsf_offset_request *request = self;
    return acre_tlsf_alloc_offset(request->tlsf, layout, request->offset);
}

/* The first address in a free block that serves; `offset` is less than `align`. */
static struct acre_tlsf_block *tlsf_offset_in(
    const struct acre_tlsf_block *block, size_t align, size_t offset)
{
    uintptr_t at = acre_align_up((uintptr_t)block + offset, align) - offset;
    size_t gap = at - (uintptr_t)block;
    if (gap != 0 && gap < ACRE_TLSF_MIN_GRANULES * ACRE_TLSF_GRANULE)
        at += align;
    return (void *)at;
}

/* A layout whose blocks have room for such an address after any of theirs. SIZE_MAX bytes, which no
 * block has, when the sum overflows. */
static struct acre_layout tlsf_offset_layout(struct acre_layout layout, size_t offset)
{
    const size_t smallest = (size_t)ACRE_TLSF_MIN_GRANULES * ACRE_TLSF_GRANULE;
    size_t size = layout.size > smallest ? layout.size : smallest;
    size_t before = layout.align - offset;
    size_t more = before >= smallest ? 0 : layout.align;
    if (size > SIZE_MAX - before - more) /* the two are at most half of all, and a smallest block */
        return acre_layout(SIZE_MAX, layout.align);
    return acre_layout(size + before + more, layout.align);
}

static struct acre_ptr tlsf_alloc_offset(
    struct acre_tlsf *tlsf, struct acre_layout layout, size_t offset)
{
    struct tlsf_offset_request request = { tlsf, offset };
    struct acre_layout larger = tlsf_offset_layout(layout, offset);
    if (TLSF_HARDEN)
        acre_tlsf_validate_for(tlsf, larger);
    bool compact = tlsf_is_compact(tlsf);
    struct acre_tlsf_block *block = compact ? acre_tlsf_compact_find_aligned(tlsf, larger)
                                            : acre_tlsf_find_aligned(tlsf, larger);
    if (block == NULL)
        return acre_retry_exhausted(
            &tlsf->on_exhausted, &tlsf->failed, tlsf_offset_retry, &request, layout);
    struct acre_tlsf_block *at = tlsf_offset_in(block, layout.align, offset);
    return compact ? acre_tlsf_compact_alloc_at(tlsf, block, at, layout.size)
                   : acre_tlsf_alloc_at(tlsf, block, at, layout.size);
}

struct acre_ptr acre_tlsf_alloc_offset(
    struct acre_tlsf *tlsf, struct acre_layout layout, size_t offset)
{
    if (!acre_is_pow2(layout.align) || (!TLSF_ALIGNED && layout.align > ACRE_TLSF_GRANULE))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    offset &= layout.align - 1;
    if ((offset & (ACRE_TLSF_GRANULE - 1)) != 0)
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    return offset == 0 ? acre_tlsf_alloc(tlsf, layout) : tlsf_alloc_offset(tlsf, layout, offset);
}
