/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The page benchmark: contestants, cases, and what one run found. */
#ifndef BENCH_PAGES_PAGES_H
#define BENCH_PAGES_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_NONE SIZE_MAX

/* A page allocator over page numbers 0 .. pages - 1. */
struct pages_contestant {
    const char *name;
    bool (*make)(size_t pages);   /* all free; false: no memory for its metadata */
    size_t (*take)(size_t count); /* first page of a run, or PAGES_NONE */
    void (*give)(size_t page, size_t count);
    void (*drop)(void);
    bool linear; /* searches page by page: left out where that takes minutes */
};

extern const struct pages_contestant pages_contestants[];
extern const size_t pages_contestant_count;

enum { PAGES_OCCUPANCIES = 5, PAGES_SIZES = 7 };
extern const unsigned pages_occupancies[PAGES_OCCUPANCIES]; /* percent */
extern const unsigned pages_sizes_log2[PAGES_SIZES];

/* Nanoseconds a call, medians of the rounds; NAN where not measured. */
struct pages_result {
    double single_take[PAGES_OCCUPANCIES], single_give[PAGES_OCCUPANCIES];
    double eight_take, eight_give;
    double none_1m, none_16m;
    double large_pair;
    double growth_single[PAGES_SIZES], growth_eight[PAGES_SIZES], growth_none[PAGES_SIZES];
};

struct pages_options {
    bool json, smoke;
    unsigned rounds;
    uint64_t seed;
};

/* Runs every case on one contestant. */
void pages_measure(const struct pages_contestant *who, const struct pages_options *options,
    struct pages_result *result);

/* The largest of some figures over the smallest; NAN when one is missing. */
double pages_growth(const double *figures);

void pages_print(const struct pages_result *results, const struct pages_options *options);
bool pages_print_json(const struct pages_result *results, const struct pages_options *options);

#endif
