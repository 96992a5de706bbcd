/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/backends.h"

#include <acre/threaded_pool.h>

#include <string.h>

extern const struct acre_subject backend_threaded;

static struct acre_bytes_ops ops; /* the pool's own, with trims */

static enum acre_status trim(void *self, enum acre_status status)
{
    if (status == ACRE_OK)
        acre_threaded_pool_release_empty(self);
    return status;
}

static enum acre_status dealloc(void *self, void *ptr)
{
    return trim(self, acre_threaded_pool_ops.dealloc(self, ptr));
}

static enum acre_status dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    return trim(self, acre_threaded_pool_ops.dealloc_sized(self, ptr, layout));
}

static struct acre_ptr realloc_(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_ptr got = acre_threaded_pool_ops.realloc(self, ptr, layout);
    trim(self, got.status);
    return got;
}

static struct acre_bytes bind(void *self)
{
    ops = acre_threaded_pool_ops;
    ops.dealloc = dealloc;
    ops.dealloc_sized = dealloc_sized;
    ops.realloc = realloc_;
    return (struct acre_bytes){ &ops, self };
}

static void normalize(void *self)
{
    struct acre_threaded_pool *pool = self;
    pool->failed = 0;
    pool->peak = pool->used;
}

/* Classes are at most an eighth apart; memory that is short is served by larger ones. */
static size_t slack(size_t usable)
{
    return usable - 1;
}

/* Whatever frees is followed by a trim, so that the accounts are those of memory that can be had. */
const struct acre_subject backend_threaded = {
    .name = "threaded",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_EXACT | ACRE_SUBJECT_LARGER | ACRE_SUBJECT_HIDES |
            ACRE_SUBJECT_STEPS,
    .self_size = sizeof(struct acre_threaded_pool),
    .counters = { 1 + offsetof(struct acre_threaded_pool, failed),
        1 + offsetof(struct acre_threaded_pool, threaded.failed),
        1 + offsetof(struct acre_threaded_pool, pages.failed) },
    .region_enough = 160 * 1024,
    .arena_most = sizeof(void *) == 4 ? (size_t)1 << 25 : SIZE_MAX, /* times arena_scale */
    .arena_scale = 64,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
