/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Attributes of the functions that the shared object exports.
 */
#ifndef ACRE_HOSTED_MALLOC_EXPORT_H
#define ACRE_HOSTED_MALLOC_EXPORT_H

/** Exports a function from the shared object. */
#define ACRE_EXPORT __attribute__((visibility("default")))

/** Gives a function of the same file, with all its attributes, a second name. */
#if defined(__has_attribute) && __has_attribute(copy)
#define ACRE_ALIAS(name) __attribute__((copy(name), alias(#name)))
#else
#define ACRE_ALIAS(name) __attribute__((alias(#name)))
#endif

#endif
