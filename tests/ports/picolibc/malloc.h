/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not picolibc: a stand-in for tests, with the declarations that ports/picolibc uses, under names
 * that the C library of the test does not have. The test provides the lock. */
#ifndef ACRE_TESTS_PORTS_PICOLIBC_H
#define ACRE_TESTS_PORTS_PICOLIBC_H

#include <stddef.h>

#define malloc libc_malloc
#define calloc libc_calloc
#define realloc libc_realloc
#define memalign libc_memalign
#define aligned_alloc libc_aligned_alloc
#define free libc_free
#define malloc_usable_size libc_malloc_usable_size
#define mallinfo libc_mallinfo

struct mallinfo {
    size_t arena;
    size_t ordblks;
    size_t uordblks;
    size_t fordblks;
};

void *malloc(size_t size);
void *calloc(size_t nmemb, size_t size);
void *realloc(void *ptr, size_t size);
void *memalign(size_t align, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
void free(void *ptr);
size_t malloc_usable_size(void *ptr);
struct mallinfo mallinfo(void);

void stand_in_misuse(const char *call, const void *ptr);
#define ACRE_PORT_MISUSE(call, ptr) stand_in_misuse(call, ptr)

#endif
