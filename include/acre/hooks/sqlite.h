/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * SQLite over a handle (SQLITE_CONFIG_MALLOC), for the whole program. A request that the pool
 * cannot serve results in SQLITE_NOMEM, and the connection goes on.
 *
 *     sqlite3_shutdown(); // only where SQLite was used before
 *     if (acre_hook_sqlite_install(bytes) == SQLITE_OK)
 *         sqlite3_open(":memory:", &db);
 *
 * After sqlite3_shutdown() no block is live, if every connection was closed. The handle belongs to
 * this source file; for threads and misuse, see acre/hooks/hook.h. SQLite calls xSize without a
 * lock of its own, so with several threads the handle has to be a locked one.
 *
 * ACRE_HOOK_SQLITE is 1 where sqlite3.h was found, else 0 and the header is empty.
 */
#ifndef ACRE_HOOKS_SQLITE_H
#define ACRE_HOOKS_SQLITE_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_SQLITE && defined __has_include
#if __has_include(<sqlite3.h>)
#define ACRE_HOOK_SQLITE 1
#endif
#endif
#ifndef ACRE_HOOK_SQLITE
#define ACRE_HOOK_SQLITE 0
#endif

#if ACRE_HOOK_SQLITE

#include <limits.h>
#include <sqlite3.h>

#ifdef __cplusplus
extern "C" {
#endif

static struct acre_bytes acre_hook_sqlite_bytes;

static inline void *acre_hook_sqlite_malloc(int size)
{
    return acre_hook_malloc(acre_hook_sqlite_bytes, (size_t)size);
}

static inline void acre_hook_sqlite_free(void *ptr)
{
    acre_hook_free(acre_hook_sqlite_bytes, ptr, "sqlite xFree");
}

static inline void *acre_hook_sqlite_realloc(void *ptr, int size)
{
    return acre_hook_realloc(acre_hook_sqlite_bytes, ptr, (size_t)size, "sqlite xRealloc");
}

/* SQLite's own accounts are sums of these, so the same block always has the same size. */
static inline int acre_hook_sqlite_size(void *ptr)
{
    size_t size = acre_hook_usable_size(acre_hook_sqlite_bytes, ptr, "sqlite xSize");
    /* NOT-COVERED: SQLite has no block of 2 GiB */
    return size < (size_t)INT_MAX ? (int)size : INT_MAX;
}

/* SQLite never asks for more than 0x7fffff00 bytes: this does not overflow. */
static inline int acre_hook_sqlite_roundup(int size)
{
    return (size + 7) / 8 * 8;
}

static inline int acre_hook_sqlite_init(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static inline void acre_hook_sqlite_shutdown(void *unused)
{
    (void)unused;
}

/**
 * Has SQLite take all its memory from a handle, from its next initialisation on.
 * @return SQLITE_OK; SQLITE_MISUSE: SQLite is initialised (sqlite3_shutdown() first); nothing has
 *         changed then.
 */
static inline int acre_hook_sqlite_install(struct acre_bytes bytes)
{
    sqlite3_mem_methods methods;
    methods.xMalloc = acre_hook_sqlite_malloc;
    methods.xFree = acre_hook_sqlite_free;
    methods.xRealloc = acre_hook_sqlite_realloc;
    methods.xSize = acre_hook_sqlite_size;
    methods.xRoundup = acre_hook_sqlite_roundup;
    methods.xInit = acre_hook_sqlite_init;
    methods.xShutdown = acre_hook_sqlite_shutdown;
    methods.pAppData = NULL;
    int result = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    if (result == SQLITE_OK)
        acre_hook_sqlite_bytes = bytes;
    return result;
}

#ifdef __cplusplus
}
#endif

#endif

#endif
