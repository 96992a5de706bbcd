/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The trace format: what a program asked of its allocator, call by call.
 *
 * A trace is a sequence of process sections. Each section holds the calls of one process image in
 * the order in which they took effect: allocate, free, resize, failed call, with the thread that
 * made them. Blocks have no addresses here: the writer numbers allocations 0, 1, 2, ... (the
 * block's ordinal) and a free names its block by how many allocations ago it was made; the reader
 * turns that into a slot, a small dense integer that is reused once the block is freed, fit to
 * index an array of pointers.
 *
 * docs/trace-format.md describes the bytes. A compressed trace is the same stream inside zstd
 * frames, which is a matter of the file (trace_file.h), not of this layer.
 *
 * The writer needs no memory but the buffer it is given and runs on a microcontroller; the reader
 * needs memory in proportion to the live blocks of one process and never more than its limits
 * allow. Neither calls anything of the C library but memcpy, memset and memcmp. No global state:
 * distinct readers and writers may be used from distinct threads.
 */
#ifndef ACRE_TRACE_H
#define ACRE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the format that this code writes; a reader refuses a stream with a greater one. */
#define ACRE_TRACE_VERSION 1u
/** Bytes of the longest chunk of records; the reader holds one chunk in memory. */
#define ACRE_TRACE_CHUNK_MAX 65536u
/** Bytes of the smallest buffer a writer can be given. */
#define ACRE_TRACE_BUFFER_MIN 512u
/** Bytes of the longest command name, without the final null; longer ones are cut. */
#define ACRE_TRACE_NAME_MAX 255u
/** Live blocks that a reader accepts in one process unless told otherwise. */
#define ACRE_TRACE_LIVE_MAX (UINT32_C(1) << 26)
/** Greatest thread number. */
#define ACRE_TRACE_THREAD_MAX (UINT32_C(1) << 24)

/** Outcome of every call of this header. */
enum acre_trace_status {
    ACRE_TRACE_OK = 0,
    ACRE_TRACE_DONE,          /**< reader: the end record was read and the stream ends there */
    ACRE_TRACE_INVALID_PARAM, /**< a null pointer, a buffer too small, a call out of turn */
    ACRE_TRACE_READ_FAILED,   /**< the source reported a failure */
    ACRE_TRACE_WRITE_FAILED,  /**< the sink reported a failure; every later call repeats it */
    ACRE_TRACE_FOREIGN,       /**< not a trace */
    ACRE_TRACE_NEWER,         /**< a trace of a later version than ACRE_TRACE_VERSION */
    ACRE_TRACE_TRUNCATED,     /**< the stream ends before its end record */
    ACRE_TRACE_CHECKSUM,      /**< a chunk's bytes do not match its checksum */
    ACRE_TRACE_CORRUPT,       /**< a chunk or record that no writer produces */
    ACRE_TRACE_TOO_LARGE,     /**< more live blocks than the reader's limit */
    ACRE_TRACE_NO_MEMORY      /**< the reader's memory callback refused */
};

/** A short English text for `status`, never null; callable from anywhere, O(1). */
const char *acre_trace_status_text(enum acre_trace_status status);

/** Which call of the program made a block or failed. */
enum acre_trace_call {
    ACRE_TRACE_MALLOC,   /**< malloc, or realloc of a null pointer */
    ACRE_TRACE_CALLOC,   /**< calloc: the block starts zeroed */
    ACRE_TRACE_MEMALIGN, /**< any call that asks for an alignment */
    ACRE_TRACE_REALLOC   /**< realloc or reallocarray of a live block */
};

/** What an event says. */
enum acre_trace_op {
    ACRE_TRACE_PROCESS, /**< a process section begins: no block is live */
    ACRE_TRACE_ALLOC,   /**< `slot` now holds a block of `size` bytes */
    ACRE_TRACE_FREE,    /**< `slot` is freed; `size` and `align` are those it was last given */
    ACRE_TRACE_RESIZE,  /**< `slot` goes from `old_size` to `size` bytes, contents kept */
    ACRE_TRACE_FAILED,  /**< the call returned null: `call`, `size`, `align` say what was asked */
    ACRE_TRACE_PROCESS_END, /**< the section ends; blocks still live are those never freed */
    ACRE_TRACE_END          /**< totals; the next call of the reader returns ACRE_TRACE_DONE */
};

/** How a process section came to be. */
enum acre_trace_origin {
    ACRE_TRACE_STARTED, /**< a program that was started (exec), its heap empty */
    ACRE_TRACE_FORKED   /**< a copy of its parent: the first `inherited` events are the parent's
                           blocks */
};

/** What is known of a process; valid until the next call of the reader. */
struct acre_trace_process {
    uint32_t pid;        /**< as the system numbered it; 0 when there is none */
    uint32_t parent_pid; /**< 0 when not known */
    enum acre_trace_origin origin;
    uint64_t inherited; /**< how many ALLOC events at the start are inherited blocks */
    char name[ACRE_TRACE_NAME_MAX +
              1]; /**< command name, null-terminated, arbitrary bytes otherwise */
};

/** Sums over a process section, or over the whole trace. */
struct acre_trace_totals {
    uint64_t processes; /**< process sections */
    uint64_t events;    /**< ALLOC, FREE, RESIZE and FAILED events, inherited blocks included */
    uint64_t lost;      /**< calls that the recorder knows it could not record */
    uint64_t unmatched; /**< frees and resizes of pointers that no recorded call had returned */
};

/** One event as the reader delivers it. Fields that the op does not mention are zero. */
struct acre_trace_event {
    enum acre_trace_op op;
    enum acre_trace_call call; /**< ALLOC, RESIZE, FAILED */
    bool inherited;            /**< ALLOC: the block was live when the process was forked */
    bool has_slot;     /**< FAILED: the call was a resize of `slot`, which stays as it was */
    bool cut;          /**< PROCESS_END: the section's end is missing (trace_file.h alone) */
    uint32_t slot;     /**< 0 .. peak live blocks of this process - 1; freed ones are reused */
    uint32_t thread;   /**< 0 .. ACRE_TRACE_THREAD_MAX, numbered by first event in a process */
    uint32_t process;  /**< index of the section, 0, 1, 2, ... */
    uint64_t size;     /**< bytes asked for; calloc: the product */
    uint64_t align;    /**< bytes, a power of two; 0 when the call asked for none */
    uint64_t old_size; /**< RESIZE, and FAILED with a slot: bytes before the call */
    uint64_t time_ns;  /**< nanoseconds since the process began; 0 when not recorded */
    const struct acre_trace_process *about; /**< PROCESS: what is known of it */
    struct acre_trace_totals totals;        /**< PROCESS_END: of the section; END: of the trace */
};

/* ------------------------------------------------------------------------------------------------
 * Writer
 */

/** Where the writer puts its bytes. Returns false on failure; `bytes` is valid during the call
 * only. */
struct acre_trace_sink {
    bool (*write)(void *user, const void *bytes, size_t count);
    void *user;
};

/** A writer. The fields are private. One thread at a time. */
struct acre_trace_writer {
    struct acre_trace_sink sink;
    unsigned char *buffer;
    size_t capacity;
    size_t used;
    uint64_t next_ordinal;
    uint64_t events;
    uint64_t time_ns;
    uint32_t thread;
    bool in_process;
    bool ended;
    enum acre_trace_status failure;
    struct acre_trace_totals totals;
};

/**
 * Starts a stream: writes the header. `buffer` (`capacity` bytes, at least ACRE_TRACE_BUFFER_MIN,
 * more than ACRE_TRACE_CHUNK_MAX is not used) must outlive the writer. INVALID_PARAM, WRITE_FAILED.
 * O(1).
 */
enum acre_trace_status acre_trace_writer_open(struct acre_trace_writer *writer,
    const struct acre_trace_sink *sink, void *buffer, size_t capacity);

/**
 * The same without the header: for one section that is written apart and put behind a header, or
 * behind other sections, byte for byte. Errors as for acre_trace_writer_open.
 */
enum acre_trace_status acre_trace_writer_open_part(struct acre_trace_writer *writer,
    const struct acre_trace_sink *sink, void *buffer, size_t capacity);

/** Begins a process section. INVALID_PARAM when one is open or the trace ended; WRITE_FAILED. */
enum acre_trace_status acre_trace_write_process(
    struct acre_trace_writer *writer, const struct acre_trace_process *process);

/**
 * Says which thread makes the calls that follow; costs nothing when it is the current one. A
 * section begins with thread 0. INVALID_PARAM outside a section or past ACRE_TRACE_THREAD_MAX;
 * WRITE_FAILED.
 */
enum acre_trace_status acre_trace_write_thread(struct acre_trace_writer *writer, uint32_t thread);

/**
 * Says when the calls that follow were made, in nanoseconds since the process began. A time before
 * the last one counts as the last one. INVALID_PARAM outside a section; WRITE_FAILED.
 */
enum acre_trace_status acre_trace_write_time(struct acre_trace_writer *writer, uint64_t time_ns);

/**
 * A call that returned a block. `call` is MALLOC, CALLOC or MEMALIGN; `align` is 0 but for
 * MEMALIGN, where it is a power of two up to 2^63. `*ordinal` receives the block's name for a later
 * free or resize in the same section. INVALID_PARAM, WRITE_FAILED. Amortised O(1), as all calls
 * below.
 */
enum acre_trace_status acre_trace_write_alloc(struct acre_trace_writer *writer,
    enum acre_trace_call call, uint64_t size, uint64_t align, uint64_t *ordinal);

/** The block `ordinal` is freed. INVALID_PARAM when no block has had that ordinal; WRITE_FAILED. */
enum acre_trace_status acre_trace_write_free(struct acre_trace_writer *writer, uint64_t ordinal);

/**
 * The block `*ordinal` was resized to `size` bytes (in place or not) and has a new ordinal, stored
 * to `*ordinal`. INVALID_PARAM when no block has had the old one; WRITE_FAILED.
 */
enum acre_trace_status acre_trace_write_resize(
    struct acre_trace_writer *writer, uint64_t *ordinal, uint64_t size);

/** A call that returned null; arguments as for acre_trace_write_alloc. INVALID_PARAM, WRITE_FAILED.
 */
enum acre_trace_status acre_trace_write_failed(
    struct acre_trace_writer *writer, enum acre_trace_call call, uint64_t size, uint64_t align);

/** A resize of the live block `ordinal` that returned null and left it. INVALID_PARAM,
 * WRITE_FAILED. */
enum acre_trace_status acre_trace_write_failed_resize(
    struct acre_trace_writer *writer, uint64_t ordinal, uint64_t size);

/**
 * Ends the process section and hands its bytes to the sink. `lost` and `unmatched` go into the
 * totals. INVALID_PARAM outside a section; WRITE_FAILED.
 */
enum acre_trace_status acre_trace_write_process_end(
    struct acre_trace_writer *writer, uint64_t lost, uint64_t unmatched);

/**
 * Ends the trace. `totals` are those of a trace whose sections were written apart; null means the
 * sums of the sections this writer wrote. INVALID_PARAM inside a section; WRITE_FAILED.
 */
enum acre_trace_status acre_trace_writer_close(
    struct acre_trace_writer *writer, const struct acre_trace_totals *totals);

/** Hands what is buffered to the sink as a chunk, e.g. before a pause. WRITE_FAILED. */
enum acre_trace_status acre_trace_writer_flush(struct acre_trace_writer *writer);

/* ------------------------------------------------------------------------------------------------
 * Reader
 */

/** What `read` of a source returns on failure. */
#define ACRE_TRACE_READ_ERROR ((size_t)-1)

/** Where the reader gets its bytes: at most `capacity` into `into`; 0 is the end of the stream. */
struct acre_trace_source {
    size_t (*read)(void *user, void *into, size_t capacity);
    void *user;
};

/**
 * Where the reader gets its memory. `resize` is realloc with sizes: `old` null (old_size 0)
 * allocates, `new_size` 0 frees and returns null; null otherwise means that there is none and `old`
 * stays.
 */
struct acre_trace_memory {
    void *(*resize)(void *user, void *old, size_t old_size, size_t new_size);
    void *user;
};

struct acre_trace_block;

/** A reader. The fields are private but for the three noted. One thread at a time. */
struct acre_trace_reader {
    uint64_t
        offset; /**< readable: where in the (uncompressed) stream the last record or error is */
    const char *detail; /**< readable: after an error, what exactly is wrong there; never null */
    uint64_t line; /**< readable: of the plain text form, the line of `offset`, from 1; else 0 */
    struct acre_trace_source source;
    struct acre_trace_memory memory;
    enum acre_trace_status state;
    unsigned char *chunk;
    size_t chunk_size;
    size_t at;
    uint64_t chunk_offset;
    uint64_t next_ordinal;
    uint64_t inherited_left;
    uint64_t time_ns;
    uint32_t thread;
    bool in_process;
    bool ended;
    uint32_t live_max;
    uint32_t slots;
    uint32_t slot_capacity;
    uint32_t free_slot;
    struct acre_trace_block *blocks;
    uint32_t *index;
    uint32_t index_size;
    uint32_t index_shift;
    uint64_t index_factor;
    uint32_t live;
    struct acre_trace_process process;
    struct acre_trace_totals section;
    struct acre_trace_totals totals;
};

/**
 * Opens a reader and reads the header. `live_max` bounds the live blocks of a process; 0, or
 * more than ACRE_TRACE_LIVE_MAX, means that. A live block takes up to 96 bytes. On any error but
 * INVALID_PARAM the reader holds no memory, and `offset` and `detail` say what is wrong.
 * INVALID_PARAM, READ_FAILED, FOREIGN, NEWER, CHECKSUM, TRUNCATED, CORRUPT, NO_MEMORY.
 */
enum acre_trace_status acre_trace_reader_open(struct acre_trace_reader *reader,
    const struct acre_trace_source *source, const struct acre_trace_memory *memory,
    uint32_t live_max);

/**
 * Reads the next event. OK: `*event` is filled. DONE: there is no more. Any other status is final:
 * every later call repeats it, `offset` and `detail` stay. `*event` is undefined but after OK.
 * Amortised O(1). READ_FAILED, TRUNCATED, CHECKSUM, CORRUPT, TOO_LARGE, NO_MEMORY.
 */
enum acre_trace_status acre_trace_reader_next(
    struct acre_trace_reader *reader, struct acre_trace_event *event);

/** Gives the reader's memory back. A reader that failed to open may be closed as well. */
void acre_trace_reader_close(struct acre_trace_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
