/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Tracer: writes every call as text in acre's trace format (docs/trace-format.md), so that a target
 * without an operating system can record a trace for `acre replay`.
 *
 *     static void print(void *arg, const void *text, size_t size) { uart_write(arg, text, size); }
 *
 *     struct acre_tracer_sink sink = { print, cycles_in_ns, uart };
 *     struct acre_tracer tracer;
 *     acre_tracer_wrap(&tracer, acre_tlsf_bytes(&tlsf), sink);
 *     acre_tracer_begin(&tracer, "firmware");
 *     run(acre_tracer_bytes(&tracer));
 *     acre_tracer_end(&tracer);
 *
 * Blocks are identified by their addresses, so the tracer needs no table and no memory; blocks and
 * pointers are those of the inner allocator. A call is one line of at most 70 bytes, passed to the
 * sink as a whole. If there is a clock and it has advanced, a line with the time comes first.
 *
 * Calls that fail with ACRE_NO_MEMORY are recorded as such. Calls with a pointer that is not a live
 * block cannot be recorded: they are counted. An alignment above natural is recorded for alloc, but
 * not for realloc, since the format has no event for it.
 */
#ifndef ACRE_WRAP_TRACER_H
#define ACRE_WRAP_TRACER_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The destination of the text. Both callbacks run inside the recorded call, after the inner call,
 * and must not use the allocator. */
struct acre_tracer_sink {
    /** Receives `size` bytes of text: whole lines, except for the line that names the section. */
    void (*write)(void *arg, const void *text, size_t size);
    uint64_t (*clock)(void *arg); /**< Nanoseconds since any fixed moment; null: no times. */
    void *arg;                    /**< Passed to both. */
};

/** A byte allocator that is recorded. Set up by acre_tracer_wrap; the fields are read-only. */
struct acre_tracer {
    struct acre_bytes inner;      /**< Serves every call. */
    struct acre_tracer_sink sink; /**< Receives the text. */
    const char *name;             /**< Name of the section; null: not recording. */
    bool headed;                  /**< The first line has been written. */
    uint64_t start;               /**< The clock at the start of the section. */
    uint64_t time;                /**< The last time written, relative to start. */
    size_t unmatched;             /**< Calls in the section with a bad pointer. */
};

/**
 * Puts the tracer in front of a byte allocator. Recording has not begun.
 * @param tracer any contents.
 * @param inner  the allocator that serves; it must outlive the wrapper.
 * @param sink   where the text goes. O(1).
 */
void acre_tracer_wrap(
    struct acre_tracer *tracer, struct acre_bytes inner, struct acre_tracer_sink sink);

/**
 * Begins a section of the trace, and ends the open one. The first section follows the header line
 * of the format. Blocks that are already live are written as inherited, with their usable sizes.
 * @param name name of the program: at most 200 bytes of its first line are written. The string must
 *             exist as long as the section.
 * @note O(1), or linear in the number of blocks when some are live. init and reset begin a new
 * section of the same name.
 */
void acre_tracer_begin(struct acre_tracer *tracer, const char *name);

/** Sets the thread of the following calls, at most 2^24; 0 at the start of a section. O(1). */
void acre_tracer_thread(struct acre_tracer *tracer, uint32_t thread);

/** Ends the section; nothing is recorded until the next one begins. O(1). */
void acre_tracer_end(struct acre_tracer *tracer);

/** The wrapper as a byte allocator; its results, errors and statistics are the inner ones. Every
 * call also writes a line of text. Callable from every context from which the sink is; threads need
 * a lock around this wrapper, so that lines and calls have the same order. */
struct acre_bytes acre_tracer_bytes(struct acre_tracer *tracer);

#ifdef __cplusplus
}
#endif

#endif
