/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What the colours of a heap map stand for: the same in the terminal, in pictures and in reports.
 */
#ifndef ACRE_TOOL_MAP_PALETTE_H
#define ACRE_TOOL_MAP_PALETTE_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

/** What blocks may be coloured by. */
enum map_colouring {
    MAP_BY_SIZE,   /**< Bytes asked for. */
    MAP_BY_AGE,    /**< Operations since the allocation, as a share of the run. */
    MAP_BY_THREAD, /**< The thread that allocated it. */
    MAP_COLOURINGS
};

#define MAP_SHADES 8

struct map_palette {
    const char *name;  /**< As an option takes it: "size". */
    const char *title; /**< Of its legend. */
    const char *labels[MAP_SHADES];
    uint32_t colours[MAP_SHADES]; /**< 0xRRGGBB; to be told apart on light and on dark. */
    uint8_t indexed[MAP_SHADES];  /**< The nearest of a terminal's 256 colours. */
};

extern const struct map_palette map_palettes[MAP_COLOURINGS];

/** The shade of a block; each below MAP_SHADES. */
unsigned map_size_shade(uint64_t size);
unsigned map_age_shade(uint64_t age, uint64_t whole);
unsigned map_thread_shade(uint32_t thread);

/** All palettes as a JSON object, each by its name; null: no memory. */
cJSON *map_palettes_json(void);

#endif
