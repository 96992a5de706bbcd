/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * Traces in files, plain or inside zstd frames; hosted (POSIX, zstd).
 *
 * Reading tells the two apart by the first bytes. Writing compresses. A file may be read again from
 * its start with acre_trace_file_rewind(), unless it is a pipe. Memory: the reader's (see trace.h)
 * plus a few hundred KiB, whatever the length of the file.
 */
#ifndef ACRE_TRACE_FILE_H
#define ACRE_TRACE_FILE_H

#include "trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A trace being read. */
struct acre_trace_input;
/** A trace being written. */
struct acre_trace_output;

/**
 * Opens the trace at `path` ("-" is standard input) and reads its header. `live_max` as for
 * acre_trace_reader_open(). Null only when there is no memory: after every other failure the
 * object exists, and acre_trace_input_status() and acre_trace_input_message() say what failed.
 */
struct acre_trace_input *acre_trace_input_open(const char *path, uint32_t live_max);

/** The status of the last call: ACRE_TRACE_OK, ACRE_TRACE_DONE or an error. O(1). */
enum acre_trace_status acre_trace_input_status(const struct acre_trace_input *input);

/**
 * One line that names the file, the offset in the uncompressed stream and what is wrong there, or
 * the system's error; without a newline. Valid until the next call. O(1).
 */
const char *acre_trace_input_message(struct acre_trace_input *input);

/**
 * As acre_trace_reader_next(). Of a trace that is truncated, every section is delivered as far as
 * it goes; one whose end is missing ends with a PROCESS_END event whose `cut` is true. TRUNCATED
 * follows the last one.
 */
enum acre_trace_status acre_trace_input_next(
    struct acre_trace_input *input, struct acre_trace_event *event);

/** Starts again from the first record. READ_FAILED on a pipe; otherwise as opening. */
enum acre_trace_status acre_trace_input_rewind(struct acre_trace_input *input);

/** How far reading has come, 0.0 to 1.0, by bytes of the file; 0.0 for a pipe. O(1). */
double acre_trace_input_progress(const struct acre_trace_input *input);

/** Closes the file and gives everything back. Null is allowed. */
void acre_trace_input_close(struct acre_trace_input *input);

/**
 * Creates (or empties) the file at `path` ("-" is standard output) and writes the header. `level`
 * is zstd's, 1 to 19. Null with errno set when the file cannot be opened or there is no memory.
 */
struct acre_trace_output *acre_trace_output_create(const char *path, int level);

/**
 * The same on a descriptor, from where it stands; it is closed with the object, and when null is
 * returned.
 */
struct acre_trace_output *acre_trace_output_create_on(int fd, int level);

/**
 * One process section of `whole`, which may be written while others are: write it with the writer
 * of what is returned, and close that before `whole`. A trace has either sections made by this or
 * those that its own writer wrote. The first lies in the file as in any trace, the others in slices
 * (docs/trace-format.md); a reader delivers one after the other, in the order of these calls. Null
 * with errno set: no memory, or nothing could be written. Not thread-safe.
 */
struct acre_trace_output *acre_trace_output_section(struct acre_trace_output *whole);

/** The writer that fills this file; close it with acre_trace_output_close() alone. */
struct acre_trace_writer *acre_trace_output_writer(struct acre_trace_output *output);

/**
 * Puts all that was written into the file, from where it can be read whatever happens later.
 * WRITE_FAILED with errno set. O(1) when nothing was written since the last time.
 */
enum acre_trace_status acre_trace_output_flush(struct acre_trace_output *output);

/**
 * Writes the end record (but for a section), completes the compression, closes the file.
 * WRITE_FAILED when any byte could not be written, also one of a section (errno says why); the
 * object is gone either way. INVALID_PARAM: a section was open.
 */
enum acre_trace_status acre_trace_output_close(struct acre_trace_output *output);

/** Closes the file of a trace that is not complete: without the end record, it reads as truncated.
 * No section may be open. */
void acre_trace_output_abandon(struct acre_trace_output *output);

#ifdef __cplusplus
}
#endif

#endif
