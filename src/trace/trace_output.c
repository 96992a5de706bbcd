/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * Writing a trace to a file, in zstd frames with zstd's own content checksum.
 *
 * Sections that are written at the same time share the file: the first writes its frames as they
 * are, the others put theirs into slices. A slice is a skippable frame and stands between frames,
 * so the first section's frame ends before one. Whatever moment writing ends at, what the file
 * holds until then can be read.
 */
#include "trace_file.h"
#include "trace_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum {
    /* log2 of the window: 1 MiB, lest a hundred sections at once need gigabytes. */
    WINDOW_LOG = 20,
    CHUNK = 32768
};

struct acre_trace_output {
    struct acre_trace_writer writer;
    struct acre_trace_output *whole; /* itself, but for a section */
    ZSTD_CCtx *zstd;
    uint32_t number;      /* its slices carry it; 0: written as it is */
    bool in_frame;        /* bytes have been compressed that no frame end has followed */
    bool is_flushed;      /* all that was compressed is in the file */
    unsigned char *slice; /* a slice's header, and behind it what zstd has compressed */
    /* Of the whole: */
    int fd;
    int error; /* errno of the first failure, or 0; nothing is written after it */
    uint32_t sections;
    uint32_t open_sections;
    struct acre_trace_output *first; /* section written as it is; null: not open */
    int level;
    unsigned char chunk[CHUNK];
};

/* ---- bytes ---- */

static bool write_to_file(struct acre_trace_output *whole, const unsigned char *bytes, size_t count)
{
    while (count && !whole->error) {
        ssize_t put = write(whole->fd, bytes, count);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            whole->error = errno;
            break;
        }
        bytes += put;
        count -= (size_t)put;
    }
    return !whole->error;
}

static unsigned char *compressed(const struct acre_trace_output *output)
{
    return output->slice + WIRE_SLICE_HEADER_SIZE;
}

/** One step of zstd's: the result goes behind the room for a slice's header, `*left` is what zstd
 * returned. Returns its length. */
static size_t compress_step(
    struct acre_trace_output *output, ZSTD_inBuffer *in, ZSTD_EndDirective mode, size_t *left)
{
    ZSTD_outBuffer out = { compressed(output), ZSTD_CStreamOutSize(), 0 };

    *left = ZSTD_compressStream2(output->zstd, &out, in, mode);
    if (!ZSTD_isError(*left))
        return out.pos;
    if (!output->whole->error)
        output->whole->error = EIO;
    *left = 0;
    return 0;
}

/** Ends the frame of the section that is written as it is, if one is open. */
static bool end_first_frame(struct acre_trace_output *whole)
{
    struct acre_trace_output *first = whole->first;
    ZSTD_inBuffer in = { NULL, 0, 0 };
    size_t left = first && first->in_frame;

    while (left) {
        size_t count = compress_step(first, &in, ZSTD_e_end, &left);

        if (!write_to_file(whole, compressed(first), count))
            return false;
    }
    if (first)
        first->in_frame = false;
    return !whole->error;
}

/** Writes what compress_step() made. */
static bool put_compressed(struct acre_trace_output *output, size_t count)
{
    struct acre_trace_output *whole = output->whole;

    if (whole->error || count == 0)
        return !whole->error;
    if (output->number == 0)
        return write_to_file(whole, compressed(output), count);
    wire_put_u32(output->slice, WIRE_SLICE_MAGIC);
    wire_put_u32(output->slice + 4, (uint32_t)count + WIRE_SLICE_OWN_SIZE);
    wire_put_u32(output->slice + 8, WIRE_SLICE_TAG);
    wire_put_u32(output->slice + 12, output->number);
    return end_first_frame(whole) &&
           write_to_file(whole, output->slice, WIRE_SLICE_HEADER_SIZE + count);
}

/** Compresses `bytes`; with ZSTD_e_flush and ZSTD_e_end all of it goes into the file. */
static bool compress(
    struct acre_trace_output *output, const void *bytes, size_t count, ZSTD_EndDirective mode)
{
    ZSTD_inBuffer in = { bytes, count, 0 };
    size_t left;

    do {
        size_t made = compress_step(output, &in, mode, &left);

        if (!put_compressed(output, made))
            return false;
    } while (in.pos < in.size || (mode != ZSTD_e_continue && left));
    return true;
}

static bool sink(void *user, const void *bytes, size_t count)
{
    struct acre_trace_output *output = user;

    output->in_frame = true;
    output->is_flushed = false;
    return compress(output, bytes, count, ZSTD_e_continue);
}

/** Completes the frame that is open, if one is. */
static bool end_frame(struct acre_trace_output *output)
{
    const bool was_open = output->in_frame;

    output->in_frame = false;
    output->is_flushed = true;
    return !was_open || compress(output, NULL, 0, ZSTD_e_end);
}

/* ---- making ---- */

static void free_output(struct acre_trace_output *output)
{
    if (output->whole == output && output->fd >= 0)
        close(output->fd);
    ZSTD_freeCCtx(output->zstd);
    free(output->slice);
    free(output);
}

static bool prepare_output(struct acre_trace_output *output, int level)
{
    output->zstd = ZSTD_createCCtx();
    output->slice = malloc(WIRE_SLICE_HEADER_SIZE + ZSTD_CStreamOutSize());
    if (!output->zstd || !output->slice)
        return false;
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_windowLog, WINDOW_LOG);
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_checksumFlag, 1);
    return true;
}

/** The object, nothing written; null: there is no memory. `fd` is left alone. */
static struct acre_trace_output *new_output(struct acre_trace_output *whole, int level)
{
    struct acre_trace_output *output = calloc(1, sizeof *output);

    if (!output)
        return NULL;
    output->whole = whole ? whole : output;
    output->fd = -1;
    output->is_flushed = true;
    output->level = level;
    if (prepare_output(output, level))
        return output;
    free_output(output);
    return NULL;
}

static int create_path(const char *path)
{
    if (strcmp(path, "-") == 0)
        return dup(STDOUT_FILENO);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

struct acre_trace_output *acre_trace_output_create_on(int fd, int level)
{
    struct acre_trace_output *output = new_output(NULL, level);
    const struct acre_trace_sink to = { sink, output };
    int error;

    if (!output) {
        close(fd);
        errno = ENOMEM;
        return NULL;
    }
    output->fd = fd;
    if (!acre_trace_writer_open(&output->writer, &to, output->chunk, CHUNK))
        return output;
    error = output->error;
    free_output(output);
    errno = error;
    return NULL;
}

struct acre_trace_output *acre_trace_output_create(const char *path, int level)
{
    int fd = create_path(path);

    return fd < 0 ? NULL : acre_trace_output_create_on(fd, level);
}

struct acre_trace_output *acre_trace_output_section(struct acre_trace_output *whole)
{
    struct acre_trace_output *section;
    struct acre_trace_sink to = { sink, NULL };

    if (whole->writer.in_process || !end_frame(whole)) {
        errno = whole->error ? whole->error : EINVAL;
        return NULL;
    }
    section = new_output(whole, whole->level);
    if (!section) {
        errno = ENOMEM;
        return NULL;
    }
    to.user = section;
    (void)acre_trace_writer_open_part(&section->writer, &to, section->chunk, CHUNK);
    section->number = whole->sections++;
    whole->open_sections++;
    if (section->number == 0)
        whole->first = section;
    return section;
}

struct acre_trace_writer *acre_trace_output_writer(struct acre_trace_output *output)
{
    return &output->writer;
}

/* ---- ends ---- */

enum acre_trace_status acre_trace_output_flush(struct acre_trace_output *output)
{
    bool flushed =
        !output->whole->error && acre_trace_writer_flush(&output->writer) == ACRE_TRACE_OK;

    if (flushed && output->in_frame && !output->is_flushed)
        flushed = compress(output, NULL, 0, ZSTD_e_flush);
    output->is_flushed = true;
    errno = output->whole->error;
    return flushed ? ACRE_TRACE_OK : ACRE_TRACE_WRITE_FAILED;
}

/** What remains to be written of a section. */
static enum acre_trace_status write_section_end(struct acre_trace_output *section)
{
    struct acre_trace_output *whole = section->whole;
    struct acre_trace_totals *sums = &whole->writer.totals;
    const struct acre_trace_totals *totals = &section->writer.totals;
    enum acre_trace_status status = acre_trace_writer_flush(&section->writer);

    whole->open_sections--;
    if (status == ACRE_TRACE_OK && !end_frame(section))
        status = ACRE_TRACE_WRITE_FAILED;
    if (whole->first == section)
        whole->first = NULL;
    sums->processes += totals->processes;
    sums->events += totals->events;
    sums->lost += totals->lost;
    sums->unmatched += totals->unmatched;
    return section->writer.in_process ? ACRE_TRACE_INVALID_PARAM : status;
}

/** What remains to be written of the whole: the end record, behind all slices if there are any. */
static enum acre_trace_status write_end(struct acre_trace_output *whole)
{
    enum acre_trace_status status;

    if (whole->open_sections)
        return ACRE_TRACE_INVALID_PARAM;
    if (whole->sections > 1)
        whole->number = WIRE_SLICE_END;
    status = acre_trace_writer_close(&whole->writer, NULL);
    if (status == ACRE_TRACE_OK && (!end_frame(whole) || whole->error))
        status = ACRE_TRACE_WRITE_FAILED;
    return status;
}

static enum acre_trace_status close_file(struct acre_trace_output *whole)
{
    enum acre_trace_status status = write_end(whole);

    if (close(whole->fd) != 0 && status == ACRE_TRACE_OK) {
        whole->error = errno;
        status = ACRE_TRACE_WRITE_FAILED;
    }
    whole->fd = -1;
    return status;
}

enum acre_trace_status acre_trace_output_close(struct acre_trace_output *output)
{
    enum acre_trace_status status;
    int error;

    status = output->whole == output ? close_file(output) : write_section_end(output);
    error = output->whole->error;
    free_output(output);
    errno = error;
    return status;
}

void acre_trace_output_abandon(struct acre_trace_output *output)
{
    const int error = errno;

    free_output(output);
    errno = error;
}
