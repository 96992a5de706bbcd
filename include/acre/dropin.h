/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What libacre-malloc.so, the drop-in malloc, offers beyond the malloc family. It is preloaded, not
 * linked: a program that wants one of these looks it up, with dlsym(RTLD_DEFAULT, "...") or through
 * a weak reference.
 */
#ifndef ACRE_DROPIN_H
#define ACRE_DROPIN_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Called when a program hands a pointer to the malloc family that is not one of its live blocks.
 * @param line what is wrong, one line without a line end: the call, the pointer, the block or
 * region it belongs to. Valid during the call. The allocator is not locked and nothing has changed
 * in it: the callee may allocate, throw, longjmp or end the process. When it returns, the process
 * is aborted.
 */
typedef void acre_misuse_fn(const char *line);

/**
 * Sets what is called on misuse.
 * @param hook the function, or null for the default: write the line to standard error.
 * @return the function that was set before, or null.
 * @note O(1), from any thread.
 */
acre_misuse_fn *acre_malloc_on_misuse(acre_misuse_fn *hook);

#ifdef __cplusplus
}
#endif

#endif
