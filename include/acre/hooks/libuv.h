/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * libuv over a handle (uv_replace_allocator), for the whole program. A request that the pool cannot
 * serve results in UV_ENOMEM.
 *
 *     acre_hook_libuv_install(bytes); // before any other call of libuv
 *     uv_loop_init(&loop);
 *     uv_loop_close(&loop); // uv_library_shutdown() at the end
 *
 * libuv's worker threads allocate (uv_fs_* with a callback, uv_getaddrinfo, uv_queue_work): a
 * program that has them work needs a locked handle. The handle belongs to this source file; for
 * misuse, see acre/hooks/hook.h. ACRE_HOOK_LIBUV is 1 where uv.h was found, else 0 and the header
 * is empty.
 */
#ifndef ACRE_HOOKS_LIBUV_H
#define ACRE_HOOKS_LIBUV_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_LIBUV && defined __has_include
#if __has_include(<uv.h>)
#define ACRE_HOOK_LIBUV 1
#endif
#endif
#ifndef ACRE_HOOK_LIBUV
#define ACRE_HOOK_LIBUV 0
#endif

#if ACRE_HOOK_LIBUV

#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

static struct acre_bytes acre_hook_libuv_bytes;

static inline void *acre_hook_libuv_malloc(size_t size)
{
    return acre_hook_malloc(acre_hook_libuv_bytes, size);
}

static inline void *acre_hook_libuv_realloc(void *ptr, size_t size)
{
    return acre_hook_realloc(acre_hook_libuv_bytes, ptr, size, "libuv realloc");
}

static inline void *acre_hook_libuv_calloc(size_t count, size_t size)
{
    return acre_hook_calloc(acre_hook_libuv_bytes, count, size);
}

static inline void acre_hook_libuv_free(void *ptr)
{
    acre_hook_free(acre_hook_libuv_bytes, ptr, "libuv free");
}

/**
 * Makes libuv take all its memory from a handle.
 * @return 0. To be called before any other function of libuv, or after uv_library_shutdown() with
 *         every loop closed.
 */
static inline int acre_hook_libuv_install(struct acre_bytes bytes)
{
    acre_hook_libuv_bytes = bytes;
    return uv_replace_allocator(acre_hook_libuv_malloc, acre_hook_libuv_realloc,
        acre_hook_libuv_calloc, acre_hook_libuv_free);
}

#ifdef __cplusplus
}
#endif

#endif

#endif
