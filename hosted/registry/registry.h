/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The backends: the byte allocators built in that can be chosen by name. They come from the list in
 * allocators.def. A name is that of a backend, or that and a slash and a setting that the backend
 * declares: "slab", "slab/512", "heap/tlsf".
 */
#ifndef ACRE_HOSTED_REGISTRY_H
#define ACRE_HOSTED_REGISTRY_H

#include <acre/backing.h>

/** C code that names the parts of a backend, for programs that are written by acre. */
struct acre_backend_code {
    const char *header; /**< To include, without its folder and ending. */
    const char *type;   /**< Of the control structure. */
    const char *bytes;  /**< An expression, the handle, where `self` points to that structure. */
};

/** A backend at one setting. */
struct acre_backend {
    const char *name;    /**< As every option and variable takes it, and every table shows it. */
    const char *family;  /**< `name` without the setting. */
    const char *setting; /**< What follows the family and the slash; "": the default setting. */
    const char *text;    /**< One line: what the backend is, or else what the setting sets. */
    size_t number;       /**< The setting as a number; 0: it is none, or the default. */
    bool compared;       /**< acre compare tries it without being asked to. */
    /** Sets up a control structure, whatever it holds. Returns its handle, for acre_init(). O(1). */
    struct acre_bytes (*handle)(void *self);
    const struct acre_backing *backing;
    const struct acre_backend_code *code;
    const char *setup; /**< C statements before init, without the last semicolon; "": none. */
};

/** All backends, each followed by the settings that it declares. Ends with a null name. */
extern const struct acre_backend acre_backends[];

/** The backend that serves a program for which none was chosen; null when none is built in. */
const struct acre_backend *acre_backend_default(void);

/** The backend of that name, or null. */
const struct acre_backend *acre_backend_find(const char *name);

/** The name that was probably meant by `name`, or null. */
const char *acre_backend_nearest(const char *name);

/**
 * Writes all names on one line, settings in parentheses: "tlsf, slab (slab/512, slab/2048)".
 * @param line receives the text, cut off at `size` bytes, the null included; size is not 0.
 */
void acre_backend_list(char *line, size_t size);

#endif
