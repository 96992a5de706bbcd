/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heaps of bitmap pages and each byte allocator. Pages are small, so that the suites' small
 * regions hold some; and whatever frees is followed by a trim, so that the accounts are those of
 * memory that can be had.
 */
#include "support/backends.h"

#include <acre/heap.h>

#include <string.h>

extern const struct acre_subject backend_buddy;
extern const struct acre_subject backend_heap_tlsf;
extern const struct acre_subject backend_heap_buddy;
extern const struct acre_subject backend_heap_slab;
extern const struct acre_subject backend_slab;
extern const struct acre_subject backend_slab_page;
extern const struct acre_subject backend_tlsf;

enum { PAGE = 64 };

static struct acre_bytes_ops plain; /* the heap's own table */
static struct acre_bytes_ops ops;

static enum acre_status trim(void *self, enum acre_status status)
{
    if (status == ACRE_OK)
        acre_heap_release_empty(self);
    return status;
}

static enum acre_status dealloc(void *self, void *ptr)
{
    return trim(self, plain.dealloc(self, ptr));
}

static enum acre_status dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    return trim(self, plain.dealloc_sized(self, ptr, layout));
}

static struct acre_ptr realloc_(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_ptr got = plain.realloc(self, ptr, layout);
    trim(self, got.status);
    return got;
}

/* The heap's own table, with the trims. */
static struct acre_bytes trimming(struct acre_heap *heap)
{
    plain = *acre_heap_bytes(heap).ops;
    ops = plain;
    ops.dealloc = dealloc;
    ops.dealloc_sized = dealloc_sized;
    ops.realloc = realloc_;
    return (struct acre_bytes){ &ops, heap };
}

/* What only counts refusals, and where the heap looks for empty chunks next. */
static void normalize_heap(struct acre_heap *heap)
{
    heap->failed = 0;
    heap->unexamined = 0;
    heap->live_examined = 0;
}

/* A backend over the parts of `struct type`, one of which is `part`. */
#define HEAP(title, type, part, features, header_bytes, enough, scale)                             \
    {                                                                                              \
        .abi = ACRE_SUBJECT_ABI, .name = title, .caps = ACRE_SUBJECT_CONTENTS | (features),        \
        .self_size = sizeof(struct type),                                                          \
        .counters = { 1 + offsetof(struct type, heap.failed),                                      \
            1 + offsetof(struct type, part.failed) },                                              \
        .header = header_bytes, .region_enough = enough, .arena_scale = scale,                     \
        .arena_most = SIZE_MAX, .bind = bind_##part, .normalize = normalize_##part,                \
        .slack = slack_##part                                                                      \
    }

#if ACRE_BITMAP && ACRE_TLSF
static struct acre_bytes bind_tlsf(void *self)
{
    struct acre_heap_tlsf *own = self;
    acre_heap_tlsf_setup(own, PAGE);
    return trimming(&own->heap);
}

static void normalize_tlsf(void *self)
{
    struct acre_heap_tlsf *own = self;
    backend_tlsf.normalize(&own->tlsf);
    normalize_heap(&own->heap);
}

static size_t slack_tlsf(size_t usable)
{
    return backend_tlsf.slack(usable);
}

const struct acre_subject backend_heap_tlsf = HEAP("heap(tlsf)", acre_heap_tlsf, tlsf,
    ACRE_SUBJECT_HEADERS | (ACRE_CHECK_POINTERS ? ACRE_SUBJECT_EXACT : 0), sizeof(acre_tlsf_field),
    1024, 1);
#endif

#if ACRE_BITMAP && ACRE_BUDDY
static struct acre_bytes bind_buddy(void *self)
{
    struct acre_heap_buddy *own = self;
    acre_heap_buddy_setup(own, PAGE);
    return trimming(&own->heap);
}

static void normalize_buddy(void *self)
{
    struct acre_heap_buddy *own = self;
    backend_buddy.normalize(&own->buddy);
    normalize_heap(&own->heap);
}

static size_t slack_buddy(size_t usable)
{
    return backend_buddy.slack(usable);
}

const struct acre_subject backend_heap_buddy = HEAP(
    "heap(buddy)", acre_heap_buddy, buddy, ACRE_SUBJECT_EXACT | ACRE_SUBJECT_HIDES, 0, 2048, 2);
#endif

#if ACRE_BITMAP && ACRE_SLAB
static struct acre_bytes bind_slab(void *self)
{
    struct acre_heap_slab *own = self;
    acre_heap_slab_setup(own, PAGE);
    return trimming(&own->heap);
}

static void normalize_slab(void *self)
{
    struct acre_heap_slab *own = self;
    backend_slab.normalize(&own->slab);
    normalize_heap(&own->heap);
}

static size_t slack_slab(size_t usable)
{
    return backend_slab_page.slack(usable);
}

const struct acre_subject backend_heap_slab = HEAP("heap(slab)", acre_heap_slab, slab,
    ACRE_SUBJECT_EXACT | ACRE_SUBJECT_LARGER | ACRE_SUBJECT_HIDES, 0, 8192, 8);
#endif
