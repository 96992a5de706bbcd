/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * One line of text, put together without the C library's formatted output, which allocates. What
 * does not fit is cut off; the line end always fits.
 */
#ifndef ACRE_HOSTED_MALLOC_TEXT_H
#define ACRE_HOSTED_MALLOC_TEXT_H

#include <stddef.h>
#include <stdint.h>

/** A zeroed one is empty. */
struct acre_text {
    size_t length;    /**< Bytes used. */
    char bytes[1200]; /**< The longest misuse line with the names of two mappings, and some room. */
};

void acre_text_add(struct acre_text *text, const char *string);
/** In decimal. */
void acre_text_add_number(struct acre_text *text, uintmax_t number);
/** In hexadecimal, with 0x. */
void acre_text_add_address(struct acre_text *text, uintptr_t address);
/** Ends the text with a null that is not counted. */
const char *acre_text_string(struct acre_text *text);
/** Ends the line and writes it to a file descriptor with one call. */
void acre_text_write(struct acre_text *text, int fd);

#endif
