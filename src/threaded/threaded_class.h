/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The class of a size, for paths that cannot afford a call: steps of 16 bytes up to 256, then eight
 * per power of two.
 */
#ifndef ACRE_SRC_THREADED_CLASS_H
#define ACRE_SRC_THREADED_CLASS_H

#include "threaded/threaded_private.h"

enum {
    THREADED_BY_UNIT_LOG2 = 8, /* classes of 16-byte steps end at 2^8 bytes, */
    THREADED_BY_UNIT = (1 << THREADED_BY_UNIT_LOG2) / ACRE_THREADED_UNIT /* and are so many */
};

/* Of a size from 1 to ACRE_THREADED_MAX_SMALL. */
ACRE_INLINE unsigned threaded_class_of(size_t size)
{
    if (size <= (size_t)1 << THREADED_BY_UNIT_LOG2)
        return (unsigned)((size - 1) / ACRE_THREADED_UNIT);
    unsigned log2 = acre_bits_highest(size - 1);
    size_t step = (size - 1 - ((size_t)1 << log2)) >> (log2 - THREADED_STEPS_LOG2);
    return THREADED_BY_UNIT + ((log2 - THREADED_BY_UNIT_LOG2) << THREADED_STEPS_LOG2) +
           (unsigned)step;
}

#endif
