/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: conformance.bytes [KIND]
 * Runs every scene over every kind, or over the one named, which may be a broken one.
 */
#include "conformance/suite.h"

static const struct scene *const lists[] = { alloc_scenes, free_scenes, resize_scenes,
    region_scenes, account_scenes, walk_scenes };

int main(int argc, char **argv)
{
    return run_scenes("conformance", lists, sizeof lists / sizeof lists[0], argc, argv);
}
