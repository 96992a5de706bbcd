/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Every build-time knob, with its default. A build sets them with -DNAME=VALUE for the library and
 * for all that includes its headers alike; the copy of this header that is installed has for
 * defaults what the library was built with.
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
#ifndef ACRE_BITMAP
#define ACRE_BITMAP 1 /**< Bitmap page and id allocators. */
#endif
#ifndef ACRE_HEAP
#define ACRE_HEAP 1 /**< Two-level heap: bytes over pages. */
#endif
#ifndef ACRE_WRAP
#define ACRE_WRAP 1 /**< Wrappers that stack on any byte allocator. */
#endif
#ifndef ACRE_SHARED
#define ACRE_SHARED 1 /**< Reference-counted handles, and what stands on them. */
#endif
#ifndef ACRE_HOSTED
#define ACRE_HOSTED 1 /**< Parts that need an operating system: drop-in malloc, recorder, tool. */
#endif

/**
 * 1: a pointer handed back is proven to be the start of a live block before anything is read
 * through it. 0: the caller vouches for it; a wrong pointer is then undefined behaviour in TLSF.
 * Buddy, slab and bitmap read the same state to do their work, and keep the proof.
 */
#ifndef ACRE_CHECK_POINTERS
#define ACRE_CHECK_POINTERS 1
#endif

/**
 * 1: TLSF's headers take a full word, and its blocks have no limit but the address space. 0: they
 * take 4 bytes, and a block is below 2^30 granules (16 GiB on 64-bit machines).
 */
#ifndef ACRE_TLSF_WIDE
#define ACRE_TLSF_WIDE 0
#endif

/** 1: assert internal invariants (debug, sanitizer and fuzz builds). Such a build without an operating
 * system supplies acre_assert_fail(text, file, line), which does not return. */
#ifndef ACRE_ASSERTS
#define ACRE_ASSERTS 0
#endif

#endif
