/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * zstd over a handle (ZSTD_customMem): each context can have its own pool. An exhausted pool
 * results in a null context, or in ZSTD_error_memory_allocation from the call that needed it.
 *
 *     ZSTD_CCtx *context = ZSTD_createCCtx_advanced(acre_hook_zstd_memory(&bytes));
 *     ZSTD_compressCCtx(context, to, to_size, from, from_size, 19);
 *     ZSTD_freeCCtx(context);
 *
 * zstd declares this in the part of its interface that may change between versions
 * (ZSTD_STATIC_LINKING_ONLY). A context that compresses with several workers allocates in their
 * threads and needs a locked handle; see acre/hooks/hook.h, for misuse too. ACRE_HOOK_ZSTD is 1
 * where zstd.h was found, else 0 and the header is empty.
 */
#ifndef ACRE_HOOKS_ZSTD_H
#define ACRE_HOOKS_ZSTD_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_ZSTD && defined __has_include
#if __has_include(<zstd.h>)
#define ACRE_HOOK_ZSTD 1
#endif
#endif
#ifndef ACRE_HOOK_ZSTD
#define ACRE_HOOK_ZSTD 0
#endif

#if ACRE_HOOK_ZSTD

#ifndef ZSTD_STATIC_LINKING_ONLY
#define ZSTD_STATIC_LINKING_ONLY
#endif
#include <zstd.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void *acre_hook_zstd_alloc(void *bytes, size_t size)
{
    return acre_hook_malloc(acre_hook_bytes(bytes), size);
}

static inline void acre_hook_zstd_free(void *bytes, void *ptr)
{
    acre_hook_free(acre_hook_bytes(bytes), ptr, "zstd customFree");
}

/**
 * What the *_advanced functions of zstd take.
 * @param bytes must stay where it is until the context is freed.
 */
static inline ZSTD_customMem acre_hook_zstd_memory(struct acre_bytes *bytes)
{
    ZSTD_customMem memory;
    memory.customAlloc = acre_hook_zstd_alloc;
    memory.customFree = acre_hook_zstd_free;
    memory.opaque = bytes;
    return memory;
}

#ifdef __cplusplus
}
#endif

#endif

#endif
