/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The page benchmark: backends, cases, and what one run found. */
#ifndef BENCH_PAGES_PAGES_H
#define BENCH_PAGES_PAGES_H

#include <acre/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_NONE ACRE_PAGES_PLUGIN_NONE

/* A page allocator over page numbers 0 .. pages - 1. One of them has an instance at a time. */
struct pages_backend {
    const char *name;
    /* All free; false: not for so many, or no memory for its metadata. */
    bool (*make)(const struct pages_backend *who, size_t pages);
    size_t (*take)(size_t count); /* first page of a run, or PAGES_NONE */
    void (*give)(size_t page, size_t count);
    void (*drop)(void);
    bool linear; /* searches page by page: left out where that takes minutes */
    const struct acre_pages_plugin *plugin; /* null: built in */
    const char *path;                       /* of the plugin; null: built in */
};

enum { PAGES_BACKENDS_MAX = 8 };
extern struct pages_backend pages_backends[PAGES_BACKENDS_MAX];
extern size_t pages_backend_count;

/* Adds a plugin to the backends; false, with a sentence on the standard error stream, when it
 * cannot be used. */
bool pages_add_plugin(const char *path);

/* Runs random calls beside an oracle: whether the runs handed out lie inside, and apart. Says on
 * the standard error stream what is wrong. */
bool pages_verify(const struct pages_backend *who);

enum { PAGES_OCCUPANCIES = 5, PAGES_SIZES = 7 };
extern const unsigned pages_occupancies[PAGES_OCCUPANCIES]; /* percent */
extern const unsigned pages_sizes_log2[PAGES_SIZES];

/* Nanoseconds a call, medians of the rounds; NAN where not measured. */
struct pages_result {
    double single_take[PAGES_OCCUPANCIES], single_give[PAGES_OCCUPANCIES];
    double churn[PAGES_OCCUPANCIES];         /* a random held page freed, one allocated: per pair */
    double churn_counted[PAGES_OCCUPANCIES]; /* the same in instructions, without the loop */
    double eight_take, eight_give;
    double none_1m, none_16m;
    double large_pair;
    double growth_single[PAGES_SIZES], growth_eight[PAGES_SIZES], growth_none[PAGES_SIZES];
};

struct pages_options {
    bool json, smoke;
    size_t rounds;
    uint64_t seed;
};

/* Conditions on a run of 8 pages, of 1 Mi pages half of which are in use, at random. */
enum { PAGES_CONDITIONS = 7 };
extern const char *const pages_condition_names[PAGES_CONDITIONS];

/* Measures acre's bitmap with each condition: nanoseconds per run allocated and freed. `count`
 * pages. */
void pages_measure_conditions(
    const struct pages_options *options, size_t count, double ns[PAGES_CONDITIONS]);

/* Runs every case on one backend. */
void pages_measure(const struct pages_backend *who, const struct pages_options *options,
    struct pages_result *result);

/* What callgrind counts, under any names that the compiler derives from these: calls of a churn. */
#define PAGES_COUNTED "--toggle-collect='bench_pages_take*' --toggle-collect='bench_pages_give*'"

/* Frees a random held page and allocates one, PAGES_COUNTED_PAIRS times, at an occupancy in
 * percent. False: the backend cannot be made. */
enum { PAGES_COUNTED_PAIRS = 20000 };
bool pages_churn_counted(
    const struct pages_backend *who, const struct pages_options *options, unsigned percent);

/* The largest of some figures over the smallest; NAN when one is missing. */
double pages_growth(const double *figures);

void pages_print(const struct pages_result *results, const double *conditions,
    const struct pages_options *options);
bool pages_print_json(const struct pages_result *results, const double *conditions,
    const struct pages_options *options);

#endif
