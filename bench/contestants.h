/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Who takes part, and how each is made ready in the process that measures it. */
#ifndef BENCH_CONTESTANTS_H
#define BENCH_CONTESTANTS_H

#include "bench.h"

struct bench_contestants {
    struct bench_contestant list[BENCH_MAX_CONTESTANTS];
    size_t count;
};

/* The harness itself, the system's malloc, every built-in allocator in both forms, and the mallocs
 * that the distribution ships. The first is the harness, the second the system's malloc. */
void bench_contestants_init(struct bench_contestants *contestants);

/* Adds a plugin. Returns false and writes one sentence to `error` when it cannot be loaded. */
bool bench_contestants_add_plugin(
    struct bench_contestants *contestants, const char *path, char *error, size_t error_size);

/* Binds in this process. Returns false and writes one sentence to `error` when it cannot be. */
bool bench_bind(const struct bench_contestant *contestant, struct bench_bound *bound, char *error,
    size_t error_size);

/* The version that serves in this process: of the malloc family, or from a plugin's table. Returns
 * false when another malloc serves than the contestant names. */
bool bench_identify(const struct bench_contestant *contestant, char *version, size_t size);

/* One file each. */
void bench_bind_empty(struct bench_bound *bound);
void bench_bind_system(struct bench_bound *bound);
bool bench_bind_plugin(const char *path, struct bench_bound *bound, char *error, size_t error_size);
bool bench_bind_typed(const char *builtin, struct bench_bound *bound);
bool bench_bind_handle(const char *builtin, struct bench_bound *bound);

#endif
