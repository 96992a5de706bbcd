/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Tracer: writes down every call as plain text in acre's trace format (docs/trace-format.md), so
 * that a target without an operating system can record what `acre replay` then reads.
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
 * Blocks are named by their addresses, so that no table is kept and no memory is needed: blocks and
 * pointers are the inner allocator's. A call is one line of at most 70 bytes, handed to the sink
 * whole; a second one before it says the time, where there is a clock and it has moved.
 *
 * Calls that are refused for want of memory are recorded as such. Those with a pointer that is no
 * block cannot be: they are counted. An alignment above natural is recorded with alloc, not with
 * realloc, for which the format has no word.
 */
#ifndef ACRE_WRAP_TRACER_H
#define ACRE_WRAP_TRACER_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where the text goes. Both callbacks run within the call that is recorded, after the inner one,
 * and must not use the allocator. */
struct acre_tracer_sink {
    /** Takes `size` bytes of text, whole lines but for the one that names the section. */
    void (*write)(void *arg, const void *text, size_t size);
    uint64_t (*clock)(void *arg); /**< Nanoseconds since any moment; null: no times. */
    void *arg;                    /**< Handed to both. */
};

/** A byte allocator that is recorded. Set up by acre_tracer_wrap; the fields are to be read, not
 * written. */
struct acre_tracer {
    struct acre_bytes inner;      /**< Serves every call. */
    struct acre_tracer_sink sink; /**< Gets the text. */
    const char *name;             /**< Of the section; null: nothing is being recorded. */
    bool headed;                  /**< The first line has been written. */
    uint64_t start;               /**< The clock when the section began, */
    uint64_t time;                /**< and the time last written, since then. */
    size_t unmatched;             /**< Calls of the section with a pointer that was no block. */
};

/**
 * Puts the recorder in front of a byte allocator. Nothing is recorded yet.
 * @param tracer to be set up; any contents.
 * @param inner  the allocator that serves; it must outlive the wrapper.
 * @param sink   where the text goes. O(1).
 */
void acre_tracer_wrap(
    struct acre_tracer *tracer, struct acre_bytes inner, struct acre_tracer_sink sink);

/**
 * Begins a section of the trace; before the first one the line that all traces begin with. Ends the
 * section that is open. Blocks that are live already are written down as inherited, each with its
 * usable size.
 * @param name of the program, for people: up to 200 bytes of it, to the end of the line at most;
 * it must last as long as the section.
 * @note O(1), and linear in the number of blocks when some are live. init and reset begin a new
 * section of the same name.
 */
void acre_tracer_begin(struct acre_tracer *tracer, const char *name);

/** Says which thread makes the calls to come; 0 at the start of a section. At most 2^24. O(1). */
void acre_tracer_thread(struct acre_tracer *tracer, uint32_t thread);

/** Ends the section; nothing is recorded until the next one begins. O(1). */
void acre_tracer_end(struct acre_tracer *tracer);

/** The wrapper as a byte allocator; its results, errors and statistics are the inner ones. Every
 * call costs a line of text more. Callable from wherever the sink is; threads need a lock outside,
 * so that lines and calls have the same order. */
struct acre_bytes acre_tracer_bytes(struct acre_tracer *tracer);

#ifdef __cplusplus
}
#endif

#endif
