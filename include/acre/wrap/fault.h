/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Fault: a byte allocator that refuses chosen requests with ACRE_NO_MEMORY, so that a program's
 * handling of failed allocations can be tested: refuse the first request, then the second, and so
 * on until a run sees none refused.
 *
 *     struct acre_fault fault;
 *     acre_fault_wrap(&fault, bytes);
 *     for (size_t n = 1;; n++) {
 *         acre_fault_nth(&fault, n);
 *         use(acre_fault_bytes(&fault));
 *         if (fault.requests < n)
 *             break;
 *     }
 *
 * A request is a call that may need memory: alloc; resize to more than the block's usable size;
 * realloc to more than that, or to an alignment that the block lacks. A call with a bad pointer or
 * a bad alignment is not a request; it passes to the inner allocator.
 */
#ifndef ACRE_WRAP_FAULT_H
#define ACRE_WRAP_FAULT_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A byte allocator some of whose requests fail. Set up by acre_fault_wrap; the fields are
 * read-only. */
struct acre_fault {
    struct acre_bytes inner; /**< Serves all other requests. */
    size_t requests;         /**< Requests seen since a rule was last set. */
    size_t failed;           /**< Requests failed here since init or reset. */
    size_t nth;              /**< The number of the request to refuse; 0: none. */
    size_t every;            /**< One in `every` requests is refused; 0: none. */
    size_t least;            /**< Sizes in bytes from here ... */
    size_t most;             /**< ... to here are refused; none when least is above most. */
};

/**
 * Puts a wrapper in front of a byte allocator. No rule is set.
 * @param fault any contents.
 * @param inner the allocator that serves; it must outlive the wrapper. O(1).
 */
void acre_fault_wrap(struct acre_fault *fault, struct acre_bytes inner);

/**
 * Refuses the nth request from now and no other; replaces the rule of acre_fault_every.
 * @param nth 1 is the next one; 0 refuses none. O(1).
 */
void acre_fault_nth(struct acre_fault *fault, size_t nth);

/**
 * Refuses every kth request from now; replaces the rule of acre_fault_nth.
 * @param every 1 refuses all; 0 refuses none. O(1).
 */
void acre_fault_every(struct acre_fault *fault, size_t every);

/**
 * Refuses all requests for `least` to `most` bytes, in addition to the other rules.
 * @param least bytes; above `most`: refuses none. O(1).
 */
void acre_fault_sizes(struct acre_fault *fault, size_t least, size_t most);

/**
 * The wrapper as a byte allocator. Every call costs O(1) more than the inner one. The statistics
 * are the inner ones, but `failed` also counts the requests failed here. largest_free ignores the
 * rules.
 */
struct acre_bytes acre_fault_bytes(struct acre_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
