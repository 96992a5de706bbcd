/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claims about slab's arithmetic: sizes of classes, reciprocals, pages of a size.
 */
#include "slab/slab_private.h"

#include "proof/claim.h"

/* Each class is larger than the one before. */
CLAIM(class_ascends, unsigned size_class)
{
    GIVEN(size_class < ACRE_SLAB_CLASSES - 1);
    return slab_class_size(size_class) < slab_class_size(size_class + 1);
}

/* The step is at most 16 bytes, or an eighth of the smaller class. */
CLAIM(class_step, unsigned size_class)
{
    GIVEN(size_class < ACRE_SLAB_CLASSES - 1);
    size_t step = slab_class_size(size_class + 1) - slab_class_size(size_class);
    return step <= ACRE_SLAB_UNIT || step * 8 <= slab_class_size(size_class);
}

/* Sizes of classes are multiples of the unit. */
CLAIM(class_is_aligned, unsigned size_class)
{
    GIVEN(size_class < ACRE_SLAB_CLASSES);
    return slab_class_size(size_class) % ACRE_SLAB_UNIT == 0;
}

/* The multiplication by a class's reciprocal is the exact division, for every offset in a slab; an
 * offset at which no object starts gives no index. */
static bool is_division(unsigned size_class, uint32_t offset)
{
    uint32_t size = (uint32_t)slab_class_size(size_class);
    size_t index = slab_object_index(offset, UINT32_MAX / size + 1);
    if (offset % size != 0)
        return index == SLAB_WORD_BITS;
    return index == offset / size;
}

/* Classes n to n + 3, so that each is a question of its own with a constant size. */
#define DIVISION(n)                                                                                \
    CLAIM(division_##n, uint32_t offset)                                                           \
    {                                                                                              \
        GIVEN(offset < 1u << 17);                                                                  \
        return is_division(n, offset);                                                             \
    }
/* clang-format off */
DIVISION(0) DIVISION(1) DIVISION(2) DIVISION(3) DIVISION(4) DIVISION(5) DIVISION(6)
DIVISION(7) DIVISION(8) DIVISION(9) DIVISION(10) DIVISION(11) DIVISION(12) DIVISION(13)
DIVISION(14) DIVISION(15) DIVISION(16) DIVISION(17) DIVISION(18) DIVISION(19) DIVISION(20)
DIVISION(21) DIVISION(22) DIVISION(23) DIVISION(24) DIVISION(25) DIVISION(26) DIVISION(27)
DIVISION(28) DIVISION(29) DIVISION(30) DIVISION(31) DIVISION(32) DIVISION(33) DIVISION(34)
DIVISION(35) DIVISION(36) DIVISION(37) DIVISION(38) DIVISION(39) DIVISION(40) DIVISION(41)
DIVISION(42) DIVISION(43) DIVISION(44) DIVISION(45) DIVISION(46) DIVISION(47) DIVISION(48)
DIVISION(49) DIVISION(50) DIVISION(51) DIVISION(52) DIVISION(53) DIVISION(54) DIVISION(55)
    /* clang-format on */
    _Static_assert(ACRE_SLAB_CLASSES == 56, "each class has a claim");

/* Pages hold the bytes, and one page less would not. */
CLAIM(pages_for, size_t size, unsigned page_log2)
{
    GIVEN(page_log2 >= 9 && page_log2 <= 20);
    struct acre_slab slab = { .page_log2 = page_log2 };
    size_t pages = slab_pages_for(&slab, size);
    if (size == 0)
        return pages == 0;
    return (pages - 1) << page_log2 < size && size - ((pages - 1) << page_log2) <= (size_t)1
                                                                                       << page_log2;
}
