/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * libcurl over a handle (curl_global_init_mem), for the whole program. A request that the pool
 * cannot serve results in CURLE_OUT_OF_MEMORY, or in a null handle or list.
 *
 *     acre_hook_curl_install(bytes, CURL_GLOBAL_DEFAULT); // in place of curl_global_init
 *     CURL *curl = curl_easy_init();
 *     curl_easy_cleanup(curl); // curl_global_cleanup() at the end
 *
 * What libcurl calls (TLS, zlib, the resolver of the system) keeps its own memory. libcurl resolves
 * names in threads, and allocates there: a program that uses the network needs a locked handle. The
 * handle belongs to this source file; for misuse, see acre/hooks/hook.h. ACRE_HOOK_CURL is 1 where
 * curl/curl.h was found, else 0 and the header is empty.
 */
#ifndef ACRE_HOOKS_CURL_H
#define ACRE_HOOKS_CURL_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_CURL && defined __has_include
#if __has_include(<curl/curl.h>)
#define ACRE_HOOK_CURL 1
#endif
#endif
#ifndef ACRE_HOOK_CURL
#define ACRE_HOOK_CURL 0
#endif

#if ACRE_HOOK_CURL

#include <curl/curl.h>

#ifdef __cplusplus
extern "C" {
#endif

static struct acre_bytes acre_hook_curl_bytes;

static inline void *acre_hook_curl_malloc(size_t size)
{
    return acre_hook_malloc(acre_hook_curl_bytes, size);
}

static inline void acre_hook_curl_free(void *ptr)
{
    acre_hook_free(acre_hook_curl_bytes, ptr, "curl free");
}

static inline void *acre_hook_curl_realloc(void *ptr, size_t size)
{
    return acre_hook_realloc(acre_hook_curl_bytes, ptr, size, "curl realloc");
}

static inline char *acre_hook_curl_strdup(const char *text)
{
    return acre_hook_strdup(acre_hook_curl_bytes, text);
}

static inline void *acre_hook_curl_calloc(size_t count, size_t size)
{
    return acre_hook_calloc(acre_hook_curl_bytes, count, size);
}

/**
 * Initialises libcurl with all its own memory from a handle.
 * @param flags as curl_global_init takes them.
 * @return CURLE_OK, or why libcurl failed. To be called once, before any other function of libcurl
 *         or after curl_global_cleanup(): libcurl ignores memory functions given to it later.
 */
static inline CURLcode acre_hook_curl_install(struct acre_bytes bytes, long flags)
{
    acre_hook_curl_bytes = bytes;
    return curl_global_init_mem(flags, acre_hook_curl_malloc, acre_hook_curl_free,
        acre_hook_curl_realloc, acre_hook_curl_strdup, acre_hook_curl_calloc);
}

#ifdef __cplusplus
}
#endif

#endif

#endif
