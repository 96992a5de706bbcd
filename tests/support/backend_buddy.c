/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/backends.h"

#include <acre/buddy.h>

#include <string.h>

extern const struct backend backend_buddy;

static struct acre_bytes bind(void *self)
{
    acre_buddy_setup(self, ACRE_BUDDY_SMALLEST);
    return acre_buddy_bytes(self);
}

/* What once lay on a shelf, above its top, has no meaning. */
static void normalize(void *self)
{
    struct acre_buddy *buddy = self;
    buddy->peak -= (size_t)buddy->room;
    buddy->room = 0;
    buddy->failed = 0;
    for (unsigned shelf = 0; shelf < ACRE_BUDDY_QUICK_LISTS; shelf++) {
        bool odd = shelf == ACRE_BUDDY_QUICK_ORDERS;
        struct acre_buddy_order *row = &buddy->orders[odd ? ACRE_BUDDY_ORDERS - 1 : shelf];
        struct acre_buddy_quick_block *end = buddy->shelves[shelf] + ACRE_BUDDY_QUICK_DEPTH + 1;
        memset(row->top + 1, 0, (size_t)((char *)end - (char *)(row->top + 1)));
    }
}

static size_t slack(size_t usable)
{
    return usable == ACRE_BUDDY_SMALLEST ? usable - 1 : usable / 2 - 1;
}

const struct backend backend_buddy = {
    .name = "buddy",
    .caps = BACKEND_CONTENTS | BACKEND_SCRUB | BACKEND_EXACT,
    .self_size = sizeof(struct acre_buddy),
    .counters = { 1 + offsetof(struct acre_buddy, failed) },
    .region_enough = 512,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
