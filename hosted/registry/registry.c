/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "registry/registry.h"

#include <acre/buddy.h>
#include <acre/heap.h>
#include <acre/slab.h>
#include <acre/tlsf_quick.h>
#include <string.h>

#if ACRE_TLSF
static struct acre_bytes tlsf(void *self)
{
    return acre_tlsf_bytes(self);
}

static enum acre_status tlsf_add_apart(
    void *self, void *start, size_t size, void *apart, size_t apart_size)
{
    return acre_tlsf_add_memory_apart(self, start, size, apart, apart_size);
}

static struct acre_bytes tlsf_quick(void *self)
{
    return acre_tlsf_quick_bytes(self);
}

static enum acre_status tlsf_quick_add_apart(
    void *self, void *start, size_t size, void *apart, size_t apart_size)
{
    return acre_tlsf_quick_add_memory_apart(self, start, size, apart, apart_size);
}

static void tlsf_quick_gather(void *self)
{
    acre_tlsf_quick_flush(self);
}

static const struct acre_backend tlsf_program = {
    .name = "tlsf",
    .text = "with a shelf",
    .size = sizeof(struct acre_tlsf_quick),
    .align = _Alignof(struct acre_tlsf_quick),
    .most = (((size_t)1 << ACRE_TLSF_MAX_LOG2) - 1) * ACRE_TLSF_GRANULE - sizeof(acre_tlsf_field),
    .handle = tlsf_quick,
    .apart_size = acre_tlsf_metadata_size,
    .add_apart = tlsf_quick_add_apart,
    .gather = tlsf_quick_gather,
    .shares_map = true,
};
#endif

#if ACRE_BUDDY
/* What was there before does not matter to setup. */
static struct acre_bytes buddy(void *self)
{
    acre_buddy_setup(self, ACRE_BUDDY_SMALLEST);
    return acre_buddy_bytes(self);
}

static size_t buddy_apart_size(size_t size)
{
    return acre_buddy_metadata_size(size, ACRE_BUDDY_SMALLEST);
}

static enum acre_status buddy_add_apart(
    void *self, void *start, size_t size, void *apart, size_t apart_size)
{
    return acre_buddy_add_memory_apart(self, start, size, apart, apart_size);
}
#endif

#if ACRE_HEAP && ACRE_BITMAP && ACRE_TLSF
/* What was there before does not matter to setup. */
static struct acre_bytes heap(void *self)
{
    struct acre_heap_tlsf *own = self;
    acre_heap_tlsf_setup(own, ACRE_BITMAP_PAGE_SIZE);
    return acre_heap_bytes(&own->heap);
}
#endif

#if ACRE_SLAB
/* What was there before does not matter to setup. */
static struct acre_bytes slab(void *self)
{
    acre_slab_setup(self, ACRE_SLAB_PAGE);
    return acre_slab_bytes(self);
}
#endif

#if ACRE_HEAP && ACRE_BITMAP && ACRE_SLAB
static struct acre_bytes heap_slab(void *self)
{
    struct acre_heap_slab *own = self;
    acre_heap_slab_setup(own, ACRE_BITMAP_PAGE_SIZE);
    return acre_heap_bytes(&own->heap);
}
#endif

const struct acre_backend acre_backends[] = {
#if ACRE_TLSF
    {
        .name = "tlsf",
        .text = "two-level segregated fit: every operation in constant time",
        .size = sizeof(struct acre_tlsf),
        .align = _Alignof(struct acre_tlsf),
        .most =
            (((size_t)1 << ACRE_TLSF_MAX_LOG2) - 1) * ACRE_TLSF_GRANULE - sizeof(acre_tlsf_field),
        .handle = tlsf,
        .apart_size = acre_tlsf_metadata_size,
        .add_apart = tlsf_add_apart,
        .shares_map = true,
        .program = &tlsf_program,
    },
#endif
#if ACRE_BUDDY
    {
        .name = "buddy",
        .text = "binary buddies: powers of two in logarithmic time, memory untouched",
        .size = sizeof(struct acre_buddy),
        .align = _Alignof(struct acre_buddy),
        .rounds = true,
        .handle = buddy,
        .apart_size = buddy_apart_size,
        .add_apart = buddy_add_apart,
    },
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_TLSF
    {
        .name = "heap",
        .also = "heap/tlsf",
        .text = "two levels: tlsf in chunks of bitmap pages that come and go",
        .size = sizeof(struct acre_heap_tlsf),
        .align = _Alignof(struct acre_heap_tlsf),
        .most = (((size_t)1 << ACRE_TLSF_MAX_LOG2) - 16) * ACRE_TLSF_GRANULE,
        .handle = heap,
    },
#endif
#if ACRE_SLAB
    {
        .name = "slab",
        .text = "slabs of size classes: a bit an object, empty slabs serve any size",
        .size = sizeof(struct acre_slab),
        .align = _Alignof(struct acre_slab),
        .handle = slab,
    },
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_SLAB
    {
        .name = "heap-slab",
        .also = "heap/slab",
        .text = "two levels: slab in chunks of bitmap pages that come and go",
        .size = sizeof(struct acre_heap_slab),
        .align = _Alignof(struct acre_heap_slab),
        .handle = heap_slab,
    },
#endif
    { .name = NULL },
};

const struct acre_backend *acre_backend_find(const char *name)
{
    for (const struct acre_backend *backend = acre_backends; backend->name; backend++)
        if (strcmp(backend->name, name) == 0 || (backend->also && strcmp(backend->also, name) == 0))
            return backend;
    return NULL;
}
