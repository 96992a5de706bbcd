/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Tests an allocator against the rules that acre's own allocators are tested against (library
 * acre-conformance, which needs libacre.a and a POSIX system). `acre verify --with=FILE` does the
 * same from the command line.
 *
 * An allocator is tested as one of two kinds:
 *
 * - A plugin (struct acre_plugin, acre/plugin.h) promises little: blocks that lie inside the pool,
 *   apart and aligned, whose contents are kept; null when there is no room. The rules that need
 *   more are counted as not claimed.
 * - A subject (struct acre_subject, below) is an allocator with all verbs of the bytes family and
 *   claims the whole contract of acre/bytes.h, misuse included. A shared object that exports one
 *   as `acre_subject` is tested as that.
 *
 * Each rule runs in a process of its own: a crash or an endless loop breaks that rule alone.
 */
#ifndef ACRE_CONFORMANCE_H
#define ACRE_CONFORMANCE_H

#include <acre/bytes.h>
#include <acre/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a subject can do beyond the minimum of the contract, and where it differs; a rule that
 * needs more is not claimed. */
enum {
    /** A realloc that moves may read and write blocks, so contents are kept. */
    ACRE_SUBJECT_CONTENTS = 1 << 0,
    /** Adjoining regions serve one block across the seam. */
    ACRE_SUBJECT_SEAM = 1 << 1,
    /** `total` counts metadata that was not given as a region. */
    ACRE_SUBJECT_APART = 1 << 2,
    /** A block of n usable bytes takes n + header, whatever its alignment, and free neighbours
     * merge at once; without it, an alignment makes a block as large as a size that needs it. */
    ACRE_SUBJECT_HEADERS = 1 << 3,
    /** A free block's bytes between `links` and `foot` mean nothing. */
    ACRE_SUBJECT_SCRUB = 1 << 4,
    /** A pointer that is no live block is refused, not undefined behaviour. */
    ACRE_SUBJECT_EXACT = 1 << 5,
    /** walk shows all that is available: no memory after it lies unused. */
    ACRE_SUBJECT_COVERS = 1 << 6,
    /** Short of memory, a larger block than its size needs may serve a request; a sized free that
     * falls short of such a one passes, and an alignment that largest_free has room for can be
     * refused; an alignment rounds the size up to a multiple of it. */
    ACRE_SUBJECT_LARGER = 1 << 7,
    /** The usable size is the size asked for, and a sized free must name it. */
    ACRE_SUBJECT_ASKED = 1 << 8,
    /** A block is larger than the least of the allocator within, the more so the higher its
     * alignment: a region accepted may hold no block. */
    ACRE_SUBJECT_PADS = 1 << 9,
    /** Memory that no block was cut from yet is available and not walked. */
    ACRE_SUBJECT_HIDES = 1 << 10,
    /** Only alloc, dealloc and realloc are the allocator's own; the other verbs are bookkeeping
     * around a plugin, and rules about them are not claimed. */
    ACRE_SUBJECT_PLAIN = 1 << 11,
    /** With ACRE_SUBJECT_PLAIN: alignments of up to 4096 bytes are served. */
    ACRE_SUBJECT_ALIGNS = 1 << 12,
    /** Memory that is freed before a live block serves no request until that is freed too, and
     * counts as used; an alignment leaves a gap in front of the block. */
    ACRE_SUBJECT_STACKS = 1 << 13,
    /** Its own records lie in the regions and take their memory in steps of several pages: rules
     * that count the bytes of small regions, or empty a region of all but records, are not
     * claimed. */
    ACRE_SUBJECT_STEPS = 1 << 14,
    /** Blocks and their headers tile a region. */
    ACRE_SUBJECT_TILES = ACRE_SUBJECT_HEADERS | ACRE_SUBJECT_COVERS
};

/** The version of struct acre_subject, for `abi`. */
#define ACRE_SUBJECT_ABI 1u

/** Counters of which a subject can name the places; see `counters`. */
#define ACRE_SUBJECT_COUNTERS 12

/** An allocator under test, as constant data. All sizes are in bytes. */
struct acre_subject {
    /** ACRE_SUBJECT_ABI. First, so that it can be read whatever follows. */
    uint32_t abi;

    /** For tables: letters, digits, '-', '_', '.'. */
    const char *name;

    /** ACRE_SUBJECT_* bits. */
    unsigned caps;

    /** State that lies outside the regions. */
    size_t self_size;

    /** Offsets in there, plus 1, of the size_t that a refused call may change; 0: no more. */
    size_t counters[ACRE_SUBJECT_COUNTERS];

    /** See ACRE_SUBJECT_HEADERS. */
    size_t header;

    /** Bytes at the start of a free block that have a meaning; see ACRE_SUBJECT_SCRUB. */
    size_t links;

    /** The same at its end. */
    size_t foot;

    /** No region of this size or more is too small. */
    size_t region_enough;

    /** With a larger region its metadata finds no room; SIZE_MAX: there is no limit. */
    size_t arena_most;

    /** A rule's memory is so many times as large, since the allocator's blocks are; 0: 1. */
    size_t arena_scale;

    /** Prepares zeroed state of self_size bytes and returns the handle over it; init comes next. */
    struct acre_bytes (*bind)(void *self);

    /** Makes every counter what it would be had this state been reached at once: nothing refused,
     * the peak as high as `used`. Not called by acre_verify(); may be null. */
    void (*normalize)(void *self);

    /** By how many bytes a sized free may fall short of the usable size and still name the block. */
    size_t (*slack)(size_t usable);
};

/** What a shared object exports to be tested as a subject. */
extern ACRE_PLUGIN_EXPORT const struct acre_subject acre_subject;

/** Whether an allocator keeps to a rule. */
enum acre_rule_outcome {
    ACRE_RULE_PASSED,
    ACRE_RULE_BROKEN,
    ACRE_RULE_NOT_CLAIMED,
    ACRE_RULE_NOT_RUN /**< The system gave no memory or no process: nothing is known. */
};

/** Room for the texts of a finding. */
#define ACRE_RULE_TEXT 512

/** What became of one rule. The texts last as long as the callback. */
struct acre_rule_result {
    const char *suite;              /**< "conformance", "misuse", "plugin", "fault" or "model". */
    const char *rule;               /**< Its name, unique within the suite. */
    enum acre_rule_outcome outcome; /**< Whether it holds. */
    /** Of a broken rule: what happened instead; of one not claimed or not run: why. Else "". */
    const char *text;
    /** Of a broken rule: the line of the kit's source that found it, "FILE:LINE"; else "". */
    const char *where;
    /** Of a broken rule: the operations that break it, one a line, as short as they were found
     * (see acre-verify(1)); else "". */
    const char *operations;
};

/** How acre_verify() goes about it. All zero is the default. */
struct acre_verify_options {
    /** Processor seconds after which a rule counts as an endless loop; ten times as many pass on
     * the clock. 0: 5. */
    unsigned seconds;
    unsigned runs; /**< Random runs of the model; 0: 12. */
    unsigned seed; /**< Of the first of them; 0: 1. */
    /** A word that the name of a rule or its suite contains; null: all rules. */
    const char *only;
    /** Called after each rule; returns false to end. May be null. */
    bool (*tell)(void *arg, const struct acre_rule_result *result);
    void *arg;
};

/** The rules counted by their outcome. */
struct acre_verify_counts {
    unsigned passed;      /**< Rules that hold. */
    unsigned broken;      /**< Rules that do not. */
    unsigned not_claimed; /**< Rules for what the subject does not claim to do. */
    unsigned not_run; /**< Rules after which `tell` ended the run, or that could not run here. */
};

/**
 * Puts a subject through every rule. The process must not have other threads: rules run in forks.
 * @return the counts; all that is claimed holds when `broken` and `not_run` are 0. O(rules), each in at
 * most options->seconds; memory for a run that cannot be had is counted in `not_run`.
 */
struct acre_verify_counts acre_verify(
    const struct acre_subject *subject, const struct acre_verify_options *options);

/** The same for a plugin. It must stay loaded; its memory is found out with trial pools. O(rules). */
struct acre_verify_counts acre_verify_plugin(
    const struct acre_plugin *plugin, const struct acre_verify_options *options);

#ifdef __cplusplus
}
#endif

#endif
