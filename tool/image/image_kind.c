/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/image/image.h"

#include <string.h>

const struct image_kind *image_kind_named(const char *name)
{
    static const struct image_kind kinds[] = {
        { "tlsf", "granule", "TLSF-1 to TLSF-9", "blocks", image_check_tlsf },
        { "buddy", "smallest block", "BUDDY-1 to BUDDY-10", "blocks", image_check_buddy },
        { "slab", "page", "SLAB-1 to SLAB-11", "blocks", image_check_slab },
        { "bitmap", "page", "BITMAP-1 to BITMAP-9", "runs", image_check_bitmap },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}
