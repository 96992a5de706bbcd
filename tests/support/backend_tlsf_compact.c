/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* TLSF with a compact structure, as acre_tlsf_create makes it, in a struct of the suites. */
#include "support/backends.h"
#include "tlsf/tlsf_small.h"

#if ACRE_MAX_POOL == 0 /* small builds have one kind of structure */

enum { LARGEST = 1 << 20 };

extern const struct acre_subject backend_tlsf;
extern const struct acre_subject backend_tlsf_compact;

static struct acre_bytes bind(void *self)
{
    struct acre_tlsf *tlsf = self;
    if (TLSF_COMPACT && tlsf->compact_ops == NULL)
        acre_tlsf_make_compact(tlsf, LARGEST);
    return acre_tlsf_bytes(tlsf);
}

/* Clears what has no meaning: the first block's prev. */
static void normalize(void *self)
{
    struct acre_tlsf *tlsf = self;
    if (!tlsf_is_compact(tlsf)) {
        backend_tlsf.normalize(self);
        return;
    }
    tlsf->peak -= (size_t)tlsf->headroom;
    tlsf->headroom = 0;
    tlsf->failed = 0;
    for (size_t list = 0; list < tlsf->compact.lists; list++)
        if (small_first(tlsf, list) != NULL)
            small_first(tlsf, list)->prev = NULL;
}

static size_t slack(size_t usable)
{
    return backend_tlsf.slack(usable);
}

const struct acre_subject backend_tlsf_compact = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "tlsf(compact)",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_SCRUB |
            (ACRE_CHECK_POINTERS ? ACRE_SUBJECT_EXACT : 0),
    .self_size = sizeof(struct acre_tlsf),
    .counters = { 1 + offsetof(struct acre_tlsf, failed) },
    .header = sizeof(acre_tlsf_field),
    .links = 2 * sizeof(void *),
    .foot = sizeof(acre_tlsf_field),
    .region_enough = 256,
    .arena_most = LARGEST,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};

#endif
