/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What TLSF's tests of damaged metadata begin with: live 4, free 3, live 5, free 3, live 6, free
 * 300, live 2, then one large free block; sizes in granules.
 */
#ifndef ACRE_TESTS_TLSF_DAMAGED_HEAP_H
#define ACRE_TESTS_TLSF_DAMAGED_HEAP_H

#include "tlsf/tlsf_list.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { GRANULE = ACRE_TLSF_GRANULE, BLOCKS = 7 };

static _Alignas(4096) unsigned char memory[1024 * GRANULE];
static unsigned char outside[256 * GRANULE];
static struct acre_tlsf tlsf;
static struct acre_tlsf_block *block[BLOCKS + 1]; /* the last one is the rest */

static inline void set_up(void)
{
    static const size_t granules[BLOCKS] = { 4, 3, 5, 3, 6, 300, 2 };
    assert_int_equal(acre_tlsf_init(&tlsf, memory, sizeof(memory)), ACRE_OK);
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = granules[i] * GRANULE - TLSF_HEADER;
        block[i] = acre_tlsf_alloc(&tlsf, acre_layout(size, 1)).ptr;
        assert_non_null(block[i]);
    }
    block[BLOCKS] = tlsf_after(block[BLOCKS - 1], tlsf_span(block[BLOCKS - 1]));
    for (size_t i = 1; i < BLOCKS; i += 2)
        assert_int_equal(acre_tlsf_dealloc(&tlsf, block[i]), ACRE_OK);
    assert_null(acre_tlsf_check(&tlsf).invariant);
}

static inline struct acre_tlsf_region *region(void)
{
    return (struct acre_tlsf_region *)tlsf.regions.first;
}

#endif
