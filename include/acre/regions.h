/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The regions that an allocator owns: a part of each allocator's struct, private to the library.
 */
#ifndef ACRE_REGIONS_H
#define ACRE_REGIONS_H

#include <acre/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct acre_region;
struct acre_region_node;

/** A set of regions. Zeroed, it is empty. It may be moved by copying while no call runs. */
struct acre_regions {
    uintptr_t index;                /* root of the index, or a table; 0: there is no region */
    struct acre_region_node *spare; /* nodes of descriptors that the index does not need */
    struct acre_region *first;      /* the lowest region; null: there is none */
    size_t total;                   /* bytes of all regions and of their metadata given apart */
    size_t apart;                   /* bytes of that metadata; 0: no region has any */
};

#ifdef __cplusplus
}
#endif

#endif
