/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Each call marked "dropped" ignores a result that must not be ignored. Compiles as C and C++;
 * dropped.sh counts the warnings. */
#include <acre/acre.h>

int drop(struct acre_bytes bytes, struct acre_pages pages, struct acre_ids ids,
    struct acre_tlsf *tlsf, struct acre_buddy *buddy, struct acre_slab *slab,
    struct acre_bitmap *bitmap, struct acre_heap *heap, void *memory);

int drop(struct acre_bytes bytes, struct acre_pages pages, struct acre_ids ids,
    struct acre_tlsf *tlsf, struct acre_buddy *buddy, struct acre_slab *slab,
    struct acre_bitmap *bitmap, struct acre_heap *heap, void *memory)
{
    const struct acre_layout layout = ACRE_LAYOUT(int);
    acre_alloc(bytes, layout);                          /* dropped */
    acre_realloc(bytes, memory, layout);                /* dropped */
    acre_resize(bytes, memory, 1);                      /* dropped */
    acre_bytes_init(bytes, memory, 1);                  /* dropped */
    acre_bytes_add_memory(bytes, memory, 1);            /* dropped */
    acre_init(acre_bytes_base(bytes), memory, 1);       /* dropped */
    acre_add_memory(acre_bytes_base(bytes), memory, 1); /* dropped */
    acre_alloc_pages(pages, 1, 1);                      /* dropped */
    acre_alloc_pages_at(pages, 0, 1, 1);                /* dropped */
    acre_pages_init(pages, memory, 1);                  /* dropped */
    acre_alloc_id(ids, 1, 1);                           /* dropped */
    acre_alloc_fixed_id(ids, 1);                        /* dropped */
    acre_tlsf_init(tlsf, memory, 1);                    /* dropped */
    acre_tlsf_alloc(tlsf, layout);                      /* dropped */
    acre_buddy_add_memory(buddy, memory, 1);            /* dropped */
    acre_buddy_realloc(buddy, memory, layout);          /* dropped */
    acre_slab_init(slab, memory, 1);                    /* dropped */
    acre_slab_alloc(slab, layout);                      /* dropped */
    acre_bitmap_alloc_pages(bitmap, 1, 1);              /* dropped */
    acre_bitmap_add_memory(bitmap, memory, 1);          /* dropped */
    acre_heap_alloc(heap, layout);                      /* dropped */
    acre_heap_alloc_pages(heap, 1, 1, 0);               /* dropped */
    acre_dealloc(bytes, memory);
    acre_remove_memory(acre_bytes_base(bytes), memory);
    return 0;
}
