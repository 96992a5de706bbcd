/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/backends.h"

#include <acre/arena.h>

extern const struct acre_subject backend_arena;

static struct acre_bytes bind(void *self)
{
    return acre_arena_bytes(self);
}

static void normalize(void *self)
{
    struct acre_arena *arena = self;
    arena->peak = 0; /* it is noted when memory comes back */
    arena->failed = 0;
}

static size_t slack(size_t usable)
{
    (void)usable;
    return ACRE_ARENA_GRANULE - 1;
}

const struct acre_subject backend_arena = {
    .name = "arena",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT | ACRE_SUBJECT_STACKS,
    .self_size = sizeof(struct acre_arena),
    .counters = { 1 + offsetof(struct acre_arena, failed) },
    .region_enough = 512,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
