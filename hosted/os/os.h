/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What acre asks of an operating system. A port is one file, os_<system>.c, that defines every
 * function below, and one line in CMakeLists.txt.
 *
 * Common to all of them:
 * - A function that returns int returns 0 for success, else an error number of <errno.h>, after
 * which nothing has changed and no out-parameter has been written.
 * - errno is left as it was.
 * - None allocates, takes a lock, or calls a function of the C library that a program could replace
 * by one that allocates (mmap, getenv, write ...): they stand below malloc. Each may be called
 * before constructors run, from any thread and from a signal handler.
 */
#ifndef ACRE_HOSTED_OS_H
#define ACRE_HOSTED_OS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of a page, a power of two: every range below starts and ends on a multiple of it. */
size_t acre_os_page_size(void);

/**
 * Maps memory that is readable, writable and zero. Memory is spent page by page as it is first
 * touched.
 * @param hint  where the range should start if those addresses are free, or null. Not binding: a
 *              range elsewhere is a success too.
 * @param size  bytes, a multiple of the page size, not 0.
 * @param start receives the first byte, page-aligned.
 * @return 0; ENOMEM: the system gives no such range.
 */
int acre_os_map(void *hint, size_t size, void **start);

/** Returns mapped memory, or a part of it, to the system. */
int acre_os_unmap(void *start, size_t size);

/**
 * Changes the size of a range that one acre_os_map() or acre_os_remap() returned; contents are kept
 * up to the smaller size.
 * @param moved receives the first byte, which may have moved.
 * @return 0; ENOMEM: the system gives no such range.
 */
int acre_os_remap(void *start, size_t size, size_t new_size, void **moved);

/** Returns the memory behind a mapped range to the system; the range stays mapped and reads as
 * zero. */
int acre_os_discard(void *start, size_t size);

/**
 * Takes the access to a mapped range away, and its memory: the range stays mapped, and touching it
 * ends the process.
 */
int acre_os_fence(void *start, size_t size);

/** A number that the kernel gave this process, and that others do not know; 0: it gave none. */
size_t acre_os_secret(void);

/** The number of the calling thread, as debuggers and /proc name it. */
size_t acre_os_thread(void);

/** Sleeps while *word == value, until woken; may return early for no reason. */
void acre_os_wait(_Atomic uint32_t *word, uint32_t value);

/** Wakes one thread that sleeps on the word, if there is one. */
void acre_os_wake_one(_Atomic uint32_t *word);

/** Writes all of the text to a file descriptor; gives up silently on an error. */
void acre_os_write(int fd, const char *text, size_t size);

/**
 * Makes a copy of a file descriptor that survives the original's closing but no exec.
 * @param copy receives the new descriptor, a high number.
 */
int acre_os_keep_fd(int fd, int *copy);

/** Whether two descriptors are open and stand for one file. */
bool acre_os_same_file(int one, int other);

/**
 * The value of an environment variable as the process was started with it or has set it since; null
 * when unset, and always null in a process with raised privileges.
 */
const char *acre_os_env(const char *name);

/** The number of this process. */
long acre_os_process(void);

/**
 * Names what is mapped at an address: a file's path, "[stack]", or "anonymous memory".
 * @param name receives the text, cut off at `size` bytes, the null included; size is not 0.
 * @param offset receives where in the file the address is; may be null.
 * @return 0; ENOENT: nothing is mapped there, or the system does not tell.
 */
int acre_os_mapping_name(uintptr_t address, char *name, size_t size, uintptr_t *offset);

/** Ends the process at once: no exit handlers, no destructors. */
_Noreturn void acre_os_exit(int status);

#endif
