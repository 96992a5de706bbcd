/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Draws one moment of a pool: with characters, or as a picture.
 */
#ifndef ACRE_TOOL_MAP_DRAW_H
#define ACRE_TOOL_MAP_DRAW_H

#include "tool/map/track.h"

#include <stdio.h>

/** Rows of the picture, and of the text. */
#define MAP_PICTURE_ROWS 32
#define MAP_TEXT_ROWS 20

/** Blocks that a picture shows one by one; of more it shows the cells. */
#define MAP_PICTURE_BLOCKS 20000

/** What is live after the last operation of a track. */
struct map_live {
    uint64_t blocks;
    uint64_t asked; /**< Bytes asked for, */
    uint64_t holds; /**< and bytes that the blocks can hold. */
};

/** Counts the blocks that outlast the window. O(blocks). */
struct map_live map_count_live(const struct map_track *track);

/** Prints the last moment of a track, `columns` cells a line; in UTF-8 or in ASCII. */
void map_draw_text(FILE *out, const struct map_track *track, size_t columns, bool utf8);

/** Writes the last moment of a track as SVG, light and dark. */
void map_draw_svg(FILE *out, const struct map_track *track);

#endif
