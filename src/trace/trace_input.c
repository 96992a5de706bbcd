/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * Reading a trace from a file: bytes as they are, or out of zstd frames.
 *
 * A file that was written section by section at the same time has slices between its frames
 * (docs/trace-format.md). They are noted and skipped as the frames are read, then read one section
 * after the other. What comes out of a pipe is first put into a file for that.
 */
#include "trace_file.h"
#include "trace_slices.h"
#include "trace_state.h"
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
    bool between_frames; /* the next byte begins a frame */
    bool in_slices;      /* the frames are read, the slices are next */
    bool was_cut;        /* a section had no end */
    bool kept;           /* what the pipe still held is in the file that `fd` is now */
    off_t base;          /* where in the file the trace begins; -1: a pipe */
    struct trace_slices slices;
};

static size_t input_capacity(void)
{
    return ZSTD_DStreamInSize();
}

/** Reads from the file: on from where it stands, or the section's next bytes. Returns as read(). */
static ssize_t read_bytes(struct acre_trace_input *input, unsigned char *into, size_t room)
{
    uint64_t place = 0;
    ssize_t got;

    if (input->in_slices) {
        place = acre_trace_slices_place(&input->slices, &room);
        if (room == 0)
            return 0;
    }
    do {
        got = input->in_slices ? pread(input->fd, into, room, (off_t)place)
                               : read(input->fd, into, room);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        input->error = errno;
    else
        input->consumed += (uint64_t)got;
    return got;
}

/** Refills the buffer of file bytes. Returns how many there are: 0 at the end, or READ_ERROR. */
static size_t refill_input(struct acre_trace_input *input)
{
    ssize_t got = read_bytes(input, input->bytes, input_capacity());

    if (got < 0)
        return ACRE_TRACE_READ_ERROR;
    input->in = (ZSTD_inBuffer){ input->bytes, (size_t)got, 0 };
    return (size_t)got;
}

/** Sees to it that `count` bytes are in the buffer, if the file has as many. False: it failed. */
static bool look_ahead(struct acre_trace_input *input, size_t count)
{
    size_t have = input->in.size - input->in.pos;
    ssize_t got = 1;

    if (have >= count)
        return true;
    memmove(input->bytes, input->bytes + input->in.pos, have);
    while (have < count && got > 0) {
        got = read_bytes(input, input->bytes + have, input_capacity() - have);
        have += got > 0 ? (size_t)got : 0;
    }
    input->in = (ZSTD_inBuffer){ input->bytes, have, 0 };
    return got >= 0;
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

/* ---- slices ---- */

/** A file without a name, to keep what a pipe holds; -1 with errno set. */
static int open_keep(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int fd;

    if (!folder || !*folder || strlen(folder) > sizeof path - 32)
        folder = "/tmp";
    snprintf(path, sizeof path, "%s/acre-trace-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool write_keep(int fd, const unsigned char *bytes, size_t count)
{
    while (count) {
        ssize_t put = write(fd, bytes, count);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        count -= (size_t)put;
    }
    return true;
}

/** Copies the rest of a pipe, what is in the buffer included. False with errno set. */
static bool copy_rest(struct acre_trace_input *input, int to)
{
    size_t got;

    do {
        if (!write_keep(to, input->bytes + input->in.pos, input->in.size - input->in.pos))
            return false;
        got = refill_input(input);
    } while (got && got != ACRE_TRACE_READ_ERROR);
    return got == 0;
}

/** Goes on reading a pipe from a file, so that places in it can be gone to. */
static bool keep_rest(struct acre_trace_input *input)
{
    int fd = open_keep();

    if (fd < 0 || !copy_rest(input, fd) || lseek(fd, 0, SEEK_SET) != 0) {
        if (!input->error)
            input->error = errno;
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(input->fd);
    input->fd = fd;
    input->kept = true;
    input->base = 0;
    input->in = (ZSTD_inBuffer){ input->bytes, 0, 0 };
    return true;
}

/** Moves past bytes of the file, of which some may be in the buffer. */
static bool skip_bytes(struct acre_trace_input *input, size_t count)
{
    const size_t have = input->in.size - input->in.pos;

    if (count <= have) {
        input->in.pos += count;
        return true;
    }
    input->in.pos = input->in.size;
    if (lseek(input->fd, (off_t)(count - have), SEEK_CUR) >= 0)
        return true;
    input->error = errno;
    return false;
}

static const unsigned char *next_bytes(const struct acre_trace_input *input)
{
    return input->bytes + input->in.pos;
}

/** Whether a whole header of a slice is in the buffer. */
static bool is_at_slice(const struct acre_trace_input *input)
{
    return input->in.size - input->in.pos >= WIRE_SLICE_HEADER_SIZE &&
           wire_get_u32(next_bytes(input)) == WIRE_SLICE_MAGIC &&
           wire_get_u32(next_bytes(input) + 4) >= WIRE_SLICE_OWN_SIZE &&
           wire_get_u32(next_bytes(input) + 8) == WIRE_SLICE_TAG;
}

/** Notes the slice whose header is in the buffer, and skips it. */
static bool note_slice(struct acre_trace_input *input)
{
    const off_t place = lseek(input->fd, 0, SEEK_CUR);
    struct trace_slice slice = { .number = wire_get_u32(next_bytes(input) + 12),
        .length = wire_get_u32(next_bytes(input) + 4) - WIRE_SLICE_OWN_SIZE };

    slice.offset = (uint64_t)place - (input->in.size - input->in.pos) + WIRE_SLICE_HEADER_SIZE;
    if (place < 0 || !acre_trace_slices_add(&input->slices, slice)) {
        input->error = place < 0 ? errno : ENOMEM;
        return false;
    }
    return skip_bytes(input, (size_t)WIRE_SLICE_HEADER_SIZE + slice.length);
}

/** Notes the slices that come before the next frame. False: reading failed. */
static bool note_slices(struct acre_trace_input *input)
{
    for (;;) {
        if (!look_ahead(input, WIRE_SLICE_HEADER_SIZE))
            return false;
        if (!is_at_slice(input))
            return true;
        if (input->base < 0 ? !keep_rest(input) : !note_slice(input))
            return false;
    }
}

/** Begins the next section that lies in slices. False: there is none. */
static bool next_section(struct acre_trace_input *input)
{
    if (!input->zstd || !acre_trace_slices_next_section(&input->slices))
        return false;
    input->in_slices = true;
    input->between_frames = false;
    input->in = (ZSTD_inBuffer){ input->bytes, 0, 0 };
    ZSTD_DCtx_reset(input->zstd, ZSTD_reset_session_only);
    return true;
}

/* ---- the stream ---- */

/** One step of decompression: fills `out` as far as the bytes at hand allow. */
static bool decompress(struct acre_trace_input *input, ZSTD_outBuffer *out)
{
    size_t left = ZSTD_decompressStream(input->zstd, out, &input->in);

    if (ZSTD_isError(left)) {
        input->zstd_error = ZSTD_getErrorName(left);
        return false;
    }
    input->between_frames = left == 0 && !input->in_slices;
    return true;
}

static size_t read_compressed(struct acre_trace_input *input, void *into, size_t capacity)
{
    ZSTD_outBuffer out = { into, capacity, 0 };

    while (out.pos == 0) {
        if ((input->between_frames && !note_slices(input)) || !decompress(input, &out))
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
    input->base = S_ISREG(about.st_mode) ? lseek(input->fd, 0, SEEK_CUR) : -1;
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

/** Whether something follows the end of the stream: an open section's end, or another section. */
static bool has_more(const struct acre_trace_input *input)
{
    return input->reader.in_process || acre_trace_slices_follow(&input->slices);
}

/** The stream has ended too early, or the section that it holds has: another one may follow. Ends
 * the section that is open with an event. */
static enum acre_trace_status pass_end(
    struct acre_trace_input *input, struct acre_trace_event *event)
{
    struct acre_trace_reader *reader = &input->reader;
    const bool was_open = reader->in_process;

    if (was_open)
        acre_trace_on_cut(reader, event);
    input->was_cut |= was_open;
    if (next_section(input))
        acre_trace_resume(reader);
    return was_open ? ACRE_TRACE_OK : acre_trace_reader_next(reader, event);
}

enum acre_trace_status acre_trace_input_next(
    struct acre_trace_input *input, struct acre_trace_event *event)
{
    if (input->status != ACRE_TRACE_OK)
        return input->status;
    input->status = acre_trace_reader_next(&input->reader, event);
    while (input->status == ACRE_TRACE_TRUNCATED && has_more(input))
        input->status = pass_end(input, event);
    if (input->status == ACRE_TRACE_DONE && input->was_cut)
        input->status =
            acre_trace_corrupt(&input->reader, "a section has no end, but the trace has");
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
    input->between_frames = input->in_slices = input->was_cut = false;
    acre_trace_slices_release(&input->slices);
}

enum acre_trace_status acre_trace_input_rewind(struct acre_trace_input *input)
{
    if (input->fd < 0)
        return input->status;
    drop_reader(input);
    if (input->kept || lseek(input->fd, 0, SEEK_SET) < 0) {
        input->error = input->kept ? ESPIPE : errno;
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
