/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Allocators with every region's metadata apart from it, so that adjoining regions join. The
 * metadata comes from a pool after the allocator's struct, served by the naive allocator; a word
 * before each piece names its region.
 */
#include "support/backends.h"
#include "support/naive.h"

#include <acre/buddy.h>
#include <acre/tlsf.h>

#include <stdlib.h>
#include <string.h>

extern const struct acre_subject backend_buddy;
extern const struct acre_subject backend_buddy_apart;
extern const struct acre_subject backend_buddy_seam;
extern const struct acre_subject backend_naive;
extern const struct acre_subject backend_tlsf;
extern const struct acre_subject backend_tlsf_apart;
extern const struct acre_subject backend_tlsf_seam;

enum { POOL = 128 << 10, TINY_POOL = 1 << 10 };

/* What an allocator does with metadata apart. */
struct talent {
    const struct acre_subject *backend;
    size_t (*metadata_size)(size_t size);
    enum acre_status (*add)(void *self, void *start, size_t size, void *meta, size_t meta_size);
};

struct apart {
    union {
        struct acre_tlsf tlsf;
        struct acre_buddy buddy;
    } own; /* at the start: it is what the allocator's table is called with */
    const struct talent *talent;
    struct acre_bytes bytes;
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
    size_t need = size <= (size_t)1 << 22 ? apart->talent->metadata_size(size) : 1;
    memcpy(before, self, self_size);
    struct meta *meta = take_meta(apart, need);
    if (meta == NULL)
        return ACRE_NO_MEMORY;
    enum acre_status status = apart->talent->add(self, start, size, meta->bytes, need);
    meta->start = start;
    if (status != ACRE_OK)
        memcpy(self, before, self_size);
    return status;
}

static enum acre_status init(void *self, void *start, size_t size)
{
    struct apart *apart = self;
    if (acre_bytes_init(apart->bytes, NULL, 0) == ACRE_OK)
        abort();
    memset(apart->pool, 0, apart->pool_size);
    naive_ops.base.init(&apart->naive, apart->pool, apart->pool_size);
    return add_memory(self, start, size);
}

static enum acre_status remove_memory(void *self, void *start)
{
    struct apart *apart = self;
    struct quest quest = { start, NULL };
    enum acre_status status = acre_bytes_remove_memory(apart->bytes, start);
    if (status != ACRE_OK)
        return status;
    naive_ops.walk(&apart->naive, is_wanted, &quest);
    naive_ops.dealloc(&apart->naive, quest.found);
    return ACRE_OK;
}

/* The allocator's table, with the verbs on regions replaced. */
static struct acre_bytes bind(
    void *self, const struct talent *talent, struct acre_bytes_ops *ops, size_t pool_size)
{
    struct apart *apart = self;
    apart->talent = talent;
    apart->pool_size = pool_size;
    apart->bytes = talent->backend->bind(self);
    *ops = *apart->bytes.ops;
    ops->base.init = init;
    ops->base.add_memory = add_memory;
    ops->base.remove_memory = remove_memory;
    return (struct acre_bytes){ ops, apart };
}

static bool blank(void *arg, void *start, size_t size, bool live)
{
    (void)arg;
    if (!live)
        memset(start, 0, size);
    return true;
}

static void normalize(void *self)
{
    struct apart *apart = self;
    apart->talent->backend->normalize(self);
    backend_naive.normalize(&apart->naive);
    naive_ops.walk(&apart->naive, blank, NULL);
}

#define POOLED(bytes) offsetof(struct apart, pool) + (bytes)

#if ACRE_TLSF
static enum acre_status add_tlsf(void *self, void *start, size_t size, void *meta, size_t meta_size)
{
    return acre_tlsf_add_memory_apart(self, start, size, meta, meta_size);
}

/* Room for a common live map with a region below that is no larger. */
static size_t roomy_size(size_t size)
{
    return acre_tlsf_metadata_size(2 * size);
}

static const struct talent tlsf = { &backend_tlsf, roomy_size, add_tlsf };
static const struct talent tlsf_tiny = { &backend_tlsf, acre_tlsf_metadata_size, add_tlsf };
static struct acre_bytes_ops tlsf_ops;

static struct acre_bytes bind_tlsf(void *self)
{
    return bind(self, &tlsf, &tlsf_ops, POOL);
}

static struct acre_bytes bind_tlsf_tiny(void *self)
{
    return bind(self, &tlsf_tiny, &tlsf_ops, TINY_POOL);
}

static size_t slack_tlsf(size_t usable)
{
    return backend_tlsf.slack(usable);
}

#define TLSF_CAPS                                                                                  \
    (ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_SEAM |         \
        ACRE_SUBJECT_APART | (ACRE_CHECK_POINTERS ? ACRE_SUBJECT_EXACT : 0))

#define TLSF_APART(title, pool_bytes, binder)                                                      \
    {                                                                                              \
        .abi = ACRE_SUBJECT_ABI, .name = title, .caps = TLSF_CAPS,                                 \
        .self_size = POOLED(pool_bytes),                                                           \
        .counters = { 1 + offsetof(struct apart, own.tlsf.failed) },                               \
        .header = sizeof(acre_tlsf_field), .links = 2 * sizeof(void *),                            \
        .foot = sizeof(acre_tlsf_field), .region_enough = 256, .arena_most = (size_t)1 << 20,      \
        .bind = binder, .normalize = normalize, .slack = slack_tlsf                                \
    }

const struct acre_subject backend_tlsf_apart = TLSF_APART("tlsf(apart)", POOL, bind_tlsf);
const struct acre_subject backend_tlsf_seam =
    TLSF_APART("tlsf(apart, small)", TINY_POOL, bind_tlsf_tiny);
#endif

#if ACRE_BUDDY
static size_t buddy_metadata_size(size_t size)
{
    return acre_buddy_metadata_size(size, ACRE_BUDDY_SMALLEST);
}

static enum acre_status add_buddy(
    void *self, void *start, size_t size, void *meta, size_t meta_size)
{
    return acre_buddy_add_memory_apart(self, start, size, meta, meta_size);
}

static const struct talent buddy = { &backend_buddy, buddy_metadata_size, add_buddy };
static struct acre_bytes_ops buddy_ops;

static struct acre_bytes bind_buddy(void *self)
{
    return bind(self, &buddy, &buddy_ops, POOL);
}

static struct acre_bytes bind_buddy_tiny(void *self)
{
    return bind(self, &buddy, &buddy_ops, TINY_POOL);
}

static size_t slack_buddy(size_t usable)
{
    return backend_buddy.slack(usable);
}

#define BUDDY_APART(title, pool_bytes, binder)                                                     \
    {                                                                                              \
        .abi = ACRE_SUBJECT_ABI, .name = title,                                                    \
        .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_SEAM |                   \
                ACRE_SUBJECT_APART | ACRE_SUBJECT_EXACT,                                           \
        .self_size = POOLED(pool_bytes),                                                           \
        .counters = { 1 + offsetof(struct apart, own.buddy.failed) }, .region_enough = 256,        \
        .arena_most = (size_t)1 << 20, .bind = binder, .normalize = normalize,                     \
        .slack = slack_buddy                                                                       \
    }

const struct acre_subject backend_buddy_apart = BUDDY_APART("buddy(apart)", POOL, bind_buddy);
const struct acre_subject backend_buddy_seam =
    BUDDY_APART("buddy(apart, small)", TINY_POOL, bind_buddy_tiny);
#endif
