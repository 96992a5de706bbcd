/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not newlib: a stand-in for tests, with the declarations that ports/newlib uses. The test provides
 * the lock. */
#ifndef ACRE_TESTS_PORTS_NEWLIB_H
#define ACRE_TESTS_PORTS_NEWLIB_H

#include <stddef.h>

struct mallinfo {
    size_t arena;
    size_t ordblks;
    size_t uordblks;
    size_t fordblks;
};

struct _reent;

void *_malloc_r(struct _reent *reent, size_t size);
void *_calloc_r(struct _reent *reent, size_t count, size_t size);
void *_realloc_r(struct _reent *reent, void *ptr, size_t size);
void *_memalign_r(struct _reent *reent, size_t align, size_t size);
void _free_r(struct _reent *reent, void *ptr);
size_t _malloc_usable_size_r(struct _reent *reent, void *ptr);
struct mallinfo _mallinfo_r(struct _reent *reent);
void _malloc_stats_r(struct _reent *reent);
int _mallopt_r(struct _reent *reent, int parameter, int value);

void __malloc_lock(struct _reent *given);
void __malloc_unlock(struct _reent *given);

void stand_in_misuse(const char *call, const void *ptr);
#define ACRE_PORT_MISUSE(call, ptr) stand_in_misuse(call, ptr)

#endif
