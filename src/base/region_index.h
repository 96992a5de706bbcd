/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The index from addresses to regions, for regions.c. acre_indexed_find() and acre_indexed_floor()
 * are its lookups.
 */
#ifndef ACRE_SRC_BASE_REGION_INDEX_H
#define ACRE_SRC_BASE_REGION_INDEX_H

#include "base/regions.h"

/** Enters a region whose links are set. O(levels). */
void acre_region_index_insert(struct acre_regions *regions, struct acre_region *region);

/** Removes a region of the index. Moves the contents of its node elsewhere when they are in use.
 * O(levels). */
void acre_region_index_remove(struct acre_regions *regions, struct acre_region *region);

/** A descriptor whose node is damaged, or the lowest one when the root is; null when the index is
 * sound. The list must be. O(regions). */
const struct acre_region *acre_region_index_find_broken(const struct acre_regions *regions);

#endif
