/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Writing a trace to a file, inside one zstd frame with zstd's own content checksum. */
#include "trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

struct acre_trace_output {
    struct acre_trace_writer writer;
    ZSTD_CCtx *zstd;
    int fd;
    int error;
    unsigned char *compressed;
    unsigned char chunk[ACRE_TRACE_CHUNK_MAX];
};

static bool write_all(struct acre_trace_output *output, const unsigned char *bytes, size_t count)
{
    while (count) {
        ssize_t put = write(output->fd, bytes, count);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            output->error = errno;
            return false;
        }
        bytes += put;
        count -= (size_t)put;
    }
    return true;
}

/** Compresses `bytes`; with ZSTD_e_end completes the frame. */
static bool compress(
    struct acre_trace_output *output, const void *bytes, size_t count, ZSTD_EndDirective mode)
{
    ZSTD_inBuffer in = { bytes, count, 0 };
    size_t left;

    do {
        ZSTD_outBuffer out = { output->compressed, ZSTD_CStreamOutSize(), 0 };

        left = ZSTD_compressStream2(output->zstd, &out, &in, mode);
        if (ZSTD_isError(left)) {
            output->error = EIO;
            return false;
        }
        if (!write_all(output, output->compressed, out.pos))
            return false;
    } while (in.pos < in.size || (mode == ZSTD_e_end && left));
    return true;
}

static bool sink(void *user, const void *bytes, size_t count)
{
    return compress(user, bytes, count, ZSTD_e_continue);
}

static void release(struct acre_trace_output *output)
{
    if (output->fd >= 0)
        close(output->fd);
    ZSTD_freeCCtx(output->zstd);
    free(output->compressed);
    free(output);
}

static bool prepare(struct acre_trace_output *output, int level)
{
    output->zstd = ZSTD_createCCtx();
    output->compressed = malloc(ZSTD_CStreamOutSize());
    if (!output->zstd || !output->compressed) {
        errno = ENOMEM;
        return false;
    }
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_checksumFlag, 1);
    return true;
}

static int create_path(const char *path)
{
    if (strcmp(path, "-") == 0)
        return dup(STDOUT_FILENO);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

struct acre_trace_output *acre_trace_output_create(const char *path, int level)
{
    struct acre_trace_output *output = calloc(1, sizeof *output);

    if (!output)
        return NULL;
    output->fd = -1;
    if (prepare(output, level) && (output->fd = create_path(path)) >= 0) {
        const struct acre_trace_sink to = { sink, output };

        if (!acre_trace_writer_open(&output->writer, &to, output->chunk, sizeof output->chunk))
            return output;
        errno = output->error;
    }
    int error = errno;
    release(output);
    errno = error;
    return NULL;
}

struct acre_trace_writer *acre_trace_output_writer(struct acre_trace_output *output)
{
    return &output->writer;
}

enum acre_trace_status acre_trace_output_close(struct acre_trace_output *output)
{
    enum acre_trace_status status = acre_trace_writer_close(&output->writer, NULL);
    int error;

    if (status == ACRE_TRACE_OK && !compress(output, NULL, 0, ZSTD_e_end))
        status = ACRE_TRACE_WRITE_FAILED;
    if (close(output->fd) != 0 && status == ACRE_TRACE_OK) {
        output->error = errno;
        status = ACRE_TRACE_WRITE_FAILED;
    }
    output->fd = -1;
    error = output->error;
    release(output);
    errno = error;
    return status;
}
