/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Text to compress: words at random, the same on every run. */
#ifndef ACRE_TESTS_HOOKS_TEXT_H
#define ACRE_TESTS_HOOKS_TEXT_H

#include <stddef.h>
#include <stdint.h>

static inline void text_fill(unsigned char *text, size_t size)
{
    uint32_t random = 1;
    for (size_t i = 0; i < size; i++) {
        random = random * 1664525 + 1013904223;
        text[i] = random >> 29 == 0 ? ' ' : (unsigned char)('a' + (random >> 24) % 6);
    }
}

#endif
