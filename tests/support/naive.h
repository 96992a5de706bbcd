/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * First fit, deliberately simple: every verb walks every block, from the region's first byte on, so
 * that there is little to get wrong. It stands beside the real allocators in every suite and shows
 * that the suites depend on none of them.
 *
 *     region: | struct naive_region | header | usable ... | header | usable ... | (end)
 *
 * NAIVE-1: the blocks of a region tile it.
 * NAIVE-2: no two free blocks are neighbours.
 * NAIVE-3: the accounts equal the sums over the blocks.
 */
#ifndef ACRE_TESTS_SUPPORT_NAIVE_H
#define ACRE_TESTS_SUPPORT_NAIVE_H

#include <acre/bytes.h>

/* Bytes of the header in front of each block. */
enum {
    NAIVE_HEADER = 2 * sizeof(size_t) > ACRE_NATURAL_ALIGN ? 2 * sizeof(size_t) : ACRE_NATURAL_ALIGN
};

struct naive {
    struct naive_region *regions;
    size_t total;
    size_t metadata;
    size_t used;
    size_t peak;
    size_t live_blocks;
    size_t failed;
};

extern const struct acre_bytes_ops naive_ops;

#endif
