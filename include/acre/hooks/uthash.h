/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * uthash over a handle. uthash is all macros: the tables of a source file that includes this header
 * live on that file's handle. When the pool is exhausted, uthash calls uthash_fatal, which exits; a
 * source file that defines HASH_NONFATAL_OOM as 1 before the include gets uthash_nonfatal_oom.
 *
 *     acre_hook_uthash_install(bytes);
 *     HASH_ADD_INT(head, id, entry);
 *     HASH_CLEAR(hh, head);
 *
 * A source file that defines ACRE_HOOK_UTHASH_BYTES before the include, as an expression of type
 * struct acre_bytes, has that in place of the handle installed: a global handle, or a variable in
 * scope wherever the file uses uthash. Sizes are checked when uthash gives blocks back. Threads and
 * for misuse, see acre/hooks/hook.h. ACRE_HOOK_UTHASH is 1 where uthash.h was found, else 0 and the
 * header is empty.
 */
#ifndef ACRE_HOOKS_UTHASH_H
#define ACRE_HOOKS_UTHASH_H

#include <acre/hooks/hook.h>

#if !defined ACRE_HOOK_UTHASH && defined __has_include
#if __has_include(<uthash.h>)
#define ACRE_HOOK_UTHASH 1
#endif
#endif
#ifndef ACRE_HOOK_UTHASH
#define ACRE_HOOK_UTHASH 0
#endif

#if ACRE_HOOK_UTHASH

#include <uthash.h>

#ifndef ACRE_HOOK_UTHASH_BYTES
static struct acre_bytes acre_hook_uthash_bytes;

/** Sets the handle of the tables of this source file. Must not be called while one has
 * entries. */
static inline void acre_hook_uthash_install(struct acre_bytes bytes)
{
    acre_hook_uthash_bytes = bytes;
}
#define ACRE_HOOK_UTHASH_BYTES acre_hook_uthash_bytes
#endif

#undef uthash_malloc
#undef uthash_free
#define uthash_malloc(size) acre_hook_malloc(ACRE_HOOK_UTHASH_BYTES, size)
#define uthash_free(ptr, size)                                                                     \
    acre_hook_free_sized(ACRE_HOOK_UTHASH_BYTES, ptr, size, "uthash_free")

#endif

#endif
