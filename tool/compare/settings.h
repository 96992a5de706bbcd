/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The settings at which the allocators built in are compared. An allocator that the table does not
 * name takes part once, as the registry makes it.
 */
#ifndef ACRE_TOOL_COMPARE_SETTINGS_H
#define ACRE_TOOL_COMPARE_SETTINGS_H

#include "registry/registry.h"

/** One setting of one allocator. The last four members are C code that makes it. */
struct compare_setting {
    const char *backend; /**< Name in the registry. */
    const char *name;    /**< The same in tables, where allocators of one make share it. */
    const char *mark;    /**< What follows the name and a slash; "": nothing does. */
    const char *text;    /**< The same in words; "": as it comes. */
    size_t size;         /**< Bytes of the control structure; 0: as in the registry. */
    /** The handle of a control structure at this setting, as of struct acre_backend; null: its own. */
    struct acre_bytes (*handle)(void *self);
    const char *header; /**< To include, without its folder and ending. */
    const char *type;   /**< Of an object called `allocator`. */
    const char *setup;  /**< What comes before init, as statements; "": nothing. */
    const char *bytes;  /**< The handle. */
};

/** Ends with a null backend. */
extern const struct compare_setting compare_settings[];

#endif
