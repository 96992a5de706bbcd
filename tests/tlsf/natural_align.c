/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The share of requests that a heap of 2 KB serves where max_align_t has 16 bytes on a 32-bit
 * machine, by ACRE_NATURAL_ALIGN: requests as in the stress of Zephyr's heap tests, half of them
 * below 16 bytes, a quarter below 32, and so on; half of the heap is to be live.
 */
#include "support/rng.h"

#include <acre/tlsf.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { HEAP = 2048, STEPS = 4096, SEEDS = 16, LIVE = HEAP / 2 };

static _Alignas(16) unsigned char memory[HEAP];
static struct {
    void *at;
    size_t size;
} blocks[HEAP];
static size_t live, live_bytes, asked, served;

static size_t draw_size(struct rng *rng)
{
    size_t below = 16;
    while (rng_below(rng, 2) == 0)
        below *= 2;
    return rng_below(rng, below);
}

static void alloc_one(struct acre_tlsf *tlsf, size_t size)
{
    void *at = acre_tlsf_alloc(tlsf, acre_layout(size, 1)).ptr;
    asked++;
    if (at == NULL)
        return;
    served++;
    blocks[live].at = at;
    blocks[live++].size = size;
    live_bytes += size;
}

static void free_one(struct acre_tlsf *tlsf, size_t index)
{
    assert_int_equal(acre_tlsf_dealloc(tlsf, blocks[index].at), ACRE_OK);
    live_bytes -= blocks[index].size;
    blocks[index] = blocks[--live];
}

/* The chance of a free grows with the live bytes, up to one half; from LIVE bytes on, every step
 * is one. */
static void take_steps(struct acre_tlsf *tlsf, struct rng *rng)
{
    for (size_t step = 0; step < STEPS; step++) {
        size_t chance = live_bytes < LIVE ? live_bytes : 2 * LIVE;
        if (live != 0 && rng_below(rng, 2 * LIVE) < chance)
            free_one(tlsf, rng_below(rng, live));
        else
            alloc_one(tlsf, draw_size(rng));
    }
}

static void a_small_heap_serves(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct acre_tlsf tlsf = { 0 };
        struct rng rng = { seed };
        live = live_bytes = 0;
        assert_int_equal(acre_tlsf_init(&tlsf, memory, HEAP), ACRE_OK);
        take_steps(&tlsf, &rng);
        assert_null(acre_tlsf_check(&tlsf).invariant);
    }
    print_message("alignment %zu, granule %d: %zu %% of %zu requests served\n",
        (size_t)ACRE_NATURAL_ALIGN, ACRE_TLSF_GRANULE, 100 * served / asked, asked);
    assert_in_range(100 * served / asked, ACRE_TLSF_GRANULE == 8 ? 93 : 30, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_small_heap_serves) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
