/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The plugin ABI: how an allocator that is not part of acre joins acre replay, compare and map, and
 * acre-bench with their option `--with=FILE`; and how a page allocator joins acre-bench-pages with
 * the same option, by the second table at the end of this file.
 *
 * A plugin is a shared object that exports one constant table named `acre_plugin`. The whole of a
 * plugin around a bump allocator:
 *
 *     #include <acre/plugin.h>
 *
 *     static void *create(void *pool, size_t size) { ... }
 *     static void *alloc(void *self, size_t size, size_t align) { ... }
 *     static void dealloc(void *self, void *ptr, size_t size, size_t align) { ... }
 *
 *     const struct acre_plugin acre_plugin = {
 *         .abi = ACRE_PLUGIN_ABI,
 *         .name = "bump",
 *         .version = "1.0",
 *         .create = create,
 *         .alloc = alloc,
 *         .dealloc = dealloc,
 *     };
 *
 * built with `cc -shared -fPIC -O2 -o bump.so bump.c`. C++ defines the same table, the members in
 * the order given below; other languages lay out the struct themselves: every member is
 * one of the C types named here, in this order, with the platform's C alignment.
 *
 * Sizes and alignments are in bytes. Alignments are powers of two, at least 1. The caller never
 * enters one instance from two threads at once, and passes only pointers that are live, each with
 * the size and alignment it was last given.
 */
#ifndef ACRE_PLUGIN_H
#define ACRE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this ABI. A loader refuses a table with any other number in `abi`. */
#define ACRE_PLUGIN_ABI 1u

/* Bits of `flags`. */

/* The allocator finds its memory itself: `create` may be given a null pool of size 0, and nothing
 * is measured that depends on the size of a pool. */
#define ACRE_PLUGIN_OWN_MEMORY 1u

/* The table has the member `add_memory`. Tables without this bit may end before it. */
#define ACRE_PLUGIN_ADDS_MEMORY 2u

struct acre_plugin {
    /* ACRE_PLUGIN_ABI. First, so that it can be read whatever follows. */
    uint32_t abi;

    /* ACRE_PLUGIN_* bits; 0 for an allocator that works inside the pool it is given. */
    uint32_t flags;

    /* Short name for tables, unique among the backends: letters, digits, '-', '_', '.'. */
    const char *name;

    /* Version, commit or date of the allocator, for reports; null reads as "unknown". */
    const char *version;

    /*
     * Makes an instance that serves blocks from `pool`, `size` bytes aligned to 4096, and keeps
     * its whole state in there, so that the size of the pool is all the memory it costs. The pool
     * may hold any bytes. Returns the instance, passed as `self` from then on, or null when the
     * pool is too small to be of use. Several instances may exist at once.
     */
    void *(*create)(void *pool, size_t size);

    /*
     * Returns a block of at least `size` bytes, `size` at least 1, aligned to `align`, or null
     * when there is none or when the allocator does not serve that alignment.
     */
    void *(*alloc)(void *self, size_t size, size_t align);

    /* Gives a block back. `size` and `align` are those it was last given. */
    void (*dealloc)(void *self, void *ptr, size_t size, size_t align);

    /*
     * Optional (may be null: the caller then allocates, copies and frees). Returns the block
     * resized to `new_size` bytes, moved or not, with its first min(old_size, new_size) bytes and
     * its alignment kept; or null, with the old block untouched and still live.
     */
    void *(*realloc)(void *self, void *ptr, size_t old_size, size_t new_size, size_t align);

    /* Optional. Ends an instance; blocks still live go with it. The pool stays the caller's. */
    void (*destroy)(void *self);

    /*
     * Read only with ACRE_PLUGIN_ADDS_MEMORY in `flags`. Gives an instance one more range of
     * memory, `size` bytes aligned to 4096, which adjoins no other; acre-bench-regions wants it.
     * Returns 0, or another number when the range cannot be used.
     */
    int (*add_memory)(void *self, void *memory, size_t size);
};

#if defined(__GNUC__)
#define ACRE_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define ACRE_PLUGIN_EXPORT
#endif

/* The table a plugin defines. */
extern ACRE_PLUGIN_EXPORT const struct acre_plugin acre_plugin;

/* ---- page allocators ---- */

/* Bit of `flags`: a search takes time in proportion to the number of pages. Cases that would take
 * minutes are left out. */
#define ACRE_PAGES_PLUGIN_LINEAR 1u

/* What `alloc` returns when there is no such run. */
#define ACRE_PAGES_PLUGIN_NONE SIZE_MAX

/*
 * An allocator of pages, named by number: 0 to pages - 1. No memory lies behind them. The shared
 * object exports one constant table named `acre_pages_plugin`; it may export `acre_plugin` as well.
 * The caller never enters one instance from two threads at once, and gives back only runs that it
 * was given, each in one piece.
 */
struct acre_pages_plugin {
    /* ACRE_PLUGIN_ABI. First, so that it can be read whatever follows. */
    uint32_t abi;

    /* ACRE_PAGES_PLUGIN_* bits. */
    uint32_t flags;

    /* As in struct acre_plugin. */
    const char *name;
    const char *version;

    /* Bytes of memory that an instance for `pages` pages takes; 0: it cannot serve so many. */
    size_t (*size)(size_t pages);

    /*
     * Makes an instance for `pages` pages, all of them free, in `memory`, which is size(pages)
     * bytes aligned to 4096 and may hold any bytes. Returns the instance, passed as `self` from
     * then on, or null.
     */
    void *(*create)(void *memory, size_t pages);

    /* Returns the first of `count` free pages in a row, `count` at least 1, which are then in use;
     * or ACRE_PAGES_PLUGIN_NONE. Any run will do. */
    size_t (*alloc)(void *self, size_t count);

    /* Gives the run of `count` pages that begins at `page` back. */
    void (*dealloc)(void *self, size_t page, size_t count);

    /* Optional. Ends an instance. The memory stays the caller's. */
    void (*destroy)(void *self);
};

/* The table a page plugin defines. */
extern ACRE_PLUGIN_EXPORT const struct acre_pages_plugin acre_pages_plugin;

#ifdef __cplusplus
}
#endif

#endif
