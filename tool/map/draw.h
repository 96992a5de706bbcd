/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Draws one moment of a pool, the last of a track: with characters, or as a picture.
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

/** The colours that a terminal has. */
enum map_depth { MAP_COLOURLESS, MAP_INDEXED, MAP_TRUE_COLOUR };

/** How to draw. */
struct map_look {
    enum map_colouring by;
    enum map_depth depth; /**< Of text, */
    size_t columns;       /**< its cells per line, */
    bool utf8;            /**< and its characters: UTF-8 or ASCII. */
};

/** What is live at that moment. */
struct map_live {
    uint64_t blocks;
    uint64_t asked; /**< Bytes asked for, */
    uint64_t holds; /**< and bytes that the blocks can hold. */
};

/** Counts the blocks that outlast the window. O(blocks). */
struct map_live map_count_live(const struct map_track *track);

/** The shade of a block of the history, and of a cell of the last moment that has something live. */
unsigned map_block_shade(
    const struct map_history *history, const struct map_block *block, enum map_colouring by);
unsigned map_cell_shade(
    const struct map_track *track, const struct map_cell *cell, enum map_colouring by);

/** The cells of the last moment. */
const struct map_cell *map_last_cells(const struct map_track *track);

void map_draw_text(FILE *out, const struct map_track *track, const struct map_look *look);

/** As SVG, light and dark. */
void map_draw_svg(FILE *out, const struct map_track *track, const struct map_look *look);

#endif
