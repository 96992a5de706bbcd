/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Writing a trace to a file, in zstd frames with zstd's own content checksum. */
#include "trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum {
    /* log2 of the window: 1 MiB, lest a hundred parts at once need gigabytes. */
    WINDOW_LOG = 20,
    CHUNK = 32768
};

struct acre_trace_output {
    struct acre_trace_writer writer;
    ZSTD_CCtx *zstd;
    int fd;
    int error;
    bool is_part;
    bool in_frame; /* bytes have been compressed that no frame end has followed */
    unsigned char *compressed;
    unsigned char chunk[CHUNK];
};

static bool write_to_file(
    struct acre_trace_output *output, const unsigned char *bytes, size_t count)
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
        if (!write_to_file(output, output->compressed, out.pos))
            return false;
    } while (in.pos < in.size || (mode == ZSTD_e_end && left));
    return true;
}

static bool sink(void *user, const void *bytes, size_t count)
{
    struct acre_trace_output *output = user;

    output->in_frame = true;
    return compress(output, bytes, count, ZSTD_e_continue);
}

/** Completes the frame that is open, if one is. */
static bool end_frame(struct acre_trace_output *output)
{
    const bool was_open = output->in_frame;

    output->in_frame = false;
    return !was_open || compress(output, NULL, 0, ZSTD_e_end);
}

static void free_output(struct acre_trace_output *output)
{
    if (output->fd >= 0)
        close(output->fd);
    ZSTD_freeCCtx(output->zstd);
    free(output->compressed);
    free(output);
}

static bool prepare_output(struct acre_trace_output *output, int level)
{
    output->zstd = ZSTD_createCCtx();
    output->compressed = malloc(ZSTD_CStreamOutSize());
    if (!output->zstd || !output->compressed) {
        errno = ENOMEM;
        return false;
    }
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_windowLog, WINDOW_LOG);
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_checksumFlag, 1);
    return true;
}

static int create_path(const char *path)
{
    if (strcmp(path, "-") == 0)
        return dup(STDOUT_FILENO);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

/** The object, its file open, nothing written; null with errno set. */
static struct acre_trace_output *create_output(const char *path, int level, bool is_part)
{
    struct acre_trace_output *output = calloc(1, sizeof *output);
    int error;

    if (!output)
        return NULL;
    output->is_part = is_part;
    output->fd = -1;
    if (prepare_output(output, level)) {
        output->fd =
            is_part ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : create_path(path);
        if (output->fd >= 0)
            return output;
    }
    error = errno;
    free_output(output);
    errno = error;
    return NULL;
}

struct acre_trace_output *acre_trace_output_create(const char *path, int level)
{
    struct acre_trace_output *output = create_output(path, level, false);
    const struct acre_trace_sink to = { sink, output };
    int error;

    if (!output || !acre_trace_writer_open(&output->writer, &to, output->chunk, CHUNK))
        return output;
    error = output->error;
    free_output(output);
    errno = error;
    return NULL;
}

struct acre_trace_output *acre_trace_output_create_part(const char *path, int level)
{
    struct acre_trace_output *output = create_output(path, level, true);
    const struct acre_trace_sink to = { sink, output };

    if (output)
        (void)acre_trace_writer_open_part(&output->writer, &to, output->chunk, CHUNK);
    return output;
}

struct acre_trace_writer *acre_trace_output_writer(struct acre_trace_output *output)
{
    return &output->writer;
}

/** Copies the rest of `from` to the file. */
static bool copy_all(struct acre_trace_output *output, int from)
{
    ssize_t got;

    while ((got = read(from, output->compressed, ZSTD_CStreamOutSize())) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            output->error = errno;
        if (got < 0 || !write_to_file(output, output->compressed, (size_t)got))
            return false;
    }
    return true;
}

enum acre_trace_status acre_trace_output_append(
    struct acre_trace_output *output, const char *part, const struct acre_trace_totals *totals)
{
    struct acre_trace_totals *sums = &output->writer.totals;
    int from;
    bool copied;

    if (output->writer.in_process)
        return ACRE_TRACE_INVALID_PARAM;
    from = open(part, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return ACRE_TRACE_WRITE_FAILED;
    copied = acre_trace_writer_flush(&output->writer) == ACRE_TRACE_OK && end_frame(output) &&
             copy_all(output, from);
    close(from);
    errno = output->error;
    if (!copied)
        return ACRE_TRACE_WRITE_FAILED;
    sums->processes += totals->processes;
    sums->events += totals->events;
    sums->lost += totals->lost;
    sums->unmatched += totals->unmatched;
    return ACRE_TRACE_OK;
}

/** What remains to be written when the file is closed. */
static enum acre_trace_status write_end(struct acre_trace_output *output)
{
    enum acre_trace_status status;

    if (output->is_part)
        status = output->writer.in_process ? ACRE_TRACE_INVALID_PARAM
                                           : acre_trace_writer_flush(&output->writer);
    else
        status = acre_trace_writer_close(&output->writer, NULL);
    if (status == ACRE_TRACE_OK && !end_frame(output))
        status = ACRE_TRACE_WRITE_FAILED;
    return status;
}

enum acre_trace_status acre_trace_output_close(struct acre_trace_output *output)
{
    enum acre_trace_status status = write_end(output);
    int error;

    if (close(output->fd) != 0 && status == ACRE_TRACE_OK) {
        output->error = errno;
        status = ACRE_TRACE_WRITE_FAILED;
    }
    output->fd = -1;
    error = output->error;
    free_output(output);
    errno = error;
    return status;
}
