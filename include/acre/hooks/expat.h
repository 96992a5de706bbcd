/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * expat over a handle. Its memory functions get no pointer of the caller's, so all parsers that one
 * source file makes with this hook have one pool. A request that the pool cannot serve results in
 * XML_ERROR_NO_MEMORY, or in no parser.
 *
 *     XML_Memory_Handling_Suite suite = acre_hook_expat_install(bytes);
 *     XML_Parser parser = XML_ParserCreate_MM(NULL, &suite, NULL);
 *     XML_ParserFree(parser);
 *
 * For threads and misuse, see acre/hooks/hook.h. ACRE_HOOK_EXPAT is 1 where expat.h was found, else
 * 0 and the header is empty.
 */
#ifndef ACRE_HOOKS_EXPAT_H
#define ACRE_HOOKS_EXPAT_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_EXPAT && defined __has_include
#if __has_include(<expat.h>)
#define ACRE_HOOK_EXPAT 1
#endif
#endif
#ifndef ACRE_HOOK_EXPAT
#define ACRE_HOOK_EXPAT 0
#endif

#if ACRE_HOOK_EXPAT

#include <expat.h>

#ifdef __cplusplus
extern "C" {
#endif

static struct acre_bytes acre_hook_expat_bytes;

static inline void *acre_hook_expat_malloc(size_t size)
{
    return acre_hook_malloc(acre_hook_expat_bytes, size);
}

static inline void *acre_hook_expat_realloc(void *ptr, size_t size)
{
    return acre_hook_realloc(acre_hook_expat_bytes, ptr, size, "expat realloc_fcn");
}

static inline void acre_hook_expat_free(void *ptr)
{
    acre_hook_free(acre_hook_expat_bytes, ptr, "expat free_fcn");
}

/**
 * Sets the handle of the parsers of this source file.
 * @return what XML_ParserCreate_MM takes, and copies. Not to be called with another handle while a
 *         parser lives.
 */
static inline XML_Memory_Handling_Suite acre_hook_expat_install(struct acre_bytes bytes)
{
    XML_Memory_Handling_Suite suite;
    suite.malloc_fcn = acre_hook_expat_malloc;
    suite.realloc_fcn = acre_hook_expat_realloc;
    suite.free_fcn = acre_hook_expat_free;
    acre_hook_expat_bytes = bytes;
    return suite;
}

#ifdef __cplusplus
}
#endif

#endif

#endif
