/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The malloc family of ISO C, POSIX and the C library. Each function checks what only it knows, and
 * hands over to serve.h. The names with __libc_ are the C library's own names for the same
 * functions.
 */
#include "malloc/serve.h"

#include "base/arith.h"
#include "os/os.h"

#include <malloc.h>
#include <stdlib.h>

enum { ANY_OBJECT_ALIGN = ACRE_ALIGNOF(max_align_t) };

_Static_assert(
    ACRE_NATURAL_ALIGN == ANY_OBJECT_ALIGN, "what replaces malloc gives blocks for any C object");

/* Declared by newer C libraries only. */
ACRE_EXPORT void free_sized(void *ptr, size_t size);
ACRE_EXPORT void free_aligned_sized(void *ptr, size_t alignment, size_t size);
ACRE_EXPORT void cfree(void *ptr);

ACRE_EXPORT void *malloc(size_t size)
{
    return acre_serve_alloc(size, ACRE_NATURAL_ALIGN);
}

ACRE_EXPORT void free(void *ptr)
{
    acre_serve_free("free", ptr);
}

ACRE_EXPORT void *calloc(size_t nmemb, size_t size)
{
    return acre_serve_zeroed(nmemb, size);
}

ACRE_EXPORT void *realloc(void *ptr, size_t size)
{
    return acre_serve_realloc("realloc", ptr, 1, size);
}

ACRE_EXPORT void *reallocarray(void *ptr, size_t nmemb, size_t size)
{
    return acre_serve_realloc("reallocarray", ptr, nmemb, size);
}

static void *alloc_aligned(size_t alignment, size_t size)
{
    if (!acre_is_pow2(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return acre_serve_alloc_aligned(size, alignment);
}

ACRE_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return alloc_aligned(alignment, size);
}

ACRE_EXPORT void *memalign(size_t alignment, size_t size)
{
    return alloc_aligned(alignment, size);
}

ACRE_EXPORT int posix_memalign(void **memptr, size_t alignment, size_t size)
{
    int saved = errno;
    if (!acre_is_pow2(alignment) || alignment % sizeof(void *) != 0)
        return EINVAL;
    void *ptr = acre_serve_alloc_aligned(size, alignment);
    errno = saved;
    if (ptr == NULL)
        return ENOMEM;
    *memptr = ptr;
    return 0;
}

ACRE_EXPORT void *valloc(size_t size)
{
    return acre_serve_alloc(size, acre_os_page_size());
}

ACRE_EXPORT void *pvalloc(size_t size)
{
    size_t page = acre_os_page_size();
    if (size > ACRE_SERVE_MOST)
        return acre_serve_refuse();
    return acre_serve_alloc(size == 0 ? page : acre_align_up(size, page), page);
}

ACRE_EXPORT void cfree(void *ptr)
{
    acre_serve_free("cfree", ptr);
}

ACRE_EXPORT void free_sized(void *ptr, size_t size)
{
    acre_serve_free_sized("free_sized", ptr, acre_layout(size, ACRE_NATURAL_ALIGN));
}

ACRE_EXPORT void free_aligned_sized(void *ptr, size_t alignment, size_t size)
{
    acre_serve_free_sized("free_aligned_sized", ptr, acre_layout(size, alignment));
}

ACRE_EXPORT size_t malloc_usable_size(void *ptr)
{
    return acre_serve_usable_size("malloc_usable_size", ptr);
}

ACRE_EXPORT void *__libc_malloc(size_t size) ACRE_ALIAS(malloc);
ACRE_EXPORT void __libc_free(void *ptr) ACRE_ALIAS(free);
ACRE_EXPORT void *__libc_calloc(size_t nmemb, size_t size) ACRE_ALIAS(calloc);
ACRE_EXPORT void *__libc_realloc(void *ptr, size_t size) ACRE_ALIAS(realloc);
ACRE_EXPORT void *__libc_reallocarray(void *ptr, size_t nmemb, size_t size)
    ACRE_ALIAS(reallocarray);
ACRE_EXPORT void *__libc_memalign(size_t alignment, size_t size) ACRE_ALIAS(memalign);
ACRE_EXPORT void *__libc_valloc(size_t size) ACRE_ALIAS(valloc);
ACRE_EXPORT void *__libc_pvalloc(size_t size) ACRE_ALIAS(pvalloc);
