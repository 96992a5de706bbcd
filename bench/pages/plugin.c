/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Page allocators that come as shared objects, and whether any backend does what it should. */
#include "pages.h"

#include "bench/random.h"
#include "plugin/plugin_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_ALIGN = 4096 };

/* ---- plugins ---- */

static const struct acre_pages_plugin *table;
static void *memory, *instance;

static bool plugin_make(const struct pages_backend *who, size_t pages)
{
    table = who->plugin;
    size_t size = table->size(pages);
    memory = size == 0 || size > SIZE_MAX - MEMORY_ALIGN
                 ? NULL
                 : aligned_alloc(MEMORY_ALIGN, (size + MEMORY_ALIGN - 1) & -(size_t)MEMORY_ALIGN);
    instance = memory != NULL ? table->create(memory, pages) : NULL;
    if (instance == NULL)
        free(memory);
    return instance != NULL;
}

static size_t plugin_take(size_t count)
{
    return table->alloc(instance, count);
}

static void plugin_give(size_t page, size_t count)
{
    table->dealloc(instance, page, count);
}

static void plugin_drop(void)
{
    if (table->destroy != NULL)
        table->destroy(instance);
    free(memory);
}

static bool has_name(const char *name)
{
    for (size_t i = 0; i < pages_backend_count; i++)
        if (strcmp(pages_backends[i].name, name) == 0)
            return true;
    return false;
}

bool pages_add_plugin(const char *path)
{
    char error[512];
    const struct acre_pages_plugin *found = acre_pages_plugin_load(path, error, sizeof error);
    if (found != NULL && has_name(found->name))
        snprintf(error, sizeof error, "%s: the name '%s' is taken", path, found->name);
    else if (found != NULL && pages_backend_count == PAGES_BACKENDS_MAX)
        snprintf(error, sizeof error, "%s: one backend too many", path);
    else if (found != NULL) {
        pages_backends[pages_backend_count++] =
            (struct pages_backend){ found->name, plugin_make, plugin_take, plugin_give, plugin_drop,
                (found->flags & ACRE_PAGES_PLUGIN_LINEAR) != 0, found, path };
        return true;
    }
    fprintf(stderr, "acre-bench-pages: %s\n", error);
    return false;
}

/* ---- verification ---- */

enum { PAGES = 3000, RUNS = 400, STEPS = 20000 };

struct oracle {
    bool used[PAGES];
    size_t page[RUNS], count[RUNS];
    size_t runs;
};

static bool all_are(const struct oracle *oracle, size_t page, size_t count, bool used)
{
    for (size_t i = 0; i < count; i++)
        if (oracle->used[page + i] != used)
            return false;
    return true;
}

static bool verify_take(const struct pages_backend *who, struct oracle *oracle, size_t count)
{
    size_t page = who->take(count);
    if (page == PAGES_NONE)
        return true;
    if (page >= PAGES || count > PAGES - page || !all_are(oracle, page, count, false))
        return false;
    memset(oracle->used + page, true, count);
    oracle->page[oracle->runs] = page;
    oracle->count[oracle->runs++] = count;
    return true;
}

static void verify_give(const struct pages_backend *who, struct oracle *oracle, size_t which)
{
    who->give(oracle->page[which], oracle->count[which]);
    memset(oracle->used + oracle->page[which], false, oracle->count[which]);
    oracle->page[which] = oracle->page[--oracle->runs];
    oracle->count[which] = oracle->count[oracle->runs];
}

static bool verify_steps(const struct pages_backend *who, struct oracle *oracle)
{
    uint64_t random = 1;
    for (int step = 0; step < STEPS; step++) {
        bool take = oracle->runs == 0 || bench_random_below(&random, 2) == 0;
        if (!take || oracle->runs == RUNS)
            verify_give(who, oracle, bench_random_below(&random, oracle->runs));
        else if (!verify_take(who, oracle, bench_random_log(&random, 1, 64)))
            return false;
    }
    while (oracle->runs != 0)
        verify_give(who, oracle, 0);
    return verify_take(who, oracle, PAGES) && oracle->runs == 1;
}

bool pages_verify(const struct pages_backend *who)
{
    struct oracle *oracle = calloc(1, sizeof *oracle);
    bool made = oracle != NULL && who->make(who, PAGES);
    bool good = made && verify_steps(who, oracle);
    if (made)
        who->drop();
    if (!made)
        fprintf(stderr, "acre-bench-pages: %s: cannot be made for %d pages\n", who->name, PAGES);
    else if (!good)
        fprintf(stderr,
            "acre-bench-pages: %s: handed out pages that are in use or not there, or lost some\n",
            who->name);
    free(oracle);
    return good;
}
