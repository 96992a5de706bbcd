/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/import/unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { UNPACK_ROOM = 1 << 16, MAGIC_SIZE = 4 };

struct import_unpacker {
    FILE *in;
    ZSTD_DStream *stream; /* null: it is not compressed */
    unsigned char bytes[UNPACK_ROOM];
    ZSTD_inBuffer ahead; /* what is read and not used yet, in `bytes` */
    bool inside;         /* a frame has begun and not ended */
    const char *fault;
};

static bool fill_ahead(struct import_unpacker *unpacker)
{
    if (unpacker->ahead.pos < unpacker->ahead.size)
        return true;
    unpacker->ahead.size = fread(unpacker->bytes, 1, sizeof unpacker->bytes, unpacker->in);
    unpacker->ahead.pos = 0;
    return unpacker->ahead.size > 0;
}

static ssize_t copy_ahead(struct import_unpacker *unpacker, char *buffer, size_t size)
{
    if (!fill_ahead(unpacker))
        return ferror(unpacker->in) ? -1 : 0;
    size_t left = unpacker->ahead.size - unpacker->ahead.pos;
    size_t count = left < size ? left : size;
    memcpy(buffer, unpacker->bytes + unpacker->ahead.pos, count);
    unpacker->ahead.pos += count;
    return (ssize_t)count;
}

/* @return -1 */
static ssize_t unpack_fault(struct import_unpacker *unpacker, const char *fault)
{
    unpacker->fault = fault;
    errno = EIO;
    return -1;
}

static ssize_t unpack_read(void *cookie, char *buffer, size_t size)
{
    struct import_unpacker *unpacker = cookie;
    ZSTD_outBuffer out = { buffer, size, 0 };
    if (!unpacker->stream)
        return copy_ahead(unpacker, buffer, size);
    while (out.pos == 0) {
        if (!fill_ahead(unpacker)) {
            if (ferror(unpacker->in))
                return -1;
            return unpacker->inside ? unpack_fault(unpacker, "the compressed file is truncated")
                                    : 0;
        }
        size_t result = ZSTD_decompressStream(unpacker->stream, &out, &unpacker->ahead);
        if (ZSTD_isError(result))
            return unpack_fault(unpacker, ZSTD_getErrorName(result));
        unpacker->inside = result != 0;
    }
    return (ssize_t)out.pos;
}

FILE *import_unpack(FILE *in, struct import_unpacker **unpacker)
{
    static const unsigned char magic[MAGIC_SIZE] = { 0x28, 0xB5, 0x2F, 0xFD };
    struct import_unpacker *made = calloc(1, sizeof *made);
    *unpacker = made;
    if (!made)
        return NULL;
    made->in = in;
    made->ahead = (ZSTD_inBuffer){ made->bytes, 0, 0 };
    bool packed = fill_ahead(made) && made->ahead.size >= MAGIC_SIZE &&
                  memcmp(made->bytes, magic, MAGIC_SIZE) == 0;
    made->inside = packed;
    made->stream = packed ? ZSTD_createDStream() : NULL;
    if (packed && !made->stream)
        return NULL;
    return fopencookie(made, "r", (cookie_io_functions_t){ .read = unpack_read });
}

const char *import_unpack_fault(const struct import_unpacker *unpacker)
{
    return unpacker->fault;
}

void import_unpack_end(struct import_unpacker *unpacker)
{
    if (unpacker)
        ZSTD_freeDStream(unpacker->stream);
    free(unpacker);
}
