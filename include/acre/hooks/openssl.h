/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * OpenSSL (1.1.0 and newer) over a handle (CRYPTO_set_mem_functions), for the whole program. A
 * request that the pool cannot serve ends in the failing call's own error value, and mostly in
 * ERR_R_MALLOC_FAILURE in the error queue (EVP_MD_CTX_new, for one, leaves nothing there).
 *
 *     if (acre_hook_openssl_install(bytes) != 1)
 *         return 1; // something of OpenSSL's was used before
 *     EVP_MD_CTX *context = EVP_MD_CTX_new();
 *
 * OpenSSL gives its own state back in OPENSSL_cleanup(), which it calls by itself at exit: the pool
 * must live until then. The secure heap (OPENSSL_secure_malloc) is another one and stays so. The
 * handle belongs to this source file; for threads and misuse, see acre/hooks/hook.h.
 * ACRE_HOOK_OPENSSL is 1 where openssl/crypto.h was found, else 0 and the header is empty.
 */
#ifndef ACRE_HOOKS_OPENSSL_H
#define ACRE_HOOKS_OPENSSL_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_OPENSSL && defined __has_include
#if __has_include(<openssl/opensslconf.h>)
#define ACRE_HOOK_OPENSSL 1
#endif
#endif
#ifndef ACRE_HOOK_OPENSSL
#define ACRE_HOOK_OPENSSL 0
#endif

#if ACRE_HOOK_OPENSSL

#include <openssl/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

static struct acre_bytes acre_hook_openssl_bytes;

/* Size 0 as OpenSSL's own functions have it: no block. */
static inline void *acre_hook_openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size ? acre_hook_malloc(acre_hook_openssl_bytes, size) : NULL;
}

static inline void *acre_hook_openssl_realloc(void *ptr, size_t size, const char *file, int line)
{
    if (ptr == NULL)
        return acre_hook_openssl_malloc(size, file, line);
    return acre_hook_realloc(acre_hook_openssl_bytes, ptr, size, "OPENSSL_realloc");
}

static inline void acre_hook_openssl_free(void *ptr, const char *file, int line)
{
    (void)file;
    (void)line;
    acre_hook_free(acre_hook_openssl_bytes, ptr, "OPENSSL_free");
}

/**
 * Has OpenSSL take all its memory, but for its secure heap, from a handle. To be called once:
 * OpenSSL would take a second handle, and give it blocks of the first.
 * @return 1; 0: OpenSSL has allocated by itself before, and nothing has changed.
 */
static inline int acre_hook_openssl_install(struct acre_bytes bytes)
{
    int result = CRYPTO_set_mem_functions(
        acre_hook_openssl_malloc, acre_hook_openssl_realloc, acre_hook_openssl_free);
    if (result == 1)
        acre_hook_openssl_bytes = bytes;
    return result;
}

#ifdef __cplusplus
}
#endif

#endif

#endif
