/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The contract of the byte allocators as scenes, each run over every kind. */
#ifndef ACRE_TESTS_CONFORMANCE_SUITE_H
#define ACRE_TESTS_CONFORMANCE_SUITE_H

#include "support/bed.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct scene {
    const char *name;
    void (*run)(struct bed *bed);
    size_t arena;    /* bytes, a power of two; the arena is aligned to it */
    unsigned needs;  /* capabilities without which the scene is skipped ... */
    const char *why; /* ... and why it is then */
};

/* Each list ends with a scene without a name. */
extern const struct scene alloc_scenes[];
extern const struct scene free_scenes[];
extern const struct scene resize_scenes[];
extern const struct scene region_scenes[];
extern const struct scene account_scenes[];
extern const struct scene walk_scenes[];

/* Runs the scenes of several lists over every kind, or over the one that the program was told, as
 * one group of tests; for main to return. */
int run_scenes(
    const char *group, const struct scene *const *lists, size_t list_count, int argc, char **argv);

/* A scene's size or place, so many times as large as the kind's arena_scale says; what lies beside
 * a multiple of 64 bytes stays as far from it. */
size_t scaled(const struct bed *bed, size_t bytes);

/* Initialises with the bytes [offset, offset + size) of the arena. */
void begin(struct bed *bed, size_t offset, size_t size);

/* Accounts balance, check finds nothing, walk agrees. Asserted after every call that changes. */
void assert_sound(struct bed *bed);

/* alloc and dealloc that must succeed. */
void *take(struct bed *bed, size_t size, size_t align);
void give(struct bed *bed, void *ptr);

/* Calls that must be refused with this status and change nothing. */
void refuse_alloc(struct bed *bed, size_t size, size_t align, enum acre_status status);
void refuse_realloc(struct bed *bed, void *ptr, size_t size, size_t align, enum acre_status status);
void refuse_add(struct bed *bed, void *start, size_t size, enum acre_status status);

/* Every verb that takes a pointer answers ACRE_NOT_ALLOCATED and changes nothing. Left out, and
 * counted, over a kind that is not KIND_EXACT. */
void refuse_ptr(struct bed *bed, void *ptr);

/* Allocates until ACRE_NO_MEMORY; sizes are size, size + step, ... and again from size after
 * `period` of them. Returns the number of blocks put into `blocks`. */
size_t fill(struct bed *bed, void **blocks, size_t room, size_t size, size_t step, size_t period);

/* How often refuse_ptr was left out. */
extern size_t bad_pointers_left_out;

/* Why a scene that needs KIND_EXACT is skipped. */
#define NOT_EXACT "this build does not prove pointers"

struct acre_stats stats_of(const struct bed *bed);

/* The bytes given, metadata given apart not counted, are these. */
void assert_total(struct bed *bed, size_t bytes);

/* Every figure but peak and refused requests is equal. */
void assert_same_accounts(struct acre_stats a, struct acre_stats b);

#endif
