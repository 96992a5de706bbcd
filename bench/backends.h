/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The backends that are measured. */
#ifndef BENCH_BACKENDS_H
#define BENCH_BACKENDS_H

#include "bench.h"

struct bench_backends {
    struct bench_backend list[BENCH_MAX_BACKENDS];
    size_t count;
};

/* The harness itself, the system's malloc, every built-in allocator in both forms, and the mallocs
 * that the distribution ships. The first is the harness, the second the system's malloc. */
void bench_backends_init(struct bench_backends *backends);

/* Adds a plugin, which stays loaded. Returns false and writes one sentence to `error` when it
 * cannot be loaded. */
bool bench_backends_add_plugin(
    struct bench_backends *backends, const char *path, char *error, size_t error_size);

/* Whether the backend is there in this system, and its version. */
bool bench_identify(struct bench_backend *backend);

/* The side of the worker: the backend of that name, a plugin where `library` is not empty. */
bool bench_find_backend(struct replay_backend *backend, const char *name, const char *library);

/* typed.c: fills the calls and loops of a built-in allocator. False: there is none of that name. */
bool bench_typed(struct replay_backend *backend, const char *name);

#endif
