/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "registry/registry.h"

#include <string.h>

const struct acre_kind acre_kinds[] = {
    { .name = NULL },
};

const struct acre_kind *acre_kind_find(const char *name)
{
    for (const struct acre_kind *kind = acre_kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}
