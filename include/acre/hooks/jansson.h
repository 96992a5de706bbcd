/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * jansson over a handle (json_set_alloc_funcs), for the whole program. A request that the pool
 * cannot serve ends in a null pointer or -1. What the parser then puts into its json_error_t can be
 * another code than json_error_out_of_memory.
 *
 *     acre_hook_jansson_install(bytes);
 *     json_t *json = json_loads(text, 0, &error);
 *     json_decref(json);
 *
 * jansson keeps nothing of its own. What json_dumps returns goes back with acre_hook_jansson_free.
 * The handle is this source file's; threads and misuse: acre/hooks/hook.h. ACRE_HOOK_JANSSON is 1
 * where jansson.h was found, else 0 and the header is empty.
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

/** Gives back a string that jansson made, with json_dumps for one. */
static inline void acre_hook_jansson_free(void *ptr)
{
    acre_hook_free(acre_hook_jansson_bytes, ptr, "jansson free");
}

/** Has jansson take all its memory from a handle. Not to be called while anything of jansson's
 * lives. */
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
