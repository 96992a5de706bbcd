/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/backends.h"

#include <acre/buddy.h>

#include <string.h>

extern const struct acre_subject backend_buddy;

static struct acre_bytes bind(void *self)
{
    return acre_buddy_bytes(self);
}

#if ACRE_MAX_POOL == 0
/* Entries beyond those in use have no meaning. */
static void normalize_lists(struct acre_buddy *buddy)
{
    for (unsigned list = 0; list < ACRE_BUDDY_QUICK_LISTS; list++) {
        bool odd = list == ACRE_BUDDY_QUICK_ORDERS;
        size_t used = buddy->classes[odd ? ACRE_BUDDY_CLASSES - 1 : list + buddy->bias].used;
        memset((char *)buddy->quick[list] + used, 0, sizeof buddy->quick[list] - used);
    }
}
#else
static void normalize_lists(struct acre_buddy *buddy)
{
    (void)buddy;
}
#endif

static void normalize(void *self)
{
    struct acre_buddy *buddy = self;
    buddy->peak -= (size_t)buddy->headroom;
    buddy->headroom = 0;
    buddy->failed = 0;
    normalize_lists(buddy);
}

static size_t slack(size_t usable)
{
    return usable == ACRE_BUDDY_SMALLEST ? usable - 1 : usable / 2 - 1;
}

const struct acre_subject backend_buddy = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "buddy",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_SCRUB | ACRE_SUBJECT_EXACT,
    .self_size = sizeof(struct acre_buddy),
    .counters = { 1 + offsetof(struct acre_buddy, failed) },
    .region_enough = 512,
    .arena_most = ACRE_MAX_POOL != 0 ? ACRE_MAX_POOL : SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
