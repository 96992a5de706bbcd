/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF with every region's metadata apart from it, so that adjoining regions join. The metadata
 * comes from a pool behind the allocator, served by the naive one; in front of each piece stands
 * which region it belongs to.
 */
#include "support/kinds.h"
#include "support/naive.h"

#include <acre/tlsf.h>

#include <string.h>

extern const struct kind kind_naive;
extern const struct kind kind_tlsf;
extern const struct kind kind_tlsf_apart;
extern const struct kind kind_tlsf_seam;

enum { POOL = 64 << 10, TINY_POOL = 1 << 10 };

struct apart {
    struct acre_tlsf tlsf;
    struct naive naive;
    size_t pool_size;
    _Alignas(max_align_t) unsigned char pool[POOL]; /* the first pool_size bytes are there */
};

struct meta {
    void *start; /* of the region */
    unsigned char bytes[];
};

struct quest {
    const void *start;
    struct meta *found;
};

static bool is_wanted(void *arg, void *block, size_t size, bool live)
{
    struct quest *quest = arg;
    struct meta *meta = block;
    (void)size;
    if (live && meta->start == quest->start)
        quest->found = meta;
    return quest->found == NULL;
}

static struct meta *take_meta(struct apart *apart, size_t size)
{
    return naive_ops.alloc(&apart->naive, acre_layout(sizeof(struct meta) + size, 1)).ptr;
}

/* The pool is put back, byte for byte, when the region is refused. */
static enum acre_status add_memory(void *self, void *start, size_t size)
{
    static unsigned char before[sizeof(struct apart)];
    struct apart *apart = self;
    size_t self_size = offsetof(struct apart, pool) + apart->pool_size;
    size_t need = size <= (size_t)1 << 22 ? acre_tlsf_metadata_size(size) : 1;
    memcpy(before, self, self_size);
    struct meta *meta = take_meta(apart, need);
    if (meta == NULL)
        return ACRE_NO_MEMORY;
    enum acre_status status =
        acre_tlsf_add_memory_apart(&apart->tlsf, start, size, meta->bytes, need);
    meta->start = start;
    if (status != ACRE_OK)
        memcpy(self, before, self_size);
    return status;
}

static enum acre_status init(void *self, void *start, size_t size)
{
    struct apart *apart = self;
    acre_tlsf_init(&apart->tlsf, NULL, 0);
    memset(apart->pool, 0, apart->pool_size);
    naive_ops.base.init(&apart->naive, apart->pool, apart->pool_size);
    return add_memory(self, start, size);
}

static enum acre_status remove_memory(void *self, void *start)
{
    struct apart *apart = self;
    struct quest quest = { start, NULL };
    enum acre_status status = acre_tlsf_remove_memory(&apart->tlsf, start);
    if (status != ACRE_OK)
        return status;
    naive_ops.walk(&apart->naive, is_wanted, &quest);
    naive_ops.dealloc(&apart->naive, quest.found);
    return ACRE_OK;
}

static struct acre_bytes bind_pool(struct apart *apart, size_t pool_size)
{
    static struct acre_bytes_ops ops;
    ops = acre_tlsf_ops;
    ops.base.init = init;
    ops.base.add_memory = add_memory;
    ops.base.remove_memory = remove_memory;
    apart->pool_size = pool_size;
    return (struct acre_bytes){ &ops, apart };
}

static struct acre_bytes bind(void *self)
{
    return bind_pool(self, POOL);
}

static struct acre_bytes bind_tiny(void *self)
{
    return bind_pool(self, TINY_POOL);
}

static bool blank(void *arg, void *start, size_t size, bool live)
{
    (void)arg;
    if (!live)
        memset(start, 0, size);
    return true;
}

static void settle(void *self)
{
    struct apart *apart = self;
    kind_tlsf.settle(&apart->tlsf);
    kind_naive.settle(&apart->naive);
    naive_ops.walk(&apart->naive, blank, NULL);
}

static size_t slack(size_t usable)
{
    return kind_tlsf.slack(usable);
}

#define CAPS                                                                                       \
    (KIND_CONTENTS | KIND_TILES | KIND_SCRUB | KIND_SEAM | KIND_APART |                            \
        (ACRE_CHECK_POINTERS ? KIND_EXACT : 0))

#define APART(title, pool_bytes, binder)                                                           \
    {                                                                                              \
        .name = title, .caps = CAPS, .self_size = offsetof(struct apart, pool) + (pool_bytes),     \
        .counters = { 1 + offsetof(struct apart, tlsf.failed) },                                   \
        .header = sizeof(acre_tlsf_field), .links = 2 * sizeof(void *),                            \
        .foot = sizeof(acre_tlsf_field), .region_enough = 256, .arena_most = (size_t)1 << 20,      \
        .bind = binder, .settle = settle, .slack = slack                                           \
    }

const struct kind kind_tlsf_apart = APART("tlsf(apart)", POOL, bind);
const struct kind kind_tlsf_seam = APART("tlsf(apart, small)", TINY_POOL, bind_tiny);
