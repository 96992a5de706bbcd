/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <acre/types.h>

_Static_assert((ACRE_NATURAL_ALIGN & (ACRE_NATURAL_ALIGN - 1)) == 0 &&
                   ACRE_NATURAL_ALIGN >= sizeof(void *) && ACRE_NATURAL_ALIGN <= 16,
    "ACRE_NATURAL_ALIGN is a power of two from the size of a pointer to 16");

const char *acre_status_text(enum acre_status status)
{
    switch (status) {
    case ACRE_OK:
        return "ok";
    case ACRE_INVALID_PARAM:
        return "invalid parameter";
    case ACRE_MEMORY_OVERLAP:
        return "memory overlaps memory already owned";
    case ACRE_NO_MEMORY:
        return "out of memory";
    case ACRE_NOT_ALLOCATED:
        return "not allocated by this allocator";
    }
    return "unknown status";
}
