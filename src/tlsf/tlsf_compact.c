/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The calls from the code of whole structures into that of compact ones.
 */
#include "tlsf/tlsf_heads.h"

#if ACRE_MAX_POOL == 0

void acre_tlsf_compact_unlink(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    tlsf->compact_ops->unlink(tlsf, block);
}

void acre_tlsf_compact_insert(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    tlsf->compact_ops->insert(tlsf, block, span);
}

struct acre_tlsf_block *acre_tlsf_compact_find_aligned(
    const struct acre_tlsf *tlsf, struct acre_layout layout)
{
    return tlsf->compact_ops->find_aligned(tlsf, layout);
}

struct acre_ptr acre_tlsf_compact_alloc_at(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_tlsf_block *at, size_t size)
{
    return tlsf->compact_ops->alloc_at(tlsf, block, at, size);
}

bool acre_tlsf_compact_resize(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t size)
{
    return tlsf->compact_ops->resize(tlsf, block, size);
}

enum acre_status acre_tlsf_compact_dealloc(struct acre_tlsf *tlsf, void *ptr)
{
    return tlsf->compact_ops->dealloc(tlsf, ptr);
}

#endif
