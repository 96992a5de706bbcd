/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The hardened drop-in malloc (ACRE_HARDEN), over a hardened threaded heap (acre/threaded.h): blocks of
 * no bytes on pages without access, large blocks between such pages, and what is said of damage.
 *
 * At level 1 blocks of ACRE_LARGE_LEAST bytes and more are mappings of their own, as they are without
 * hardening at first, with canaries in their slack. At level 2 all blocks that are larger than a size
 * class are, between two pages without access; freed ones stay without access for a while.
 *
 * The functions below stand in for those of serve_threads.c where acre_serve.settings.harden is not 0.
 */
#ifndef ACRE_HOSTED_MALLOC_HARDEN_H
#define ACRE_HOSTED_MALLOC_HARDEN_H

#include "malloc/text.h"
#include "malloc/threads.h"

/** A block; null, with errno set: no memory. */
void *acre_hardened_alloc(struct acre_thread_heap *heap, struct acre_layout layout);

/** Frees a block that no heap knows. Does not return when there is none. */
void acre_hardened_free(const char *call, void *ptr);

/** The same with a layout that must be the block's. */
void acre_hardened_free_sized(const char *call, void *ptr, struct acre_layout layout);

/** As realloc of a block of this thread's process. */
void *acre_hardened_realloc(const char *call, void *ptr, struct acre_layout layout);

/** Bytes requested for a block that no heap knows. Does not return when there is none. */
size_t acre_hardened_size(const char *call, const void *ptr);

/** The call that runs on this thread, for what the heap finds meanwhile. */
extern _Thread_local const char *acre_hardened_call __attribute__((tls_model("initial-exec")));

/** Told by the heap; does not return. */
void acre_hardened_damaged(void *arg, const struct acre_threaded_damage *damage);

/* ---- blocks of no bytes; harden_empty.c. The lock is held. ---- */

void *acre_empty_alloc(size_t align);
/** @return ACRE_OK; ACRE_NOT_ALLOCATED. */
enum acre_status acre_empty_free(const void *ptr);
/** Whether an address is that of a block of no bytes: of a live one, or of any. */
bool acre_empty_is_live(const void *ptr);
bool acre_empty_has(uintptr_t address);

/* ---- large blocks; harden_large.c. The lock is held. ---- */

/** Whether blocks of this layout are large. */
bool acre_guarded_is_large(struct acre_layout layout);
void *acre_guarded_alloc(struct acre_layout layout);
/** The live block that starts at an address, or null. */
const struct acre_large_block *acre_guarded_find(const void *ptr);
/** The first byte of its canary that changed, or 0. */
uintptr_t acre_guarded_damage(const struct acre_large_block *block);
void acre_guarded_free(const struct acre_large_block *block);
/** Changes the size by moving pages. Null: nothing has changed. */
void *acre_guarded_resize(const struct acre_large_block *block, size_t size);
/** Whether an address lies in a block freed lately; `start` receives its start. */
bool acre_guarded_was(uintptr_t address, uintptr_t *start);

#endif
