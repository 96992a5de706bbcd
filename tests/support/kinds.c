/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/kinds.h"

#include <string.h>

extern const struct kind kind_buddy;
extern const struct kind kind_buddy_apart;
extern const struct kind kind_buddy_seam;
extern const struct kind kind_fallback;
extern const struct kind kind_fault;
extern const struct kind kind_guard;
extern const struct kind kind_heap;
extern const struct kind kind_heap_buddy;
extern const struct kind kind_heap_slab;
extern const struct kind kind_locked;
extern const struct kind kind_naive;
extern const struct kind kind_shared;
extern const struct kind kind_shelf;
extern const struct kind kind_stack;
extern const struct kind kind_stack_turned;
extern const struct kind kind_tally;
extern const struct kind kind_slab;
extern const struct kind kind_slab_page;
extern const struct kind kind_tlsf;
extern const struct kind kind_tlsf_apart;
extern const struct kind kind_tlsf_seam;
extern const struct kind kind_tracer;

const struct kind *const kinds[] = {
    &kind_naive,
#if ACRE_WRAP
    &kind_fault,
    &kind_fallback,
    &kind_locked,
    &kind_tally,
    &kind_tracer,
    &kind_stack,
    &kind_stack_turned,
    &kind_guard,
#endif
#if ACRE_SHARED
    &kind_shared,
#endif
#if ACRE_TLSF
    &kind_tlsf,
    &kind_tlsf_apart,
    &kind_shelf,
#endif
#if ACRE_BUDDY
    &kind_buddy,
    &kind_buddy_apart,
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_TLSF
    &kind_heap,
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_BUDDY
    &kind_heap_buddy,
#endif
#if ACRE_HEAP && ACRE_BITMAP && ACRE_SLAB
    &kind_heap_slab,
#endif
#if ACRE_SLAB
    &kind_slab,
    &kind_slab_page,
#endif
    NULL,
};

const struct kind *const tiny_kinds[] = {
#if ACRE_TLSF
    &kind_tlsf_seam,
#endif
#if ACRE_BUDDY
    &kind_buddy_seam,
#endif
    NULL,
};

static const struct kind *find_in(const struct kind *const *list, const char *name)
{
    while (*list != NULL && strcmp((*list)->name, name) != 0)
        list++;
    return *list;
}

const struct kind *kind_find(const char *name)
{
    const struct kind *kind = find_in(kinds, name);
    kind = kind != NULL ? kind : find_in(tiny_kinds, name);
    return kind != NULL ? kind : find_in(broken_kinds, name);
}
