/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/settings.h"

#include <acre/acre.h>

#if ACRE_BUDDY
static struct acre_bytes buddy_of(void *self, size_t smallest)
{
    acre_buddy_setup(self, smallest);
    return acre_buddy_bytes(self);
}

static struct acre_bytes buddy_16(void *self)
{
    return buddy_of(self, 16);
}

static struct acre_bytes buddy_32(void *self)
{
    return buddy_of(self, 32);
}

static struct acre_bytes buddy_64(void *self)
{
    return buddy_of(self, 64);
}

/* Blocks merge at once: slower, and less memory where sizes change. */
static struct acre_bytes buddy_unshelved(void *self)
{
    struct acre_bytes bytes = buddy_of(self, ACRE_BUDDY_SMALLEST);
    acre_buddy_set_quick_depth(self, 0);
    return bytes;
}

#define BUDDY(mark, text, handle, setup)                                                           \
    {                                                                                              \
        "buddy", "buddy", mark, text, 0, handle, "buddy", "struct acre_buddy", setup,              \
            "acre_buddy_bytes(&allocator)"                                                         \
    }
#endif

#if ACRE_HEAP && ACRE_BITMAP && ACRE_BUDDY
static struct acre_bytes heap_buddy(void *self)
{
    struct acre_heap_buddy *own = self;
    acre_heap_buddy_setup(own, ACRE_BITMAP_PAGE_SIZE);
    return acre_heap_bytes(&own->heap);
}
#endif

#if ACRE_SLAB
static struct acre_bytes slab_512(void *self)
{
    acre_slab_setup(self, 512);
    return acre_slab_bytes(self);
}

static struct acre_bytes slab_2048(void *self)
{
    acre_slab_setup(self, 2048);
    return acre_slab_bytes(self);
}

#define SLAB(mark, text, handle, setup)                                                            \
    {                                                                                              \
        "slab", "slab", mark, text, 0, handle, "slab", "struct acre_slab", setup,                  \
            "acre_slab_bytes(&allocator)"                                                          \
    }
#endif

const struct compare_setting compare_settings[] = {
#if ACRE_TLSF
    { "tlsf", "tlsf", "", "", 0, NULL, "tlsf", "struct acre_tlsf", "",
        "acre_tlsf_bytes(&allocator)" },
#endif
#if ACRE_BUDDY
    BUDDY("16", "smallest block 16 bytes", buddy_16, "acre_buddy_setup(&allocator, 16);"),
    BUDDY("32", "smallest block 32 bytes", buddy_32, "acre_buddy_setup(&allocator, 32);"),
    BUDDY("64", "smallest block 64 bytes", buddy_64, "acre_buddy_setup(&allocator, 64);"),
    BUDDY("merge", "smallest block 32 bytes, merging at once", buddy_unshelved,
        "acre_buddy_setup(&allocator, ACRE_BUDDY_SMALLEST);\n"
        "    acre_buddy_set_quick_depth(&allocator, 0);"),
#endif
#if ACRE_SLAB
    SLAB("512", "pages of 512 bytes", slab_512, "acre_slab_setup(&allocator, 512);"),
    SLAB("2048", "pages of 2048 bytes", slab_2048, "acre_slab_setup(&allocator, 2048);"),
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_TLSF
    { "heap", "heap", "tlsf", "tlsf in chunks of bitmap pages", 0, NULL, "heap",
        "struct acre_heap_tlsf", "acre_heap_tlsf_setup(&allocator, ACRE_BITMAP_PAGE_SIZE);",
        "acre_heap_bytes(&allocator.heap)" },
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_BUDDY
    { "heap", "heap", "buddy", "buddy in chunks of bitmap pages", sizeof(struct acre_heap_buddy),
        heap_buddy, "heap", "struct acre_heap_buddy",
        "acre_heap_buddy_setup(&allocator, ACRE_BITMAP_PAGE_SIZE);",
        "acre_heap_bytes(&allocator.heap)" },
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_SLAB
    { "heap-slab", "heap", "slab", "slab in chunks of bitmap pages", 0, NULL, "heap",
        "struct acre_heap_slab", "acre_heap_slab_setup(&allocator, ACRE_BITMAP_PAGE_SIZE);",
        "acre_heap_bytes(&allocator.heap)" },
#endif
    { .backend = NULL },
};
