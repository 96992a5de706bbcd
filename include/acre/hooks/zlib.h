/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * zlib over a handle: each stream can have its own pool. A pool that cannot hold a stream's state
 * results in Z_MEM_ERROR from deflateInit or inflateInit, or from inflate, which allocates its
 * window later.
 *
 *     z_stream stream;
 *     acre_hook_zlib_bind(&stream, &bytes);
 *     deflateInit(&stream, 9); // ... deflateEnd(&stream)
 *
 * Streams in several threads over one pool need a locked handle; see acre/hooks/hook.h, for misuse
 * too. ACRE_HOOK_ZLIB is 1 where zlib.h was found, else 0 and the header is empty.
 */
#ifndef ACRE_HOOKS_ZLIB_H
#define ACRE_HOOKS_ZLIB_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_ZLIB && defined __has_include
#if __has_include(<zlib.h>)
#define ACRE_HOOK_ZLIB 1
#endif
#endif
#ifndef ACRE_HOOK_ZLIB
#define ACRE_HOOK_ZLIB 0
#endif

#if ACRE_HOOK_ZLIB

#include <zlib.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void *acre_hook_zlib_alloc(void *bytes, uInt items, uInt size)
{
    return acre_hook_malloc_array(acre_hook_bytes(bytes), items, size);
}

static inline void acre_hook_zlib_free(void *bytes, void *ptr)
{
    acre_hook_free(acre_hook_bytes(bytes), ptr, "zlib zfree");
}

/**
 * Empties a stream and has it take its memory from a handle; deflateInit or inflateInit come next.
 * @param stream any contents.
 * @param bytes  must stay where it is until deflateEnd or inflateEnd.
 */
static inline void acre_hook_zlib_bind(z_stream *stream, struct acre_bytes *bytes)
{
    memset(stream, 0, sizeof *stream);
    stream->zalloc = acre_hook_zlib_alloc;
    stream->zfree = acre_hook_zlib_free;
    stream->opaque = bytes;
}

#ifdef __cplusplus
}
#endif

#endif

#endif
