/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Runs the victim with the drop-in malloc preloaded, and holds it to an outcome.
 */
#ifndef ACRE_TESTS_MALLOC_DROPIN_PROCESS_H
#define ACRE_TESTS_MALLOC_DROPIN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/** The programs that are run. */
enum dropin_victim {
    DROPIN_C,         /**< The C program, with most of the cases. */
    DROPIN_OPERATORS, /**< new and delete. */
    DROPIN_REPLACED,  /**< The same in a program that brings its own plain ones. */
    DROPIN_ARRAYS,    /**< The same in one that brings its own for arrays. */
    DROPIN_VICTIMS
};

/** The backends a case runs on, besides those for which it names `others`. */
enum dropin_where {
    DROPIN_BOTH,     /**< The drop-in's default, and that of the registry. */
    DROPIN_THREADED, /**< The heap per thread. */
    DROPIN_DEFAULT,  /**< The drop-in's default: it tests the choice of the backend. */
    DROPIN_REGISTRY  /**< That of the registry: it needs one lock, or memory that merges. */
};

/** A case, and the outcome it must have. */
struct dropin_case {
    const char *name;
    const char *arguments;     /**< The victim's case. */
    enum dropin_victim victim; /**< Which program. */
    enum dropin_where where;
    const char *variables[3]; /**< NAME=VALUE, put into its environment. */
    const char *allocator;    /**< The allocator asked for; null: none. */
    size_t addresses;         /**< Limit on its address space in bytes; 0: none. */
    bool failing;             /**< Preload the failing system first. */
    bool hostile;             /**< Preload the replaced functions too. */
    bool early;               /**< Preload the object that is initialised before all. */
    int status;               /**< Exit status, when it is to exit. */
    int signal;               /**< Signal that is to end it; 0: it is to exit. */
    /** Extended regular expression that all of standard error must match. POINTER stands for what
     * the victim wrote on standard output. */
    const char *line;
    const char *others; /**< What it must match with other allocators; null: they are not tried. */
};

/** The files. */
struct dropin_files {
    const char *victims[DROPIN_VICTIMS];
    const char *dropin;
    const char *failing;
    const char *hostile;
    const char *early;
};

/** Names the files; the strings are kept. */
void dropin_prepare(struct dropin_files files);

/** A cmocka test of the case that `*state` is: it runs, and ends as it asks for. */
void dropin_check(void **state);

#endif
