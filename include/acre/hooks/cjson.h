/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * cJSON over a handle (cJSON_InitHooks), for the whole program. A request that the pool cannot
 * serve results in a null pointer.
 *
 *     acre_hook_cjson_install(bytes);
 *     cJSON *json = cJSON_Parse(text);
 *     cJSON_Delete(json);
 *
 * cJSON keeps no memory between calls. The handle belongs to this source file; for threads and
 * misuse, see acre/hooks/hook.h. ACRE_HOOK_CJSON is 1 where cjson/cJSON.h was found, else 0 and the
 * header is empty.
 */
#ifndef ACRE_HOOKS_CJSON_H
#define ACRE_HOOKS_CJSON_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_CJSON && defined __has_include
#if __has_include(<cjson/cJSON.h>)
#define ACRE_HOOK_CJSON 1
#endif
#endif
#ifndef ACRE_HOOK_CJSON
#define ACRE_HOOK_CJSON 0
#endif

#if ACRE_HOOK_CJSON

#include <cjson/cJSON.h>

#ifdef __cplusplus
extern "C" {
#endif

static struct acre_bytes acre_hook_cjson_bytes;

static inline void *CJSON_CDECL acre_hook_cjson_malloc(size_t size)
{
    return acre_hook_malloc(acre_hook_cjson_bytes, size);
}

static inline void CJSON_CDECL acre_hook_cjson_free(void *ptr)
{
    acre_hook_free(acre_hook_cjson_bytes, ptr, "cJSON free_fn");
}

/** Makes cJSON take all its memory from a handle. Must not be called while cJSON has live objects.
 */
static inline void acre_hook_cjson_install(struct acre_bytes bytes)
{
    cJSON_Hooks hooks;
    hooks.malloc_fn = acre_hook_cjson_malloc;
    hooks.free_fn = acre_hook_cjson_free;
    acre_hook_cjson_bytes = bytes;
    cJSON_InitHooks(&hooks);
}

#ifdef __cplusplus
}
#endif

#endif

#endif
