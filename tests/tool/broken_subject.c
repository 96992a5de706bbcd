/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* One of the allocators of tests/support/broken.c as a subject: the one that ACRE_TEST_FAULT
 * names, else the sound one that they are made from. All of them have the same traits. */
#include "support/backends.h"
#include "support/naive.h"

#include <stdlib.h>

extern const struct acre_subject backend_naive;

static struct acre_bytes bind(void *self)
{
    const char *name = getenv("ACRE_TEST_FAULT");
    const struct acre_subject *chosen = name != NULL ? backend_find(name) : NULL;
    return (chosen != NULL ? chosen : &backend_naive)->bind(self);
}

static size_t slack(size_t usable)
{
    return backend_naive.slack(usable);
}

const struct acre_subject acre_subject = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "broken",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT,
    .self_size = sizeof(struct naive) + 64,
    .counters = { 1 + offsetof(struct naive, failed) },
    .header = NAIVE_HEADER,
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .slack = slack,
};
