/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "contestants.h"
#include "loop.h"
#include "plugin/plugin_load.h"

#include <string.h>

BENCH_DEFINE_LOOPS(plugin, run->table->alloc, run->table->dealloc, run->table->realloc);

/* The table in use, completed: a process binds one contestant. */
static struct acre_plugin plugin_table;

static void *plugin_move(void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    void *moved = plugin_table.alloc(self, new_size, align);
    if (moved) {
        memcpy(moved, ptr, old_size < new_size ? old_size : new_size);
        plugin_table.dealloc(self, ptr, old_size, align);
    }
    return moved;
}

bool bench_bind_plugin(const char *path, struct bench_bound *bound, char *error, size_t error_size)
{
    struct acre_plugin_file file;
    if (!acre_plugin_load(&file, path, error, error_size))
        return false;
    plugin_table = *file.table;
    if (!plugin_table.realloc)
        plugin_table.realloc = plugin_move;
    *bound = (struct bench_bound){ &plugin_table, &plugin_loops };
    return true;
}
