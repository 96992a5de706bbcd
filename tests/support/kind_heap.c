/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap of bitmap pages and TLSF. Pages are small, so that the suites' small regions hold some;
 * and whatever frees is followed by a trim, so that the accounts are those of memory that can be
 * had.
 */
#include "support/kinds.h"

#include <acre/heap.h>

extern const struct kind kind_heap;
extern const struct kind kind_tlsf;

enum { PAGE = 64 };

static struct acre_bytes_ops plain; /* the heap's own table */
static struct acre_bytes_ops ops;

static enum acre_status trim(void *self, enum acre_status status)
{
    if (status == ACRE_OK)
        acre_heap_trim(self);
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

static struct acre_bytes bind(void *self)
{
    struct acre_heap_tlsf *own = self;
    acre_heap_tlsf_setup(own, PAGE);
    plain = *acre_heap_bytes(&own->heap).ops;
    ops = plain;
    ops.dealloc = dealloc;
    ops.dealloc_sized = dealloc_sized;
    ops.realloc = realloc_;
    return (struct acre_bytes){ &ops, &own->heap };
}

static void settle(void *self)
{
    struct acre_heap_tlsf *own = self;
    kind_tlsf.settle(&own->tlsf);
    own->heap.failed = 0;
}

static size_t slack(size_t usable)
{
    return kind_tlsf.slack(usable);
}

const struct kind kind_heap = {
    .name = "heap",
    .caps = KIND_CONTENTS | KIND_HEADERS | (ACRE_CHECK_POINTERS ? KIND_EXACT : 0),
    .self_size = sizeof(struct acre_heap_tlsf),
    .counters = { 1 + offsetof(struct acre_heap_tlsf, heap.failed),
        1 + offsetof(struct acre_heap_tlsf, heap.countdown),
        1 + offsetof(struct acre_heap_tlsf, tlsf.failed) },
    .header = sizeof(acre_tlsf_field),
    .region_enough = 1024,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .settle = settle,
    .slack = slack,
};
