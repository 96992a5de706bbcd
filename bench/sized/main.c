/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre-bench-sized: what dealloc_sized takes more than dealloc, in instructions that callgrind
 * counts. The program runs itself under valgrind, once per backend and verb. Plugins are given the
 * size with every block, so they have one verb. */
#include "bench/callgrind.h"
#include "bench/grid.h"
#include "bench/random.h"
#include "cli/options.h"
#include "plugin/plugin_load.h"
#include "registry/registry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    POOL = 16 << 20,
    CONTROL = 1 << 20, /* bytes of the largest control structure */
    SLOTS = 10000,
    WARM_UP = 20000, /* frees */
    FREES = 40000,
    SMOKE_FREES = 1000,
    ALIGN = 8,
    SUBJECTS = 32,
    BOUND = 5
};

/* What the program tells itself to do: CHILD NAME VERB [FILE]; VERB is plain or sized. */
#define CHILD "free"

/* What callgrind counts, under any names that the compiler derives from these. */
#define COUNTED "--toggle-collect='bench_sized_free*' --toggle-collect='bench_plain_free*'"

static const char *const names[] = { "tlsf", "tlsf-quick", "buddy", "slab", "heap/tlsf",
    "heap/slab", "heap/buddy", "threaded" };
enum { NAMES = sizeof names / sizeof names[0] };

/* A built-in backend by its name, or a plugin. */
struct sized_subject {
    const char *name;
    const char *path;                 /* of the plugin; null: built in */
    const struct acre_plugin *plugin; /* null: built in */
};

static struct sized_subject subjects[SUBJECTS];
static size_t subject_count;

/* An allocator in its pool. */
struct sized_instance {
    const struct acre_plugin *plugin; /* null: built in */
    void *self;
    struct acre_bytes bytes;
};

static struct {
    void *block;
    size_t size;
} slots[SLOTS];

/* ---- what is counted ---- */

__attribute__((noinline)) static enum acre_status bench_plain_free(
    const struct sized_instance *instance, void *block)
{
    return acre_dealloc(instance->bytes, block);
}

__attribute__((noinline)) static enum acre_status bench_sized_free(
    const struct sized_instance *instance, void *block, size_t size)
{
    return acre_dealloc_sized(instance->bytes, block, acre_layout(size, ALIGN));
}

__attribute__((noinline)) static enum acre_status bench_sized_free_plugin(
    const struct sized_instance *instance, void *block, size_t size)
{
    instance->plugin->dealloc(instance->self, block, size, ALIGN);
    return ACRE_OK;
}

/* ---- the work ---- */

static bool open_sized(struct sized_instance *instance, const struct sized_subject *subject)
{
    static _Alignas(64) unsigned char control[CONTROL];
    void *pool = mmap(NULL, POOL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pool == MAP_FAILED)
        return false;
    *instance = (struct sized_instance){ .plugin = subject->plugin };
    if (subject->plugin)
        return (instance->self = subject->plugin->create(pool, POOL)) != NULL;
    const struct acre_backend *backend = acre_backend_find(subject->name);
    if (!backend || backend->backing->size > CONTROL)
        return false;
    instance->bytes = backend->handle(control);
    return acre_bytes_init(instance->bytes, pool, POOL) == ACRE_OK;
}

static void *sized_alloc(const struct sized_instance *instance, size_t size)
{
    if (instance->plugin)
        return instance->plugin->alloc(instance->self, size, ALIGN);
    return acre_alloc(instance->bytes, acre_layout(size, ALIGN)).ptr;
}

static enum acre_status free_counted(
    const struct sized_instance *instance, void *block, size_t size, bool sized)
{
    if (instance->plugin)
        return bench_sized_free_plugin(instance, block, size);
    return sized ? bench_sized_free(instance, block, size) : bench_plain_free(instance, block);
}

static enum acre_status free_uncounted(
    const struct sized_instance *instance, void *block, size_t size)
{
    if (!instance->plugin)
        return acre_dealloc(instance->bytes, block);
    instance->plugin->dealloc(instance->self, block, size, ALIGN);
    return ACRE_OK;
}

/* Toggles blocks of 16 to 4096 bytes at random, until WARM_UP blocks and then so many counted ones
 * have been freed. False: a call went wrong. */
static bool toggle_sized(const struct sized_subject *subject, size_t counted, bool sized)
{
    struct sized_instance instance;
    uint64_t seed = 1;
    bool good = open_sized(&instance, subject);
    for (size_t frees = 0; good && frees < WARM_UP + counted;) {
        size_t at = bench_random_below(&seed, SLOTS);
        size_t size = slots[at].size;
        void *block = slots[at].block;
        slots[at].block = NULL;
        if (block && frees++ < WARM_UP)
            good = free_uncounted(&instance, block, size) == ACRE_OK;
        else if (block)
            good = free_counted(&instance, block, size, sized) == ACRE_OK;
        if (block)
            continue;
        slots[at].size = bench_random_log(&seed, 16, 4096);
        slots[at].block = sized_alloc(&instance, slots[at].size);
    }
    memset(slots, 0, sizeof slots);
    return good;
}

/* ---- the subjects ---- */

/* A plugin stays loaded. */
static bool load_sized_plugin(struct sized_subject *subject, const char *path)
{
    char error[512];
    struct acre_plugin_file file;
    if (!acre_plugin_load(&file, path, error, sizeof error)) {
        fprintf(stderr, "acre-bench-sized: %s\n", error);
        return false;
    }
    *subject = (struct sized_subject){ file.table->name, path, file.table };
    return true;
}

static bool add_sized_subjects(const struct acre_text_list *plugins)
{
    for (size_t i = 0; i < NAMES; i++)
        if (acre_backend_find(names[i]))
            subjects[subject_count++] = (struct sized_subject){ .name = names[i] };
    for (size_t i = 0; i < plugins->count; i++) {
        if (subject_count == SUBJECTS) {
            fprintf(stderr, "acre-bench-sized: too many plugins\n");
            return false;
        }
        if (!load_sized_plugin(&subjects[subject_count++], plugins->items[i]))
            return false;
    }
    return true;
}

/* ---- counting ---- */

static int run_sized_child(int argc, char **argv)
{
    enum { NAME = 2, VERB, PLUGIN };
    struct sized_subject subject = { .name = argv[NAME] };
    if (argc > PLUGIN && !load_sized_plugin(&subject, argv[PLUGIN]))
        return EXIT_FAILURE;
    bool sized = strcmp(argv[VERB], "sized") == 0;
    return toggle_sized(&subject, FREES, sized) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Instructions of a free; no number: they were not counted. */
static double count_free(const struct sized_subject *subject, const char *verb)
{
    char arguments[512];
    const char *path = subject->path ? subject->path : "";
    const char *quote = subject->path ? "'" : "";
    snprintf(arguments, sizeof arguments, CHILD " %s %s %s%s%s", subject->name, verb, quote, path,
        quote);
    double all = callgrind_count_self(COUNTED, arguments);
    return all < 0 ? (double)NAN : all / FREES;
}

static int smoke_sized(void)
{
    int bad = 0;
    for (size_t i = 0; i < subject_count; i++)
        bad += !toggle_sized(&subjects[i], SMOKE_FREES, true);
    printf("acre-bench-sized: %zu backends, %d failed\n", subject_count, bad);
    return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *judge_sized(double more)
{
    if (isnan(more))
        return "not measured";
    return more <= BOUND ? "met" : "not met";
}

static void put_subject(struct bench_grid *grid, const struct sized_subject *subject)
{
    double plain = subject->plugin ? (double)NAN : count_free(subject, "plain");
    double sized = count_free(subject, "sized");
    bench_grid_row(grid, subject->name);
    bench_grid_number(grid, plain, 1);
    bench_grid_number(grid, sized, 1);
    bench_grid_number(grid, sized - plain, 1);
    bench_grid_number(grid, subject->plugin ? (double)NAN : (double)BOUND, 1);
    bench_grid_put(grid, subject->plugin ? "-" : judge_sized(sized - plain));
}

static int count_all_subjects(void)
{
    static struct bench_grid grid;
    static const char *const head[] = { "backend", "dealloc", "dealloc_sized", "more", "bound",
        "verdict" };
    printf(
        "Instructions of a free, blocks of 16 to 4096 bytes toggled at random (plugins are given "
        "every size):\n\n");
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (size_t i = 0; i < subject_count; i++)
        put_subject(&grid, &subjects[i]);
    bench_grid_print(&grid);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    bool smoke = false;
    struct acre_text_list with = { .count = 0 };
    const struct acre_option table[] = {
        { "with", 0, ACRE_OPTION_LIST, "FILE",
            "count the plugin FILE as well (acre/plugin.h); may be\nrepeated", &with },
        { "plugin", 0, ACRE_OPTION_LIST, "FILE", "the same as --with", &with },
        { "smoke", 's', ACRE_OPTION_FLAG, NULL,
            "every backend once, without valgrind: does it work at\nall?", &smoke },
        { .name = NULL },
    };
    const struct acre_usage usage = { "-bench-sized", "",
        "Counts the instructions of dealloc and of dealloc_sized.", table, false };
    if (argc >= 4 && strcmp(argv[1], CHILD) == 0)
        return run_sized_child(argc, argv);
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? EXIT_SUCCESS : ACRE_EXIT_USAGE;
    if (argc)
        return acre_usage_error(&usage, "unexpected argument '%s'", argv[0]);
    if (!add_sized_subjects(&with))
        return ACRE_EXIT_USAGE;
    return smoke ? smoke_sized() : count_all_subjects();
}
