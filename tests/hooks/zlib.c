/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* zlib with every block from a pool: text compressed and restored, piece by piece. */
#include "hooks/pool.h"
#include "hooks/text.h"

#include <acre/hooks/zlib.h>

enum { POOL = 4 << 20, TEXT = 100000, PIECE = 5000 };

static unsigned char text[TEXT];
static unsigned char packed[TEXT];
static unsigned char unpacked[TEXT];

/* Compresses the text; the number of bytes it makes, or 0: no memory. */
static size_t pack(struct pool *pool)
{
    z_stream stream;
    acre_hook_zlib_bind(&stream, &pool->bytes);
    int result = deflateInit(&stream, 9);
    if (result != Z_OK) {
        assert_int_equal(result, Z_MEM_ERROR);
        return 0;
    }
    stream.next_in = text;
    stream.avail_in = TEXT;
    stream.next_out = packed;
    stream.avail_out = sizeof packed;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&stream), Z_OK);
    return stream.total_out;
}

/* Restores it in pieces, so that inflate needs its window. */
static enum outcome unpack(struct pool *pool, size_t size)
{
    z_stream stream;
    acre_hook_zlib_bind(&stream, &pool->bytes);
    int result = inflateInit(&stream);
    stream.next_in = packed;
    stream.avail_in = (uInt)size;
    stream.next_out = unpacked;
    while (result == Z_OK) {
        stream.avail_out = PIECE;
        result = inflate(&stream, Z_NO_FLUSH);
    }
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR)
        return NO_MEMORY;
    assert_int_equal(result, Z_STREAM_END);
    assert_memory_equal(unpacked, text, TEXT);
    return DONE;
}

static enum outcome work(struct pool *pool)
{
    size_t size = pack(pool);
    assert_true(size < TEXT / 2);
    memset(unpacked, 0, sizeof unpacked);
    return size != 0 ? unpack(pool, size) : NO_MEMORY;
}

int main(void)
{
    static const struct pool_job job = { "packs and unpacks", work, POOL, 1 << 12 };
    text_fill(text, TEXT);
    return pool_run_job("zlib", &job);
}
