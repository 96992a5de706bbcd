/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The functions that all hooks use: malloc, calloc, realloc, free and strdup over any handle. A
 * hook is a header that makes one library take its memory from a handle; docs/hooks.md lists the
 * hooks. Everything here is static and inline: the headers need no library but libacre.
 *
 * Some libraries pass a pointer of the caller to their memory functions (Lua, zlib, zstd, nghttp2).
 * Their hooks use a pointer to a struct acre_bytes there, which must not move while the library
 * uses it. Other libraries have global memory functions. Their hooks keep the handle in a static
 * variable of the source file that calls the install function: call it in one source file, once,
 * before any other call of the library.
 *
 * Threads: nothing here locks. A library that allocates in several threads, or several libraries
 * over one pool in several threads, need a locked handle (acre/wrap/locked.h).
 *
 * Misuse: a library that frees a pointer which is not a live block is always reported, by
 * ACRE_HOOK_MISUSE(call, ptr, status). By default, that writes one line to standard error and
 * aborts. A source file may define the macro before it includes a hook (stdio.h and stdlib.h are
 * not needed then). If its definition returns, nothing has changed, and the call returns what is
 * stated below.
 */
#ifndef ACRE_HOOKS_HOOK_H
#define ACRE_HOOKS_HOOK_H

#include <acre/bytes.h>

#include <string.h>

#ifndef ACRE_HOOK_MISUSE
#include <stdio.h>
#include <stdlib.h>
/* NOT-COVERED: ends the process, and with it the counting */
#define ACRE_HOOK_MISUSE(call, ptr, status) acre_hook_stop(call, ptr, status)
#define ACRE_HOOK_STOPS 1
#else
#define ACRE_HOOK_STOPS 0
#endif

/** A cast from `void *` that C++ takes too. */
#ifdef __cplusplus
#define ACRE_HOOK_CAST(type, pointer) static_cast<type>(pointer)
#else
#define ACRE_HOOK_CAST(type, pointer) ((type)(pointer))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* NOT-COVERED-BEGIN: ends the process, and with it the counting */
#if ACRE_HOOK_STOPS
/** The default of ACRE_HOOK_MISUSE: writes one line and aborts. */
static inline void acre_hook_stop(const char *call, const void *ptr, enum acre_status status)
{
    fprintf(stderr, "acre: %s: %p: %s\n", call, ptr, acre_status_text(status));
    abort();
}
#endif
/* NOT-COVERED-END */

/** The handle at which the user pointer of a library points. */
static inline struct acre_bytes acre_hook_bytes(void *user)
{
    return *ACRE_HOOK_CAST(struct acre_bytes *, user);
}

/**
 * malloc.
 * @param size bytes; 0 yields a block that must be freed.
 * @return a block at natural alignment, or null: no memory.
 */
static inline void *acre_hook_malloc(struct acre_bytes bytes, size_t size)
{
    return acre_alloc(bytes, acre_layout(size, ACRE_NATURAL_ALIGN)).ptr;
}

/** malloc of count * size bytes. A product that overflows becomes a request for SIZE_MAX bytes,
 * which every allocator refuses and counts. */
static inline void *acre_hook_malloc_array(struct acre_bytes bytes, size_t count, size_t size)
{
    return acre_alloc(bytes, acre_layout_array(count, acre_layout(size, ACRE_NATURAL_ALIGN))).ptr;
}

/**
 * calloc.
 * @return a zeroed block, or null: no memory, or the product overflows. O(size).
 */
static inline void *acre_hook_calloc(struct acre_bytes bytes, size_t count, size_t size)
{
    void *ptr = acre_hook_malloc_array(bytes, count, size);
    return ptr ? memset(ptr, 0, count * size) : NULL;
}

/**
 * free.
 * @param ptr  a block, or null, which is nothing to do.
 * @param call the library and its function, for ACRE_HOOK_MISUSE.
 */
static inline void acre_hook_free(struct acre_bytes bytes, void *ptr, const char *call)
{
    if (ptr == NULL)
        return;
    enum acre_status status = acre_dealloc(bytes, ptr);
    if (status != ACRE_OK)
        ACRE_HOOK_MISUSE(call, ptr, status);
}

/** free by a caller who knows the size he asked for, and is held to it; otherwise as above. */
static inline void acre_hook_free_sized(
    struct acre_bytes bytes, void *ptr, size_t size, const char *call)
{
    if (ptr == NULL)
        return;
    enum acre_status status = acre_dealloc_sized(bytes, ptr, acre_layout(size, ACRE_NATURAL_ALIGN));
    if (status != ACRE_OK)
        ACRE_HOOK_MISUSE(call, ptr, status);
}

/**
 * Bytes a block can really hold.
 * @return at least what was asked for; 0 for null, and after misuse. O(1).
 */
static inline size_t acre_hook_usable_size(
    struct acre_bytes bytes, const void *ptr, const char *call)
{
    if (ptr == NULL)
        return 0;
    struct acre_num usable = acre_usable_size(bytes, ptr);
    if (usable.status != ACRE_OK)
        ACRE_HOOK_MISUSE(call, ptr, usable.status);
    return usable.num;
}

/** What a refused realloc comes to: a block that is large enough as it is stays. */
static inline void *acre_hook_refused(
    struct acre_bytes bytes, void *ptr, size_t size, enum acre_status status, const char *call)
{
    if (status != ACRE_NO_MEMORY) {
        ACRE_HOOK_MISUSE(call, ptr, status);
        return NULL;
    }
    return acre_hook_usable_size(bytes, ptr, call) >= size ? ptr : NULL;
}

/**
 * realloc.
 * @param ptr  a block; null allocates.
 * @param size bytes; 0 frees the block and returns null, as glibc does.
 * @return the block, contents kept up to the lesser size; null: no memory (the block is untouched)
 *         or misuse. What does not grow never fails.
 */
static inline void *acre_hook_realloc(
    struct acre_bytes bytes, void *ptr, size_t size, const char *call)
{
    if (ptr == NULL)
        return acre_hook_malloc(bytes, size);
    if (size == 0) {
        acre_hook_free(bytes, ptr, call);
        return NULL;
    }
    struct acre_ptr moved = acre_realloc(bytes, ptr, acre_layout(size, ACRE_NATURAL_ALIGN));
    return moved.ptr ? moved.ptr : acre_hook_refused(bytes, ptr, size, moved.status, call);
}

/** strdup: a copy of a string, or null: no memory. O(length). */
static inline char *acre_hook_strdup(struct acre_bytes bytes, const char *text)
{
    size_t size = strlen(text) + 1;
    void *copy = acre_hook_malloc(bytes, size);
    return copy ? ACRE_HOOK_CAST(char *, memcpy(copy, text, size)) : NULL;
}

#ifdef __cplusplus
}
#endif

#endif
