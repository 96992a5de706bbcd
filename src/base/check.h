/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The two results of a checker.
 */
#ifndef ACRE_SRC_BASE_CHECK_H
#define ACRE_SRC_BASE_CHECK_H

#include "base/compiler.h"

#include <acre/types.h>

/** Every invariant holds. */
ACRE_INLINE struct acre_check_result acre_check_sound(void)
{
    return (struct acre_check_result){ NULL, NULL };
}

/** An invariant, such as "TLSF-3: ...", is broken at an address. */
ACRE_INLINE struct acre_check_result acre_check_broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ invariant, where };
}

#endif
