/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Traces that other tools make, turned into a trace in plain text (docs/trace-format.md). What
 * would not make sense in one is mended and counted: a block freed that was never allocated is
 * unmatched, a block that was handed out twice was freed unseen in between. Where frees name only
 * the kind of their block, the one of that kind that was allocated last is taken.
 */
#ifndef ACRE_TOOL_IMPORT_H
#define ACRE_TOOL_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** What a line says. */
enum import_verb {
    IMPORT_NOTHING,
    IMPORT_ALLOC,
    IMPORT_FREE,
    IMPORT_RESIZE,        /**< `old` became `block`. */
    IMPORT_FAILED,        /**< An allocation, or with `old` a resize, that was refused. */
    IMPORT_RESIZE_BEGINS, /**< `old` is the first half of a resize, whose other is the next call. */
    IMPORT_CUT,           /**< `function` was called by `thread`; what it returned is told later, */
    IMPORT_RESUMED,       /**< here: `block`. */
    IMPORT_KIND,          /**< The next kind of allocation, of `size` bytes. */
    IMPORT_ALLOC_OF       /**< An allocation of kind `kind`. */
};

/** One call. */
struct import_call {
    enum import_verb verb;
    char letter;          /**< Of the allocation, as the text form has it: 'm', 'c' or 'a'. */
    uint64_t block, old;  /**< Addresses; 0: none. */
    uint64_t size;        /**< Bytes. */
    uint64_t align;       /**< Bytes, of letter 'a'. */
    uint64_t kind;        /**< Of IMPORT_ALLOC_OF, from 0. */
    uint64_t thread;      /**< Of a call that is cut. */
    const char *function; /**< The same: one name, one address. */
};

/** A format: how a line of it is read. */
struct import_format {
    const char *name;
    /** @return null, or an English phrase that says what is wrong with the line. */
    const char *(*parse)(const char *line, struct import_call *call);
    bool ends_lines; /**< Every line has its end; without it, the file is cut. */
};

/** All of them; the last has a null name. */
extern const struct import_format import_formats[];

/** The format of that name, or null. */
const struct import_format *import_find(const char *name);

#define IMPORT_MESSAGE_ROOM 512

/** Sets the verb of a call by its result, `block`, and by the block that it resizes, `old`. */
void import_finish(struct import_call *call);

/**
 * Reads `in` to its end and writes the trace to `out`. Memory goes by live blocks, by kinds of
 * allocations, and by threads.
 * @param name of `in`, for messages.
 * @return false with a sentence that names the line in `message`.
 */
bool import_text(FILE *in, const char *name, const struct import_format *format, FILE *out,
    char message[IMPORT_MESSAGE_ROOM]);

#endif
