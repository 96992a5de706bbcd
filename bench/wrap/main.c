/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre-bench-wrap: what each wrapper adds to a call over TLSF, in instructions that callgrind
 * counts. The program runs itself under valgrind, once for each wrapper. */
#include "bench/callgrind.h"

#include <acre/tlsf.h>
#include <acre/wrap.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL = 1 << 20, PAIRS = 1000, EXIT_WRONG = 2, OWNERS = 4 };

static const char help[] =
    "usage: acre-bench-wrap [--smoke]\n"
    "Counts the instructions that each wrapper adds to a call over TLSF, with valgrind.\n"
    "\n"
    "  --smoke     every wrapper once, without valgrind: does it work at all?\n"
    "  --help      this text\n";

static _Alignas(4096) unsigned char pool[POOL];
static _Alignas(4096) unsigned char small_pool[4096];
static struct acre_tlsf tlsf;
static struct acre_tlsf other;

/* ---- the backends ---- */

static struct acre_bytes bare(struct acre_bytes inner)
{
    return inner;
}

static void callback(void *arg)
{
    (void)arg;
}

static struct acre_bytes locked(struct acre_bytes inner)
{
    static struct acre_locked wrapper;
    struct acre_locker locker = { callback, callback, NULL };
    acre_locked_wrap(&wrapper, inner, locker);
    return acre_locked_bytes(&wrapper);
}

static struct acre_bytes classes(struct acre_bytes inner)
{
    static struct acre_tally wrapper;
    static struct acre_tally_row rows[ACRE_TALLY_CLASSES];
    acre_tally_wrap(&wrapper, inner, rows, ACRE_TALLY_CLASSES, NULL, 0);
    return acre_tally_bytes(&wrapper);
}

static struct acre_bytes owners(struct acre_bytes inner)
{
    static struct acre_tally wrapper;
    static struct acre_tally_row rows[ACRE_TALLY_CLASSES];
    static struct acre_tally_row of_owners[OWNERS];
    acre_tally_wrap(&wrapper, inner, rows, ACRE_TALLY_CLASSES, of_owners, OWNERS);
    return acre_tally_bytes(&wrapper);
}

static struct acre_bytes guarded(struct acre_bytes inner)
{
    static struct acre_guard wrapper;
    acre_guard_wrap(&wrapper, inner, NULL, NULL);
    return acre_guard_bytes(&wrapper);
}

static struct acre_bytes faulty(struct acre_bytes inner)
{
    static struct acre_fault wrapper;
    acre_fault_wrap(&wrapper, inner);
    return acre_fault_bytes(&wrapper);
}

static void swallow(void *arg, const void *text, size_t size)
{
    (void)arg;
    (void)text;
    (void)size;
}

static struct acre_bytes traced(struct acre_bytes inner)
{
    static struct acre_tracer wrapper;
    struct acre_tracer_sink sink = { swallow, NULL, NULL };
    acre_tracer_wrap(&wrapper, inner, sink);
    acre_tracer_begin(&wrapper, "bench");
    return acre_tracer_bytes(&wrapper);
}

static void take_small_pool(void)
{
    if (acre_tlsf_init(&other, small_pool, sizeof small_pool) != ACRE_OK)
        abort();
}

static struct acre_bytes first_serves(struct acre_bytes inner)
{
    static struct acre_fallback wrapper;
    take_small_pool();
    acre_fallback_wrap(&wrapper, inner, acre_tlsf_bytes(&other));
    return acre_fallback_bytes(&wrapper);
}

/* The first is full. */
static struct acre_bytes second_serves(struct acre_bytes inner)
{
    static struct acre_fallback wrapper;
    take_small_pool();
    while (acre_tlsf_alloc(&other, acre_layout(64, 1)).ptr != NULL)
        continue;
    acre_fallback_wrap(&wrapper, acre_tlsf_bytes(&other), inner);
    return acre_fallback_bytes(&wrapper);
}

static const struct backend {
    const char *name;
    struct acre_bytes (*wrap)(struct acre_bytes inner);
} backends[] = {
    { "none", bare },
    { "locked (empty callbacks)", locked },
    { "fault (no rule)", faulty },
    { "tally, classes", classes },
    { "tally, classes and owners", owners },
    { "guard", guarded },
    { "tracer (no clock)", traced },
    { "fallback, first serves", first_serves },
    { "fallback, second serves", second_serves },
};

enum { BACKENDS = sizeof backends / sizeof backends[0] };

/* ---- the work ---- */

/* What is counted, under any name that the compiler derives from this one. */
__attribute__((noinline)) static bool bench_wrap_pairs(struct acre_bytes bytes, size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        struct acre_ptr got = acre_alloc(bytes, acre_layout(64, 1));
        good &= acre_dealloc(bytes, got.ptr) == ACRE_OK;
    }
    return good;
}

static bool work(const struct backend *backend)
{
    if (acre_tlsf_init(&tlsf, pool, POOL) != ACRE_OK)
        return false;
    struct acre_bytes bytes = backend->wrap(acre_tlsf_bytes(&tlsf));
    return bench_wrap_pairs(bytes, PAIRS) && acre_bytes_check(bytes).invariant == NULL;
}

static int smoke(void)
{
    int bad = 0;
    for (size_t i = 0; i < BACKENDS; i++)
        bad += !work(&backends[i]);
    printf("acre-bench-wrap: %d wrappers, %d failed\n", BACKENDS, bad);
    return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the count ---- */

static double count_pair(size_t index)
{
    char arguments[8];
    snprintf(arguments, sizeof arguments, "%zu", index);
    double sum = callgrind_count_self("--toggle-collect='bench_wrap_pairs*'", arguments);
    return sum < 0 ? -1 : sum / PAIRS;
}

static int count_wrappers(void)
{
    double none = count_pair(0);
    if (none < 0) {
        fprintf(stderr, "acre-bench-wrap: valgrind did not count\n");
        return EXIT_FAILURE;
    }
    printf("alloc and dealloc of 64 bytes over TLSF, instructions; none: %.0f\n\n", none);
    printf("%-28s %12s\n", "wrapper", "adds a call");
    for (size_t i = 1; i < BACKENDS; i++) {
        double pair = count_pair(i);
        if (pair < 0)
            return EXIT_FAILURE;
        printf("%-28s %12.0f\n", backends[i].name, (pair - none) / 2);
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
        return smoke();
    if (argc == 2 && argv[1][0] >= '0' && argv[1][0] < '0' + BACKENDS && argv[1][1] == '\0')
        return work(&backends[argv[1][0] - '0']) ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc != 1) {
        fputs(help, stderr);
        return EXIT_WRONG;
    }
    return count_wrappers();
}
