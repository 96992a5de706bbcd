/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * nghttp2 over a handle: each session, inflater and deflater can have its own pool. A request that
 * the pool cannot serve ends in NGHTTP2_ERR_NOMEM, after which a session can only be deleted; while
 * headers are compressed, it can also end in a GOAWAY with NGHTTP2_INTERNAL_ERROR.
 *
 *     nghttp2_mem memory = acre_hook_nghttp2_memory(&bytes);
 *     nghttp2_session_client_new3(&session, callbacks, user, NULL, &memory);
 *     nghttp2_session_del(session);
 *
 * Sessions in several threads over one pool need a locked handle; see acre/hooks/hook.h, for misuse
 * too. ACRE_HOOK_NGHTTP2 is 1 where nghttp2/nghttp2.h was found, else 0 and the header is empty.
 */
#ifndef ACRE_HOOKS_NGHTTP2_H
#define ACRE_HOOKS_NGHTTP2_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_NGHTTP2 && defined __has_include
#if __has_include(<nghttp2/nghttp2.h>)
#define ACRE_HOOK_NGHTTP2 1
#endif
#endif
#ifndef ACRE_HOOK_NGHTTP2
#define ACRE_HOOK_NGHTTP2 0
#endif

#if ACRE_HOOK_NGHTTP2

#include <nghttp2/nghttp2.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void *acre_hook_nghttp2_malloc(size_t size, void *bytes)
{
    return acre_hook_malloc(acre_hook_bytes(bytes), size);
}

static inline void acre_hook_nghttp2_free(void *ptr, void *bytes)
{
    acre_hook_free(acre_hook_bytes(bytes), ptr, "nghttp2 free");
}

static inline void *acre_hook_nghttp2_calloc(size_t count, size_t size, void *bytes)
{
    return acre_hook_calloc(acre_hook_bytes(bytes), count, size);
}

static inline void *acre_hook_nghttp2_realloc(void *ptr, size_t size, void *bytes)
{
    return acre_hook_realloc(acre_hook_bytes(bytes), ptr, size, "nghttp2 realloc");
}

/**
 * What the nghttp2 functions that take a nghttp2_mem are given; they copy it.
 * @param bytes must stay where it is until the session, inflater or deflater is deleted.
 */
static inline nghttp2_mem acre_hook_nghttp2_memory(struct acre_bytes *bytes)
{
    nghttp2_mem memory;
    memory.mem_user_data = bytes;
    memory.malloc = acre_hook_nghttp2_malloc;
    memory.free = acre_hook_nghttp2_free;
    memory.calloc = acre_hook_nghttp2_calloc;
    memory.realloc = acre_hook_nghttp2_realloc;
    return memory;
}

#ifdef __cplusplus
}
#endif

#endif

#endif
