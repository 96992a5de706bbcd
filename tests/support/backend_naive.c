/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/backends.h"
#include "support/naive.h"

extern const struct acre_subject backend_naive;

static struct acre_bytes bind(void *self)
{
    return (struct acre_bytes){ &naive_ops, self };
}

static void normalize(void *self)
{
    struct naive *naive = self;
    naive->peak = naive->used;
    naive->failed = 0;
}

/* What is left over is cut off when a header and the smallest block fit into it. */
static size_t slack(size_t usable)
{
    (void)usable;
    return 2 * NAIVE_HEADER - 1;
}

const struct acre_subject backend_naive = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "naive",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT,
    .self_size = sizeof(struct naive),
    .counters = { 1 + offsetof(struct naive, failed) },
    .header = NAIVE_HEADER,
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
