/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The page around the figures. cmake/EmbedPage.cmake makes it of the files in page/.
 */
#ifndef ACRE_TOOL_REPORT_PAGE_H
#define ACRE_TOOL_REPORT_PAGE_H

#include <stddef.h>

extern const unsigned char report_page_head[]; /**< Up to the figures. */
extern const size_t report_page_head_size;
extern const unsigned char report_page_tail[]; /**< What follows them. */
extern const size_t report_page_tail_size;

#endif
