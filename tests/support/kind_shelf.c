/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* TLSF with a shelf. */
#include "support/kinds.h"
#include "tlsf/tlsf_shelf_private.h"

#include <string.h>

extern const struct kind kind_shelf;
extern const struct kind kind_tlsf;

static struct acre_bytes bind(void *self)
{
    return acre_tlsf_shelf_bytes(self);
}

/* What once lay on a stack, above its top, has no meaning. In a free block that walk shows, there
 * can be headers of blocks on the shelf: so no KIND_SCRUB. */
static void settle(void *self)
{
    struct acre_tlsf_shelf *shelf = self;
    kind_tlsf.settle(&shelf->tlsf);
    for (size_t list = 0; list < ACRE_TLSF_SHELF_SIZES; list++) {
        struct acre_tlsf_block **top = shelf->stack[list] + shelf->count[list];
        memset(top, 0, (size_t)((char *)shelf->stack[list + 1] - (char *)top));
    }
}

static size_t slack(size_t usable)
{
    return kind_tlsf.slack(usable);
}

const struct kind kind_shelf = {
    .name = "tlsf(shelf)",
    .caps = KIND_CONTENTS | KIND_TILES | (ACRE_CHECK_POINTERS ? KIND_EXACT : 0),
    .self_size = sizeof(struct acre_tlsf_shelf),
    .counters = { 1 + offsetof(struct acre_tlsf_shelf, tlsf.failed) },
    .header = sizeof(acre_tlsf_field),
    .links = 2 * sizeof(void *),
    .foot = sizeof(acre_tlsf_field),
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .settle = settle,
    .slack = slack,
};
