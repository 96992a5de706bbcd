/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/backends.h"

#include <string.h>

/* The backends of the list, under their ids; then the wrappers, and backends of the tests alone. */
#define ACRE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)                   \
    extern const struct acre_subject backend_##id;
#define ACRE_LOOSE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)
#include "registry/allocators.def"
#define ACRE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)
#define ACRE_LOOSE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)             \
    extern const struct acre_subject backend_##id;
#include "registry/allocators.def"
extern const struct acre_subject backend_buddy_apart;
extern const struct acre_subject backend_buddy_seam;
extern const struct acre_subject backend_fallback;
extern const struct acre_subject backend_fault;
extern const struct acre_subject backend_guard;
extern const struct acre_subject backend_locked;
extern const struct acre_subject backend_naive;
extern const struct acre_subject backend_shared;
extern const struct acre_subject backend_slab_page;
extern const struct acre_subject backend_stack;
extern const struct acre_subject backend_stack_turned;
extern const struct acre_subject backend_tally;
extern const struct acre_subject backend_tlsf_apart;
extern const struct acre_subject backend_tlsf_compact;
extern const struct acre_subject backend_tlsf_seam;
extern const struct acre_subject backend_tracer;

#define ACRE_BACKEND(id, name, header, type, verbs, part, compared, setup, text) &backend_##id,
#define ACRE_LOOSE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)
const struct acre_subject *const backends[] = {
    &backend_naive,
#if ACRE_WRAP
    &backend_fault,
    &backend_fallback,
    &backend_locked,
    &backend_tally,
    &backend_tracer,
    &backend_stack,
    &backend_stack_turned,
    &backend_guard,
#endif
#if ACRE_SHARED
    &backend_shared,
#endif
#if ACRE_TLSF
    &backend_tlsf_apart,
#endif
#if ACRE_TLSF && ACRE_MAX_POOL == 0
    &backend_tlsf_compact,
#endif
#if ACRE_BUDDY
    &backend_buddy_apart,
#endif
#if ACRE_SLAB
    &backend_slab_page,
#endif
#include "registry/allocators.def"
    NULL,
};

#define ACRE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)
#define ACRE_LOOSE_BACKEND(id, name, header, type, verbs, part, compared, setup, text)             \
    &backend_##id,
const struct acre_subject *const loose_backends[] = {
#include "registry/allocators.def"
    NULL,
};

const struct acre_subject *const tiny_backends[] = {
#if ACRE_TLSF
    &backend_tlsf_seam,
#endif
#if ACRE_BUDDY
    &backend_buddy_seam,
#endif
    NULL,
};

static const struct acre_subject *find_in(const struct acre_subject *const *list, const char *name)
{
    while (*list != NULL && strcmp((*list)->name, name) != 0)
        list++;
    return *list;
}

const struct acre_subject *backend_find(const char *name)
{
    const struct acre_subject *backend = find_in(backends, name);
    backend = backend != NULL ? backend : find_in(loose_backends, name);
    backend = backend != NULL ? backend : find_in(tiny_backends, name);
    return backend != NULL ? backend : find_in(broken_backends, name);
}
