/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * libxml2 over a handle (xmlMemSetup), for the whole program. A request that the pool cannot serve
 * results in no document and XML_ERR_NO_MEMORY.
 *
 *     acre_hook_libxml2_install(bytes); // before any other call of libxml2
 *     xmlDocPtr document = xmlReadMemory(text, length, NULL, NULL, 0);
 *     xmlFreeDoc(document);
 *
 * After xmlCleanupParser() no block is live. The handle belongs to this source file; for threads
 * and misuse, see acre/hooks/hook.h. ACRE_HOOK_LIBXML2 is 1 where libxml/xmlmemory.h was found,
 * else 0 and the header is empty.
 */
#ifndef ACRE_HOOKS_LIBXML2_H
#define ACRE_HOOKS_LIBXML2_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_LIBXML2 && defined __has_include
#if __has_include(<libxml/xmlmemory.h>)
#define ACRE_HOOK_LIBXML2 1
#endif
#endif
#ifndef ACRE_HOOK_LIBXML2
#define ACRE_HOOK_LIBXML2 0
#endif

#if ACRE_HOOK_LIBXML2

#include <libxml/xmlmemory.h>

#ifdef __cplusplus
extern "C" {
#endif

static struct acre_bytes acre_hook_libxml2_bytes;

static inline void *acre_hook_libxml2_malloc(size_t size)
{
    return acre_hook_malloc(acre_hook_libxml2_bytes, size);
}

static inline void *acre_hook_libxml2_realloc(void *ptr, size_t size)
{
    return acre_hook_realloc(acre_hook_libxml2_bytes, ptr, size, "libxml2 xmlRealloc");
}

static inline void acre_hook_libxml2_free(void *ptr)
{
    acre_hook_free(acre_hook_libxml2_bytes, ptr, "libxml2 xmlFree");
}

static inline char *acre_hook_libxml2_strdup(const char *text)
{
    return acre_hook_strdup(acre_hook_libxml2_bytes, text);
}

/**
 * Makes libxml2 take all its memory from a handle.
 * @return 0; -1: libxml2 refused. To be called before any other function of libxml2, or after
 *         xmlCleanupParser(): blocks of another allocator must not come back to this one.
 */
static inline int acre_hook_libxml2_install(struct acre_bytes bytes)
{
    acre_hook_libxml2_bytes = bytes;
    return xmlMemSetup(acre_hook_libxml2_free, acre_hook_libxml2_malloc, acre_hook_libxml2_realloc,
        acre_hook_libxml2_strdup);
}

#ifdef __cplusplus
}
#endif

#endif

#endif
