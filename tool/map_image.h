/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** @file acre map --image: a heap in a dump of another machine's memory. */
#ifndef ACRE_TOOL_MAP_IMAGE_H
#define ACRE_TOOL_MAP_IMAGE_H

#include "cli/options.h"
#include "tool/map/draw.h"

/** What the command line says, as text; null: nothing. */
struct map_image {
    const char *file;
    const char *allocator;
    const char *base;
    const char *heap;
    const char *elf;
    const char *word;
    const char *order;
    const char *granule;
    bool wide;
    const char *svg;
    struct map_look look;
};

/** Checks the heap and draws its regions. @return the tool's exit code: ACRE_EXIT_FAILED when an
 * invariant is broken. */
int map_image(const struct map_image *given, const struct acre_usage *usage);

#endif
