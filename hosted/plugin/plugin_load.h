/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Loads allocators that come as shared objects (see acre/plugin.h). */
#ifndef ACRE_PLUGIN_LOAD_H
#define ACRE_PLUGIN_LOAD_H

#include <acre/conformance.h>
#include <acre/plugin.h>
#include <stdbool.h>

/* A loaded plugin. `table` stays valid until acre_plugin_unload(). */
struct acre_plugin_file {
    void *library;
    const struct acre_plugin *table;
};

/*
 * Loads the shared object at `path` (a path without a slash is taken from the working directory,
 * not searched for) and checks its table. Returns true and fills `*file`; or returns false,
 * leaves `*file` empty and writes into `error` (at most `error_size` bytes, null-terminated) one
 * sentence without a newline: the file cannot be loaded, exports no `acre_plugin`, was built for
 * another ABI, or lacks a name or one of the functions that are not optional.
 */
bool acre_plugin_load(
    struct acre_plugin_file *file, const char *path, char *error, size_t error_size);

/* Unloads. No instance of the plugin may be alive. Does nothing to an empty `*file`. */
void acre_plugin_unload(struct acre_plugin_file *file);

/* As acre_plugin_load(), for the table `acre_pages_plugin`. The library stays loaded for as long as
 * the process runs. Null, with the sentence in `error`, when it cannot be used. */
const struct acre_pages_plugin *acre_pages_plugin_load(
    const char *path, char *error, size_t error_size);

/* The same for the subject `acre_subject` (see acre/conformance.h). Null with an empty `error`:
 * the file can be loaded and exports none. */
const struct acre_subject *acre_subject_load(const char *path, char *error, size_t error_size);

#endif
