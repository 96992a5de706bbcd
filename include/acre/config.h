/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * All build options with their defaults. A build sets them with -DNAME=VALUE, for the library
 * and for every file that includes its headers. The defaults in the installed copy of this header
 * are the values that the library was built with.
 */
#ifndef ACRE_CONFIG_H
#define ACRE_CONFIG_H

/** Feature gates: 1 builds the part, 0 leaves it out. Any subset compiles. */
#ifndef ACRE_TLSF
#define ACRE_TLSF 1 /**< TLSF byte allocator. */
#endif
#ifndef ACRE_BUDDY
#define ACRE_BUDDY 1 /**< Buddy byte allocator. */
#endif
#ifndef ACRE_SLAB
#define ACRE_SLAB 1 /**< Slab byte allocator. */
#endif
#ifndef ACRE_ARENA
#define ACRE_ARENA 1 /**< Arena byte allocator. */
#endif
#ifndef ACRE_BITMAP
#define ACRE_BITMAP 1 /**< Bitmap page and id allocators. */
#endif
#ifndef ACRE_HEAP
#define ACRE_HEAP 1 /**< Two-level heap: bytes over pages. */
#endif
#ifndef ACRE_THREADED
#define ACRE_THREADED 1 /**< Threaded heap: a heap per thread over pages. */
#endif
#ifndef ACRE_WRAP
#define ACRE_WRAP 1 /**< Wrappers that stack on any byte allocator. */
#endif
#ifndef ACRE_SHARED
#define ACRE_SHARED 1 /**< Reference-counted handles and the C++ classes on them. */
#endif
#ifndef ACRE_HOSTED
#define ACRE_HOSTED 1 /**< Parts that need an operating system: drop-in malloc, recorder, tool. */
#endif

/**
 * 1: before a call reads through a pointer, it verifies that the pointer is the start of a live
 * block. 0: TLSF trusts its caller, and a wrong pointer is undefined behaviour. Buddy, slab,
 * arena and bitmap need the same state for their work, and always validate.
 */
#ifndef ACRE_CHECK_POINTERS
#define ACRE_CHECK_POINTERS 1
#endif

/**
 * 1: TLSF validates the headers and links that a call follows, so that a write past a block's end
 * or into a freed block gives no block two owners and makes no call write outside the allocator's
 * memory. A block beside damage is refused with ACRE_NOT_ALLOCATED and stays as it is; free blocks
 * behind a damaged link are lost; a region is given back only when nothing is damaged. Calls take
 * twice to seven times as many instructions, on a large block one per KiB more, and quick lists
 * stay empty. 0: TLSF trusts its headers and links; nothing is paid. Takes effect only with
 * ACRE_CHECK_POINTERS.
 */
#ifndef ACRE_HARDEN_METADATA
#define ACRE_HARDEN_METADATA 0
#endif

/**
 * 1: TLSF's headers take a full word, and its blocks have no limit but the address space. 0: they
 * take 4 bytes, and a block is below 2^30 granules (16 GiB on 64-bit machines). Takes effect only
 * without ACRE_MAX_POOL.
 */
#ifndef ACRE_TLSF_WIDE
#define ACRE_TLSF_WIDE 0
#endif

/**
 * For small machines: bytes of the largest region of an allocator, below 2^31; 0: no limit. With a
 * limit, code is short before it is fast, control structures and fields are as large as regions of
 * that size need, and a region is looked up in O(regions), holds its own metadata (add_memory_apart
 * and the like refuse with ACRE_INVALID_PARAM) and is not joined with its neighbours.
 * docs/porting.md tells what each allocator leaves out.
 */
#ifndef ACRE_MAX_POOL
#define ACRE_MAX_POOL 0
#endif

/**
 * 1: an allocator takes any number of regions. 0: one; add_memory of another is refused with
 * ACRE_INVALID_PARAM. Takes effect only with ACRE_MAX_POOL.
 */
#ifndef ACRE_REGIONS
#define ACRE_REGIONS 1
#endif

/**
 * 1: every alignment is served. 0: TLSF serves those up to its granule, slab those up to
 * ACRE_SLAB_UNIT; larger ones are refused with ACRE_INVALID_PARAM. Takes effect only with
 * ACRE_MAX_POOL.
 */
#ifndef ACRE_ALIGNED
#define ACRE_ALIGNED 1
#endif

/**
 * The alignment that every block has at least, in bytes: a power of two from the size of a pointer
 * to 16. The default suits every C object. On a 32-bit machine where that is 16 (i386, RISC-V), 8
 * makes blocks smaller: TLSF's granule then has 8 bytes. An object that needs more, such as long
 * double there, must ask for it. The drop-in malloc needs the default.
 */
#ifndef ACRE_NATURAL_ALIGN
#define ACRE_NATURAL_ALIGN ACRE_ALIGNOF(max_align_t)
#endif

/** 1: assert internal invariants (debug, sanitizer and fuzz builds). Such a build without an
 * operating system supplies acre_assert_fail(text, file, line), which does not return. */
#ifndef ACRE_ASSERTS
#define ACRE_ASSERTS 0
#endif

#endif
