/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre-bench-regions: what a call costs with 1 to 512 separate regions, in instructions that
 * callgrind counts. The program runs itself under valgrind, once per backend and number. */
#include "bench/callgrind.h"
#include "registry/registry.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    REGION = 64 << 10, /* bytes */
    STRIDE = REGION + 4096,
    MOST = 512,         /* regions */
    SLOTS = MOST * 512, /* more than the blocks that fill them */
    TOGGLES = 40000,
    WARM_UP = 40000,
    CONTROL = 1 << 16, /* bytes of the largest control structure */
    EXIT_WRONG = 2
};

static const char help[] =
    "usage: acre-bench-regions [--smoke]\n"
    "Counts the instructions of a call with 1, 8, 64 and 512 separate regions of 64 KiB, with\n"
    "valgrind: blocks of 64 to 512 bytes fill all regions, half of them are freed at random, then\n"
    "blocks drawn at random are freed or allocated.\n"
    "\n"
    "  --smoke     every backend once, without valgrind: does it work at all?\n"
    "  --help      this text\n";

static const char *const names[] = { "tlsf", "tlsf-quick", "slab", "buddy", "heap/tlsf",
    "heap/slab", NULL };
static const size_t counts[] = { 1, 8, 64, 512 };

enum { COUNTS = sizeof counts / sizeof counts[0] };

static _Alignas(64) unsigned char control[CONTROL];
static void *slots[SLOTS];
static uint64_t seed = 1;

/* ---- the work ---- */

static size_t draw_below(size_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(seed >> 33) % below;
}

/* What is counted; their own names are what callgrind is told. */
__attribute__((noinline)) static void *bench_regions_alloc(struct acre_bytes bytes, size_t size)
{
    return acre_alloc(bytes, acre_layout(size, 1)).ptr;
}

__attribute__((noinline)) static enum acre_status bench_regions_dealloc(
    struct acre_bytes bytes, void *ptr)
{
    return acre_dealloc(bytes, ptr);
}

static bool toggle(struct acre_bytes bytes, size_t used)
{
    void **slot = &slots[draw_below(used)];
    if (*slot == NULL) {
        *slot = bench_regions_alloc(bytes, 64 + draw_below(449)); /* null while memory is short */
        return true;
    }
    bool good = bench_regions_dealloc(bytes, *slot) == ACRE_OK;
    *slot = NULL;
    return good;
}

static size_t fill(struct acre_bytes bytes)
{
    size_t used = 0;
    struct acre_ptr got;
    while (used < SLOTS &&
           (got = acre_alloc(bytes, acre_layout(64 + draw_below(449), 1))).status == ACRE_OK)
        slots[used++] = got.ptr;
    for (size_t i = 0; i < used; i++)
        if (draw_below(2) == 0) {
            acre_dealloc(bytes, slots[i]);
            slots[i] = NULL;
        }
    return used;
}

static struct acre_bytes open_backend(const char *name, size_t regions, bool *good)
{
    const struct acre_backend *backend = acre_backend_find(name);
    unsigned char *memory = mmap(NULL, regions * STRIDE, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *good = memory != MAP_FAILED && backend != NULL && backend->backing->size <= CONTROL;
    if (!*good)
        return (struct acre_bytes){ NULL, NULL };
    struct acre_bytes bytes = backend->handle(control);
    *good = acre_bytes_init(bytes, memory, REGION) == ACRE_OK;
    for (size_t i = 1; i < regions && *good; i++)
        *good = acre_bytes_add_memory(bytes, memory + i * STRIDE, REGION) == ACRE_OK;
    return bytes;
}

/* `toggles` operations after as many as WARM_UP that are not counted apart. */
static bool toggle_regions(const char *name, size_t regions, size_t toggles)
{
    bool good = false;
    struct acre_bytes bytes = open_backend(name, regions, &good);
    size_t used = good ? fill(bytes) : 0;
    for (size_t i = 0; i < toggles && good; i++)
        good = toggle(bytes, used);
    return good && used > regions;
}

static int smoke_regions(void)
{
    int bad = 0;
    for (size_t i = 0; names[i] != NULL; i++)
        if (acre_backend_find(names[i]) != NULL)
            bad += !toggle_regions(names[i], 8, 1000);
    printf("acre-bench-regions: %d failed\n", bad);
    return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the count ---- */

/* Instructions of all counted calls of so many toggles; -1: valgrind did not count. */
static double count_toggles(const char *name, size_t regions, size_t toggles)
{
    char arguments[64];
    snprintf(arguments, sizeof arguments, "%s %zu %zu", name, regions, toggles);
    return callgrind_count_self(
        "--toggle-collect=bench_regions_alloc --toggle-collect=bench_regions_dealloc", arguments);
}

/* Instructions per call, those that a warmed-up allocator takes. */
static double count_call(const char *name, size_t regions)
{
    double before = count_toggles(name, regions, WARM_UP);
    double all = count_toggles(name, regions, WARM_UP + TOGGLES);
    return before < 0 || all < 0 ? -1 : (all - before) / TOGGLES;
}

static int count_backends(void)
{
    printf(
        "instructions per call, blocks of 64 to 512 bytes toggled at random in regions of 64 KiB\n"
        "\n| backend | 1 region | 8 | 64 | 512 | bound | verdict |\n"
        "|---|---:|---:|---:|---:|---:|---|\n");
    for (size_t i = 0; names[i] != NULL; i++) {
        double calls[COUNTS];
        if (acre_backend_find(names[i]) == NULL)
            continue;
        printf("| %s ", names[i]);
        for (size_t n = 0; n < COUNTS; n++) {
            calls[n] = count_call(names[i], counts[n]);
            if (calls[n] < 0) {
                fprintf(stderr, "acre-bench-regions: valgrind did not count\n");
                return EXIT_FAILURE;
            }
            printf("| %.1f ", calls[n]);
            fflush(stdout);
        }
        double bound = 1.5 * calls[0] + 10;
        printf("| %.1f | %s |\n", bound, calls[COUNTS - 1] <= bound ? "met" : "not met");
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--smoke") == 0)
        return smoke_regions();
    if (argc == 4)
        return toggle_regions(argv[1], strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10))
                   ? EXIT_SUCCESS
                   : EXIT_FAILURE;
    if (argc != 1) {
        fputs(help, stderr);
        return EXIT_WRONG;
    }
    return count_backends();
}
