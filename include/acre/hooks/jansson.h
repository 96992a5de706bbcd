/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * jansson over a handle (json_set_alloc_funcs), for the whole program. A request that the pool
 * cannot serve results in a null pointer or -1. What the parser then puts into its json_error_t can
 * be another code than json_error_out_of_memory.
 *
 *     acre_hook_jansson_install(bytes);
 *     json_t *json = json_loads(text, 0, &error);
 *     json_decref(json);
 *
 * jansson keeps no memory between calls. Free what json_dumps returns with acre_hook_jansson_free.
 * The handle belongs to this source file; see acre/hooks/hook.h for threads and misuse.
 * ACRE_HOOK_JANSSON is 1 where jansson.h was found, else 0 and the header is empty.
 */
#ifndef ACRE_HOOKS_JANSSON_H
#define ACRE_HOOKS_JANSSON_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_JANSSON && defined __has_include
#if __has_include(<jansson.h>)
#define ACRE_HOOK_JANSSON 1
#endif
#endif
#ifndef ACRE_HOOK_JANSSON
#define ACRE_HOOK_JANSSON 0
#endif

#if ACRE_HOOK_JANSSON

#include <jansson.h>

#ifdef __cplusplus
extern "C" {
#endif

static struct acre_bytes acre_hook_jansson_bytes;

static inline void *acre_hook_jansson_malloc(size_t size)
{
    return acre_hook_malloc(acre_hook_jansson_bytes, size);
}

/** Frees a string that jansson allocated, as json_dumps does. */
static inline void acre_hook_jansson_free(void *ptr)
{
    acre_hook_free(acre_hook_jansson_bytes, ptr, "jansson free");
}

/** Makes jansson take all its memory from a handle. Must not be called while jansson
 * has live objects. */
static inline void acre_hook_jansson_install(struct acre_bytes bytes)
{
    acre_hook_jansson_bytes = bytes;
    json_set_alloc_funcs(acre_hook_jansson_malloc, acre_hook_jansson_free);
}

#ifdef __cplusplus
}
#endif

#endif

#endif
