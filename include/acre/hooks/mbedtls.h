/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * mbedTLS over a handle (mbedtls_platform_set_calloc_free), for the whole program. A request that
 * the pool cannot serve ends in the failing module's own error, MBEDTLS_ERR_MPI_ALLOC_FAILED for
 * one.
 *
 *     acre_hook_mbedtls_install(bytes); // before any other call of mbedTLS
 *     mbedtls_mpi_read_string(&number, 10, "123456789");
 *     mbedtls_mpi_free(&number);
 *
 * The library must be built with MBEDTLS_PLATFORM_MEMORY; Debian's is not, and has no such
 * function: there the install function is not declared. Such a program can link the static
 * libraries with -Wl,--wrap=calloc,--wrap=free, call acre_hook_mbedtls_bind, and have its
 * __wrap_calloc and __wrap_free call acre_hook_mbedtls_calloc and acre_hook_mbedtls_free.
 *
 * mbedTLS keeps no memory between calls. The handle belongs to this source file; for threads and
 * misuse, see acre/hooks/hook.h. ACRE_HOOK_MBEDTLS is 1 where mbedtls/platform.h was found, else 0
 * and the header is empty.
 */
#ifndef ACRE_HOOKS_MBEDTLS_H
#define ACRE_HOOKS_MBEDTLS_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_MBEDTLS && defined __has_include
#if __has_include(<mbedtls/platform.h>)
#define ACRE_HOOK_MBEDTLS 1
#endif
#endif
#ifndef ACRE_HOOK_MBEDTLS
#define ACRE_HOOK_MBEDTLS 0
#endif

#if ACRE_HOOK_MBEDTLS

#include <mbedtls/platform.h>

#ifdef __cplusplus
extern "C" {
#endif

static struct acre_bytes acre_hook_mbedtls_bytes;

static inline void *acre_hook_mbedtls_calloc(size_t count, size_t size)
{
    return acre_hook_calloc(acre_hook_mbedtls_bytes, count, size);
}

static inline void acre_hook_mbedtls_free(void *ptr)
{
    acre_hook_free(acre_hook_mbedtls_bytes, ptr, "mbedtls_free");
}

/** Sets the handle of the two functions above, for a program that binds them in by itself. Not to
 * be called while anything of mbedTLS's lives. */
static inline void acre_hook_mbedtls_bind(struct acre_bytes bytes)
{
    acre_hook_mbedtls_bytes = bytes;
}

#if defined MBEDTLS_PLATFORM_MEMORY && !defined mbedtls_calloc
/**
 * Makes mbedTLS take all its memory from a handle. Must not be called while mbedTLS has live
 * objects. Declared where the library's configuration has MBEDTLS_PLATFORM_MEMORY.
 * @return 0.
 */
static inline int acre_hook_mbedtls_install(struct acre_bytes bytes)
{
    acre_hook_mbedtls_bind(bytes);
    return mbedtls_platform_set_calloc_free(acre_hook_mbedtls_calloc, acre_hook_mbedtls_free);
}
#endif

#ifdef __cplusplus
}
#endif

#endif

#endif
