/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Reading a trace from a file: bytes as they are, or out of zstd frames. */
#include "trace_file.h"
#include "trace_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum {
    /* log2 of the longest zstd window accepted: 8 MiB, what level 19 uses. */
    WINDOW_LOG_MAX = 23
};

struct acre_trace_input {
    struct acre_trace_reader reader;
    enum acre_trace_status status;
    int fd;
    int error; /* errno of the failed system call, or 0 */
    const char *zstd_error;
    char *path;
    char message[1024];
    uint32_t live_max;
    off_t file_size;
    uint64_t consumed;
    ZSTD_DStream *zstd; /* null: not compressed */
    bool started;
    bool delivered; /* some byte of the stream has been decompressed */
    unsigned char *bytes;
    ZSTD_inBuffer in;
};

static size_t input_capacity(void)
{
    return ZSTD_DStreamInSize();
}

/** Refills the buffer of file bytes. Returns how many there are: 0 at the end, or READ_ERROR. */
static size_t refill_input(struct acre_trace_input *input)
{
    ssize_t got;

    do {
        got = read(input->fd, input->bytes, input_capacity());
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        input->error = errno;
        return ACRE_TRACE_READ_ERROR;
    }
    input->consumed += (uint64_t)got;
    input->in = (ZSTD_inBuffer){ input->bytes, (size_t)got, 0 };
    return (size_t)got;
}

static size_t read_plain(struct acre_trace_input *input, void *into, size_t capacity)
{
    size_t count = input->in.size - input->in.pos;

    if (count > capacity)
        count = capacity;
    memcpy(into, input->bytes + input->in.pos, count);
    input->in.pos += count;
    return count;
}

/** One step of decompression: fills `out` as far as the bytes at hand allow. */
static bool decompress(struct acre_trace_input *input, ZSTD_outBuffer *out)
{
    size_t left = ZSTD_decompressStream(input->zstd, out, &input->in);

    if (ZSTD_isError(left)) {
        input->zstd_error = ZSTD_getErrorName(left);
        return false;
    }
    return true;
}

static size_t read_compressed(struct acre_trace_input *input, void *into, size_t capacity)
{
    ZSTD_outBuffer out = { into, capacity, 0 };

    while (out.pos == 0) {
        if (!decompress(input, &out))
            return ACRE_TRACE_READ_ERROR;
        if (out.pos == 0 && input->in.pos == input->in.size) {
            size_t got = refill_input(input);

            if (got == 0 || got == ACRE_TRACE_READ_ERROR)
                return got;
        }
    }
    input->delivered = true;
    return out.pos;
}

static bool begins_as_zstd(const struct acre_trace_input *input)
{
    /* ZSTD_MAGICNUMBER as it lies in the file. */
    return input->in.size >= 4 && wire_get_u32(input->bytes) == 0xfd2fb528u;
}

/** Reads the first bytes and decides by them. */
static size_t detect_compression(struct acre_trace_input *input)
{
    size_t got = refill_input(input);

    if (got == ACRE_TRACE_READ_ERROR)
        return got;
    input->started = true;
    if (!begins_as_zstd(input))
        return got;
    input->zstd = ZSTD_createDStream();
    if (!input->zstd) {
        input->error = ENOMEM;
        return ACRE_TRACE_READ_ERROR;
    }
    ZSTD_DCtx_setParameter(input->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return got;
}

static size_t read_some(void *user, void *into, size_t capacity)
{
    struct acre_trace_input *input = user;

    if (!input->started && detect_compression(input) == ACRE_TRACE_READ_ERROR)
        return ACRE_TRACE_READ_ERROR;
    if (input->zstd)
        return read_compressed(input, into, capacity);
    if (input->in.pos == input->in.size && refill_input(input) == ACRE_TRACE_READ_ERROR)
        return ACRE_TRACE_READ_ERROR;
    return read_plain(input, into, capacity);
}

static void *resize_for_reader(void *user, void *old, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

/** Reads the header of a stream that stands at its start. */
static void start_stream(struct acre_trace_input *input)
{
    const struct acre_trace_source source = { read_some, input };
    const struct acre_trace_memory memory = { resize_for_reader, input };

    input->status = acre_trace_reader_open(&input->reader, &source, &memory, input->live_max);
    /* A zstd frame that is cut before its first block yields nothing, not even a wrong magic. */
    if (input->status == ACRE_TRACE_FOREIGN && input->zstd && !input->delivered)
        input->status = ACRE_TRACE_TRUNCATED;
}

static int open_path(const char *path)
{
    if (strcmp(path, "-") == 0)
        return dup(STDIN_FILENO);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void open_file(struct acre_trace_input *input)
{
    struct stat about;

    input->fd = open_path(input->path);
    if (input->fd < 0 || fstat(input->fd, &about) != 0) {
        input->error = errno;
        input->status = ACRE_TRACE_READ_FAILED;
        return;
    }
    if (S_ISREG(about.st_mode))
        input->file_size = about.st_size;
    start_stream(input);
}

struct acre_trace_input *acre_trace_input_open(const char *path, uint32_t live_max)
{
    struct acre_trace_input *input = calloc(1, sizeof *input);

    if (!input)
        return NULL;
    input->fd = -1;
    input->live_max = live_max;
    input->path = strdup(path);
    input->bytes = malloc(input_capacity());
    if (!input->path || !input->bytes) {
        acre_trace_input_close(input);
        return NULL;
    }
    open_file(input);
    return input;
}

enum acre_trace_status acre_trace_input_status(const struct acre_trace_input *input)
{
    return input->status;
}

const char *acre_trace_input_message(struct acre_trace_input *input)
{
    char *into = input->message;
    const size_t size = sizeof input->message;
    const char *name = strcmp(input->path, "-") == 0 ? "standard input" : input->path;

    if (input->error)
        snprintf(into, size, "%s: %s", name, strerror(input->error));
    else if (input->zstd_error)
        snprintf(into, size, "%s: damaged zstd frame: %s", name, input->zstd_error);
    else if (input->status <= ACRE_TRACE_DONE)
        snprintf(into, size, "%s: %s", name, acre_trace_status_text(input->status));
    else if (input->reader.line)
        snprintf(into, size, "%s:%llu: %s: %s", name, (unsigned long long)input->reader.line,
            acre_trace_status_text(input->status), input->reader.detail);
    else
        snprintf(into, size, "%s: %s: %s (at byte %llu of the uncompressed stream)", name,
            acre_trace_status_text(input->status), input->reader.detail,
            (unsigned long long)input->reader.offset);
    return into;
}

enum acre_trace_status acre_trace_input_next(
    struct acre_trace_input *input, struct acre_trace_event *event)
{
    if (input->status == ACRE_TRACE_OK)
        input->status = acre_trace_reader_next(&input->reader, event);
    return input->status;
}

static void drop_reader(struct acre_trace_input *input)
{
    acre_trace_reader_close(&input->reader);
    ZSTD_freeDStream(input->zstd);
    input->zstd = NULL;
    input->zstd_error = NULL;
    input->error = 0;
    input->in = (ZSTD_inBuffer){ input->bytes, 0, 0 };
    input->consumed = 0;
    input->started = input->delivered = false;
}

enum acre_trace_status acre_trace_input_rewind(struct acre_trace_input *input)
{
    if (input->fd < 0)
        return input->status;
    drop_reader(input);
    if (lseek(input->fd, 0, SEEK_SET) < 0) {
        input->error = errno;
        input->status = ACRE_TRACE_READ_FAILED;
    } else {
        start_stream(input);
    }
    return input->status;
}

double acre_trace_input_progress(const struct acre_trace_input *input)
{
    if (input->status == ACRE_TRACE_DONE)
        return 1.0;
    if (input->file_size <= 0 || input->consumed >= (uint64_t)input->file_size)
        return input->file_size > 0 ? 1.0 : 0.0;
    return (double)input->consumed / (double)input->file_size;
}

void acre_trace_input_close(struct acre_trace_input *input)
{
    if (!input)
        return;
    drop_reader(input);
    if (input->fd >= 0)
        close(input->fd);
    free(input->path);
    free(input->bytes);
    free(input);
}
