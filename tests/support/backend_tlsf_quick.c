/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* TLSF with quick lists. */
#include "support/backends.h"
#include "tlsf/tlsf_quick_private.h"

#include <string.h>

extern const struct acre_subject backend_tlsf_quick;
extern const struct acre_subject backend_tlsf;

static struct acre_bytes bind(void *self)
{
    return acre_tlsf_quick_bytes(self);
}

/* Clears what a stack holds above its top. A free block that walk shows can hold headers of blocks
 * in quick lists, hence no ACRE_SUBJECT_SCRUB. */
static void normalize(void *self)
{
    struct acre_tlsf_quick *quick = self;
    backend_tlsf.normalize(&quick->tlsf);
    for (size_t list = 0; list < ACRE_TLSF_QUICK_LISTS; list++) {
        struct acre_tlsf_block **top = quick->stack[list] + quick->count[list];
        memset(top, 0, (size_t)((char *)quick->stack[list + 1] - (char *)top));
    }
}

static size_t slack(size_t usable)
{
    return backend_tlsf.slack(usable);
}

const struct acre_subject backend_tlsf_quick = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "tlsf-quick",
    .caps =
        ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | (ACRE_CHECK_POINTERS ? ACRE_SUBJECT_EXACT : 0),
    .self_size = sizeof(struct acre_tlsf_quick),
    .counters = { 1 + offsetof(struct acre_tlsf_quick, tlsf.failed) },
    .header = sizeof(acre_tlsf_field),
    .links = 2 * sizeof(void *),
    .foot = sizeof(acre_tlsf_field),
    .region_enough = 256,
    .arena_most = SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
