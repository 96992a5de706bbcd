/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Size classes: steps of 16 bytes up to 256, then eight per power of two.
 */
#include "threaded/threaded_class.h"

#if THREADED_IS_LOCK_FREE

enum {
    FIRST = THREADED_BY_UNIT,
    FIRST_LOG2 = THREADED_BY_UNIT_LOG2,
    STEPS_LOG2 = THREADED_STEPS_LOG2,
    /* Log2 of the bytes of a class's first slab, where that makes at most THREADED_MAX_OBJECTS
     * objects; the next ones are larger, so that many objects do not take many slabs. */
    SMALL_BYTES_LOG2 = 14,
    MEDIUM_BYTES_LOG2 = 13,
    MOST_BYTES_LOG2 = 18,
    MOST_OBJECTS_LOG2 = 3 /* the first slab has an object at least, the second two, then 4, 8 */
};

_Static_assert(FIRST + ((THREADED_MAX_LOG2 - FIRST_LOG2) << STEPS_LOG2) == ACRE_THREADED_CLASSES,
    "as many classes as sizes have");
_Static_assert(THREADED_MAX_BY_UNIT == ACRE_THREADED_UNITS * ACRE_THREADED_UNIT, "10 = log2 of it");
_Static_assert(THREADED_MAX_GROUPS + 2 <=
                   sizeof((struct acre_threaded *)0)->records / sizeof(struct acre_threaded_slab *),
    "a list of records for each number of groups, and one more group for what is left over");
_Static_assert(ACRE_THREADED_MAX_SMALL == 1 << THREADED_MAX_LOG2, "the last class");

unsigned acre_threaded_class_of(size_t size)
{
    ACRE_ASSERT(size >= 1 && size <= ACRE_THREADED_MAX_SMALL);
    return threaded_class_of(size);
}

size_t acre_threaded_class_size(unsigned size_class)
{
    ACRE_ASSERT(size_class < ACRE_THREADED_CLASSES);
    if (size_class < FIRST)
        return (size_t)(size_class + 1) * ACRE_THREADED_UNIT;
    unsigned above = size_class - FIRST;
    unsigned log2 = FIRST_LOG2 + (above >> STEPS_LOG2);
    size_t step = (above & ((1u << STEPS_LOG2) - 1)) + 1;
    return ((size_t)1 << log2) + (step << (log2 - STEPS_LOG2));
}

size_t acre_threaded_class_sizes(unsigned size_class)
{
    size_t smaller = size_class != 0 ? acre_threaded_class_size(size_class - 1) : 0;
    return acre_threaded_class_size(size_class) - smaller;
}

/* Each slab is twice as large as the one before. Those of the largest classes start with one
 * object: most programs have few blocks of each such size, and what others have touched before
 * stays resident. */
size_t acre_threaded_class_pages(unsigned size_class, unsigned slabs)
{
    size_t size = acre_threaded_class_size(size_class);
    unsigned first = size <= THREADED_MAX_BY_UNIT ? SMALL_BYTES_LOG2 : MEDIUM_BYTES_LOG2;
    unsigned doublings = slabs < MOST_BYTES_LOG2 - first ? slabs : MOST_BYTES_LOG2 - first;
    size_t bytes = (size_t)1 << (first + doublings);
    if (bytes > size * THREADED_MAX_OBJECTS)
        bytes = size * THREADED_MAX_OBJECTS;
    size_t least = size << (slabs < MOST_OBJECTS_LOG2 ? slabs : MOST_OBJECTS_LOG2);
    if (bytes < least)
        bytes = least;
    return (bytes + ACRE_THREADED_PAGE - 1) / ACRE_THREADED_PAGE;
}

unsigned acre_threaded_class_objects(unsigned size_class, size_t pages)
{
    size_t count = acre_divide(pages * ACRE_THREADED_PAGE, acre_threaded_class_size(size_class));
    return (unsigned)(count < THREADED_MAX_OBJECTS ? count : THREADED_MAX_OBJECTS);
}

unsigned acre_threaded_class_groups(unsigned size_class, size_t pages)
{
    size_t last = acre_divide(pages * ACRE_THREADED_PAGE - 1, acre_threaded_class_size(size_class));
    return (unsigned)(last / THREADED_WORD_BITS) + 1;
}

_Static_assert(ACRE_THREADED_MAX_SMALL % ACRE_THREADED_PAGE == 0,
    "a size of a class, rounded up to an alignment, has a class");

/* The class that serves a layout of at most a page of alignment, or ACRE_THREADED_CLASSES. Slabs
 * start at pages, so objects whose size is a multiple of the alignment lie at multiples of it; and
 * the class of such a size has one: where its step is less than the alignment, each multiple has
 * its own class. */
unsigned acre_threaded_class_for(struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    if (size > ACRE_THREADED_MAX_SMALL || layout.align > ACRE_THREADED_PAGE)
        return ACRE_THREADED_CLASSES;
    if (layout.align > ACRE_THREADED_UNIT)
        size = acre_align_up(size, layout.align);
    unsigned size_class = acre_threaded_class_of(size);
    ACRE_ASSERT((acre_threaded_class_size(size_class) & (layout.align - 1)) == 0);
    return size_class;
}

const struct acre_threaded_slab acre_threaded_no_slab = { .size = ACRE_THREADED_UNIT };
const struct acre_threaded_group acre_threaded_no_group = { .size = ACRE_THREADED_UNIT };

#endif
