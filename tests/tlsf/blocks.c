/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's blocks: the memory before, operations, the memory after. Memory is written as the walk
 * shows it, one word per block: its granules, and a dot after them when the block is free.
 * Operations:
 *   aN     allocate a block of N granules
 *   AN.M   the same, aligned to M granules
 *   fI     free the I-th block that was allocated
 *   rI.N   resize it to N granules
 *   RI.N   reallocate it to N granules
 * A "!" after an operation says that it is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tlsf/tlsf_list.h"

enum { GRANULE = ACRE_TLSF_GRANULE, GRANULES = 1024, BLOCKS_MAX = 16 };

struct table {
    const char *name;
    const char *operations;
    const char *after;
};

/* Memory is 1024 granules long and starts at a multiple of 1024 granules less one. */
static const struct table tables[] = {
    { "empty", "", "1024." },
    { "first", "a4", "4 1020." },
    { "smallest", "a1", "2 1022." },
    { "all", "a1024", "1024" },
    { "one too many", "a1025!", "1024." },
    { "one granule is no block", "a1023", "1024" },
    { "merge with nothing", "a4 a5 a6 f1", "4 5. 6 1009." },
    { "merge with the one before", "a4 a5 a6 f0 f1", "9. 6 1009." },
    { "merge with the one after", "a4 a5 a6 a7 f2 f1", "4 11. 7 1002." },
    { "merge with both", "a4 a5 a6 a7 f0 f2 f1", "15. 7 1002." },
    { "merge with a large one after", "a4 a5 f1", "4 1020." },
    { "merge with large ones on both sides", "a400 a5 f0 f1", "1024." },
    { "merge a small one into a large one after it", "a3 a4 f0 f1", "1024." },
    { "merge a large one before", "a400 a5 a6 f0 f1", "405. 6 613." },
    { "exact fit", "a4 a5 a6 f1 a5", "4 5 6 1009." },
    { "exact fit before larger ones", "a6 a2 a5 a2 f0 f2 a5", "6. 2 5 2 1009." },
    { "best of the larger ones", "a9 a2 a7 a2 f0 f2 a5", "9. 2 5 2. 2 1004." },
    { "remainder of one granule stays", "a6 a2 f0 a5", "6 2 1016." },
    { "last freed is first reused", "a5 a2 a5 a2 f0 f2 a5", "5. 2 5 2 1010." },
    { "a remainder above the first waits after it", "a5 a2 a20 a2 f0 f2 a15 a5",
        "5 2 15 5. 2 995." },
    { "a remainder below the first comes before it", "a20 a2 a5 a2 f2 f0 a15 a5",
        "15 5 2 5. 2 995." },
    { "large fit from the own list", "a300 a2 a310 a2 f0 f2 a305", "300. 2 305 5. 2 410." },
    { "shrink", "a9 a2 r0.4", "4 5. 2 1013." },
    { "shrink by one granule", "a9 a2 r0.8", "9 2 1013." },
    { "shrink beside a free one", "a9 r0.8", "8 1016." },
    { "grow", "a9 r0.20", "20 1004." },
    { "grow into all there is", "a9 a5 a2 f1 r0.14", "14 2 1008." },
    { "grow and leave one granule", "a9 a5 a2 f1 r0.13", "14 2 1008." },
    { "grow too far", "a9 a5 a2 f1 r0.15!", "9 5. 2 1008." },
    { "grow beside a free one before", "a9 a5 f0 r1.8", "9. 8 1007." },
    { "realloc in place", "a9 R0.20", "20 1004." },
    { "realloc moves", "a9 a2 R0.20", "9. 2 20 993." },
    { "realloc finds nothing", "a9 a2 R0.1020!", "9 2 1013." },
    { "aligned, gap before", "A4.8", "7. 4 1013." },
    { "free what was aligned", "A4.8 f0", "1024." },
};

static _Alignas(GRANULES *GRANULE) unsigned char memory[(GRANULES + 8) * GRANULE];
static unsigned char metadata[1024];
static struct acre_tlsf tlsf;
static void *blocks[BLOCKS_MAX];
static size_t block_count;

static void assert_sound(void)
{
    struct acre_check_result result = acre_tlsf_check(&tlsf);
    if (result.invariant != NULL)
        fail_msg("%s at %p", result.invariant, result.where);
    struct acre_stats stats = acre_tlsf_stats(&tlsf);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
}

/* A region whose first block starts one granule after a multiple of GRANULES granules. */
static int set_up(void **state)
{
    (void)state;
    block_count = 0;
    memset(&tlsf, 0, sizeof(tlsf));
    return acre_tlsf_add_memory_apart(&tlsf, memory, (GRANULES + 1) * (size_t)GRANULE, metadata,
               sizeof(metadata)) == ACRE_OK
               ? 0
               : -1;
}

static size_t bytes_of(size_t granules)
{
    return granules * GRANULE - TLSF_HEADER;
}

static bool allocate(size_t granules, size_t align)
{
    assert_in_range(block_count, 0, BLOCKS_MAX - 1);
    void *ptr = acre_tlsf_alloc(&tlsf, acre_layout(bytes_of(granules), align)).ptr;
    blocks[block_count++] = ptr;
    assert_int_equal((uintptr_t)ptr % align, 0);
    return ptr != NULL;
}

static bool reallocate(void **block, size_t granules)
{
    void *ptr = acre_tlsf_realloc(&tlsf, *block, acre_layout(bytes_of(granules), 1)).ptr;
    if (ptr != NULL)
        *block = ptr;
    return ptr != NULL;
}

static bool perform(char verb, size_t first, size_t second)
{
    switch (verb) {
    case 'a':
        return allocate(first, 1);
    case 'A':
        return allocate(first, second * GRANULE);
    case 'f':
        return acre_tlsf_dealloc(&tlsf, blocks[first]) == ACRE_OK;
    case 'r':
        return acre_tlsf_resize(&tlsf, blocks[first], bytes_of(second)) == ACRE_OK;
    default:
        assert_int_equal(verb, 'R');
        return reallocate(&blocks[first], second);
    }
}

static void run(const char *operations)
{
    while (*operations != '\0') {
        char *end = NULL;
        char verb = *operations;
        size_t first = strtoul(operations + 1, &end, 10);
        size_t second = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
        bool refused = *end == '!';
        assert_int_equal(perform(verb, first, second), !refused);
        assert_sound();
        operations = end + refused;
        operations += *operations == ' ';
    }
}

static bool describe(void *arg, void *start, size_t size, bool live)
{
    char *text = arg;
    size_t used = strlen(text);
    (void)start;
    snprintf(text + used, 200 - used, "%s%zu%s", used == 0 ? "" : " ",
        (size + TLSF_HEADER) / GRANULE, live ? "" : ".");
    return true;
}

static void run_table(void **state)
{
    const struct table *table = *state;
    char after[200] = "";
    assert_int_equal(set_up(NULL), 0);
    run(table->operations);
    acre_tlsf_walk(&tlsf, describe, after);
    assert_string_equal(after, table->after);
}

/* Whatever was done, all comes back in one piece. */
static void free_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        assert_int_equal(set_up(NULL), 0);
        run(tables[i].operations);
        for (size_t at = 0; at < block_count; at++)
            acre_tlsf_dealloc(&tlsf, blocks[at]);
        assert_sound();
        assert_int_equal(acre_tlsf_stats(&tlsf).used, 0);
        assert_int_equal(acre_tlsf_stats(&tlsf).largest_free, bytes_of(GRANULES));
    }
}

/* The list of a size has no block that is too small, and every size has one. */
static void lists_rise_with_sizes(void **state)
{
    (void)state;
    size_t before = tlsf_list(ACRE_TLSF_MIN_GRANULES);
    assert_int_equal(before, 0);
    for (size_t granules = ACRE_TLSF_MIN_GRANULES; granules < 70000; granules++) {
        size_t list = tlsf_list(granules);
        assert_in_range(list, before, before + 1);
        assert_int_equal(
            tlsf_list_fitting(granules), list == before && granules > 2 ? list + 1 : list);
        before = list;
    }
    assert_int_equal(tlsf_list(TLSF_MAX_GRANULES), ACRE_TLSF_LISTS - 1);
}

int main(void)
{
    enum { TABLES = sizeof(tables) / sizeof(tables[0]) };
    struct CMUnitTest tests[TABLES + 2];
    for (size_t i = 0; i < TABLES; i++)
        tests[i] = (struct CMUnitTest){ tables[i].name, run_table, NULL, NULL,
            (void *)(uintptr_t)&tables[i] };
    tests[TABLES] = (struct CMUnitTest)cmocka_unit_test(free_all);
    tests[TABLES + 1] = (struct CMUnitTest)cmocka_unit_test(lists_rise_with_sizes);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
