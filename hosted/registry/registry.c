/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "registry/registry.h"

#include <acre/tlsf.h>
#include <string.h>

#if ACRE_TLSF
static struct acre_bytes tlsf(void *self)
{
    return acre_tlsf_bytes(self);
}

static enum acre_status tlsf_add_apart(
    void *self, void *start, size_t size, void *apart, size_t apart_size)
{
    return acre_tlsf_add_memory_apart(self, start, size, apart, apart_size);
}
#endif

const struct acre_kind acre_kinds[] = {
#if ACRE_TLSF
    {
        .name = "tlsf",
        .text = "two-level segregated fit: every operation in constant time",
        .size = sizeof(struct acre_tlsf),
        .align = _Alignof(struct acre_tlsf),
        .most =
            (((size_t)1 << ACRE_TLSF_MAX_LOG2) - 1) * ACRE_TLSF_GRANULE - sizeof(acre_tlsf_field),
        .handle = tlsf,
        .apart_size = acre_tlsf_metadata_size,
        .add_apart = tlsf_add_apart,
    },
#endif
    { .name = NULL },
};

const struct acre_kind *acre_kind_find(const char *name)
{
    for (const struct acre_kind *kind = acre_kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}
