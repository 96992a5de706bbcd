/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* zstd with every block from a pool: text compressed and restored. */
#include "hooks/pool.h"
#include "hooks/text.h"

#include <acre/hooks/zstd.h>
#include <zstd_errors.h>

enum { POOL = 16 << 20, TEXT = 200000 };

static unsigned char text[TEXT];
static unsigned char packed[TEXT];
static unsigned char unpacked[TEXT];

/* The number of bytes that a call made, or 0: no memory. */
static size_t made(size_t result)
{
    if (!ZSTD_isError(result))
        return result;
    assert_int_equal(ZSTD_getErrorCode(result), ZSTD_error_memory_allocation);
    return 0;
}

static size_t pack(struct pool *pool)
{
    ZSTD_CCtx *context = ZSTD_createCCtx_advanced(acre_hook_zstd_memory(&pool->bytes));
    if (context == NULL)
        return 0;
    size_t size = made(ZSTD_compressCCtx(context, packed, sizeof packed, text, TEXT, 5));
    ZSTD_freeCCtx(context);
    return size;
}

static size_t unpack(struct pool *pool, size_t size)
{
    ZSTD_DStream *stream = ZSTD_createDStream_advanced(acre_hook_zstd_memory(&pool->bytes));
    ZSTD_inBuffer in = { packed, size, 0 };
    ZSTD_outBuffer out = { unpacked, 0, 0 };
    size_t result = 1;
    if (stream == NULL)
        return 0;
    /* In pieces, so that the stream needs its window. */
    while (result != 0 && !ZSTD_isError(result) && out.size < TEXT) {
        out.size += 1000;
        result = ZSTD_decompressStream(stream, &out, &in);
    }
    made(result);
    ZSTD_freeDStream(stream);
    return ZSTD_isError(result) ? 0 : out.pos;
}

static enum outcome work(struct pool *pool)
{
    size_t size = pack(pool);
    assert_true(size < TEXT / 2);
    memset(unpacked, 0, sizeof unpacked);
    if (size == 0 || unpack(pool, size) == 0)
        return NO_MEMORY;
    assert_memory_equal(unpacked, text, TEXT);
    return DONE;
}

int main(void)
{
    static const struct pool_job job = { "packs and unpacks", work, POOL, 1 << 14 };
    text_fill(text, TEXT);
    return pool_run_job("zstd", &job);
}
