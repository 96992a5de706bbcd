/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/backends.h"
#include "tlsf/tlsf_list.h"

extern const struct acre_subject backend_tlsf;

/* The smallest block, and a remainder that is one granule short of a block of its own. */
enum { SMALLEST = 2 * ACRE_TLSF_GRANULE - sizeof(acre_tlsf_field) };

static struct acre_bytes bind(void *self)
{
    return acre_tlsf_bytes(self);
}

/* Clears what has no meaning: the first block's prev, and the last block of an empty list. */
static void normalize_list(struct acre_tlsf *tlsf, size_t list)
{
    if (tlsf_first(tlsf, list) != NULL)
        tlsf_first(tlsf, list)->prev = NULL;
    else if (tlsf_is_linear(list))
        tlsf_set_last(tlsf, list, NULL);
}

static void normalize(void *self)
{
    struct acre_tlsf *tlsf = self;
    tlsf->peak -= (size_t)tlsf->headroom;
    tlsf->headroom = 0;
    tlsf->failed = 0;
    for (size_t list = 0; list < ACRE_TLSF_LISTS; list++)
        normalize_list(tlsf, list);
}

static size_t slack(size_t usable)
{
    return usable <= SMALLEST + ACRE_TLSF_GRANULE ? usable - 1 : 2 * ACRE_TLSF_GRANULE - 1;
}

const struct acre_subject backend_tlsf = {
    .abi = ACRE_SUBJECT_ABI,
    .name = "tlsf",
    .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_TILES | ACRE_SUBJECT_SCRUB |
            (ACRE_CHECK_POINTERS ? ACRE_SUBJECT_EXACT : 0),
    .self_size = sizeof(struct acre_tlsf),
    .counters = { 1 + offsetof(struct acre_tlsf, failed) },
    .header = sizeof(acre_tlsf_field),
    .links = 2 * sizeof(void *),
    .foot = sizeof(acre_tlsf_field),
    .region_enough = 256,
    .arena_most = ACRE_MAX_POOL != 0 ? ACRE_MAX_POOL : SIZE_MAX,
    .bind = bind,
    .normalize = normalize,
    .slack = slack,
};
