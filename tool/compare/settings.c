/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/settings.h"

#include <acre/buddy.h>
#include <acre/tlsf.h>

#if ACRE_BUDDY
static struct acre_bytes buddy_of(void *self, size_t smallest)
{
    acre_buddy_setup(self, smallest);
    return acre_buddy_bytes(self);
}

static struct acre_bytes buddy_16(void *self)
{
    return buddy_of(self, 16);
}

static struct acre_bytes buddy_32(void *self)
{
    return buddy_of(self, 32);
}

static struct acre_bytes buddy_64(void *self)
{
    return buddy_of(self, 64);
}

/* Blocks merge at once: slower, and less memory where sizes change. */
static struct acre_bytes buddy_unshelved(void *self)
{
    struct acre_bytes bytes = buddy_of(self, ACRE_BUDDY_SMALLEST);
    acre_buddy_set_shelf(self, 0);
    return bytes;
}
#endif

const struct compare_setting compare_settings[] = {
#if ACRE_TLSF
    { "tlsf", "", "", NULL, "" },
#endif
#if ACRE_BUDDY
    { "buddy", "16", "smallest block 16 bytes", buddy_16, "acre_buddy_setup(&allocator, 16);" },
    { "buddy", "32", "smallest block 32 bytes", buddy_32, "acre_buddy_setup(&allocator, 32);" },
    { "buddy", "64", "smallest block 64 bytes", buddy_64, "acre_buddy_setup(&allocator, 64);" },
    { "buddy", "merge", "smallest block 32 bytes, merging at once", buddy_unshelved,
        "acre_buddy_setup(&allocator, ACRE_BUDDY_SMALLEST);\n"
        "    acre_buddy_set_shelf(&allocator, 0);" },
#endif
    { .kind = NULL },
};
