/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What the checkers of images share: places of members, words of the machine, what was found.
 *
 * Each checker has the rules of the library's, their order and their names; addresses are numbers, and
 * a word that does not lie in the image breaks the rule that needs it.
 */
#ifndef ACRE_TOOL_IMAGE_IMAGE_AUDIT_H
#define ACRE_TOOL_IMAGE_IMAGE_AUDIT_H

#include "tool/image/image.h"

enum { IMAGE_MOST_REGIONS = 1 << 16 };

/** Lays out a struct, member by member. */
struct image_cursor {
    uint64_t at;
    unsigned word; /**< Bytes of a word of the machine. */
};

/** The place of the next member: `count` numbers of `size` bytes, at a multiple of their size. */
uint64_t image_place(struct image_cursor *cursor, unsigned size, uint64_t count);

/** The place of the next member: `count` words. */
uint64_t image_place_words(struct image_cursor *cursor, uint64_t count);

/** Places of struct acre_regions. */
struct image_regions {
    uint64_t first, total, apart;
};

struct image_regions image_place_regions(struct image_cursor *cursor);

/** A heap that is being checked. */
struct image_audit {
    const struct image *image;
    struct image_heap *heap;
    unsigned word;
    uint64_t mask; /**< Of an address. */
    uint64_t at;   /**< Of the control structure. */
    bool lost;     /**< A number was read that does not lie in the image. */
};

/** Begins with an empty heap. @return false: the structure of `size` bytes does not lie in the
 * image. */
bool image_begin(struct image_audit *audit, struct image_heap *heap, const struct image *image,
    uint64_t at, uint64_t size);

/** A number; 0, with `lost` set, when it does not lie in the image. */
uint64_t image_number(struct image_audit *audit, uint64_t at, unsigned size);
uint64_t image_word(struct image_audit *audit, uint64_t at);

/** A word of the control structure. */
uint64_t image_member(struct image_audit *audit, uint64_t place);

/** Notes the first broken rule. @return false. */
bool image_broken(struct image_audit *audit, const char *text, uint64_t where);

/** Copies an element behind an array. @return the array, wherever it is now; null: no memory,
 * which is noted, and the array is as before. */
void *image_append(struct image_audit *audit, void *elements, size_t *count, size_t *room,
    const void *element, size_t size);

/** @return false: no memory, which is noted. */
bool image_add_region(struct image_audit *audit, const struct image_region *region);
bool image_add_block(struct image_audit *audit, uint64_t start, uint64_t size, bool live);

/** The common start of a region's descriptor: struct acre_region. */
struct image_range {
    uint64_t at; /**< Of the descriptor. */
    uint64_t next, prev, start, size, meta, meta_size;
    bool integers;
};

/** The region of a descriptor. @return false: no memory, which is noted. */
bool image_add_range(struct image_audit *audit, const struct image_range *range);

/** Bytes of struct acre_region. */
uint64_t image_range_size(unsigned word);

/**
 * Reads a descriptor and proves it against the one below it: REGIONS-1 and REGIONS-2.
 * @param below null: it is the first one.
 */
bool image_read_range(struct image_audit *audit, uint64_t at, const struct image_range *below,
    struct image_range *range);

/** Whether the totals are those of the regions: REGIONS-3. */
bool image_total_agrees(
    struct image_audit *audit, const struct image_regions *regions, uint64_t total, uint64_t apart);

/* ---- numbers ---- */

/** Index of the highest set bit; the number is not 0. */
unsigned image_highest(uint64_t number);

unsigned image_count_bits(uint64_t number);

bool image_is_power(uint64_t number);

#endif
