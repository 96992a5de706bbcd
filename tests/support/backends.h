/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The allocators that every suite runs over. A new one is a `struct acre_subject` in a file of its
 * own and one line in backends.c.
 */
#ifndef ACRE_TESTS_SUPPORT_BACKENDS_H
#define ACRE_TESTS_SUPPORT_BACKENDS_H

#include <acre/conformance.h>

/* Null-terminated. */
extern const struct acre_subject *const backends[];

/* Backends that do not claim all of acre/base.h, for the suites that ask what is claimed.
 * Null-terminated. */
extern const struct acre_subject *const loose_backends[];

/* Backends with little room outside the regions, for searches over whole states. Null-terminated. */
extern const struct acre_subject *const tiny_backends[];

/* Backends that break a promise on purpose, to prove that the suites notice. Null-terminated. */
extern const struct acre_subject *const broken_backends[];

/* The backend of that name, sound or broken; null when there is none. */
const struct acre_subject *backend_find(const char *name);

#endif
