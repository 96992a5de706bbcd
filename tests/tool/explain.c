/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre replay --explain on heaps whose state can be told on paper. */
#include "registry/registry.h"
#include "tool/spawn.h"
#include "tool/traces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#define BLOCKS 64
#define BLOCK_BYTES 1000
#define REQUEST 2900

static struct spawned spawned;
static const char *comb;

/* A pool of blocks of which every other one is freed, then a request that would take three. Thread
 * 5 makes the odd ones, which stay. */
static int make_comb(void **state)
{
    (void)state;
    comb = trace_path("comb.txt");
    FILE *file = fopen(comb, "w");
    if (!file)
        return -1;
    fprintf(file, "acre-trace 1\nprocess 7 1 started comb\n");
    for (int i = 0; i < BLOCKS; i++)
        fprintf(file, "t %d\nm %d %d\n", i % 2 ? 5 : 0, i, BLOCK_BYTES);
    for (int i = 0; i < BLOCKS; i += 2)
        fprintf(file, "f %d\n", i);
    fprintf(file, "m 100 %d\nend\n", REQUEST);
    return fclose(file);
}

static const cJSON *failure_of(const cJSON *json, int index)
{
    const cJSON *all = cJSON_GetObjectItem(json, "explanations");
    return cJSON_GetObjectItem(cJSON_GetArrayItem(all, index), "failure");
}

static int number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    if (!cJSON_IsNumber(item))
        fail_msg("%s is no number in %s", name, spawned.out);
    return item->valueint;
}

static cJSON *explain(const char *allocator, size_t pool)
{
    char size[32];
    snprintf(size, sizeof size, "--pool=%zu", pool);
    spawn_acre(&spawned, "replay", "--explain", "--json", size, "-a", allocator, comb, NULL);
    if (spawned.code != 0)
        fail_msg("code %d: %s", spawned.code, spawned.err);
    return cJSON_Parse(spawned.out);
}

/* Has a pool in which the blocks fit and the request does not, whatever the tables take. */
static cJSON *explain_tight(const char *allocator, size_t block)
{
    size_t pool = BLOCKS * block;
    for (;; pool += 256) {
        cJSON *json = explain(allocator, pool);
        if (failure_of(json, 0) && number(failure_of(json, 0), "bytes") == REQUEST)
            return json;
        cJSON_Delete(json);
        if (pool > 2 * BLOCKS * block)
            fail_msg("no such pool");
    }
}

static void skip_without(const char *allocator)
{
    if (acre_backend_find(allocator))
        return;
    print_message("%s is not built in\n", allocator);
    skip();
}

static void check_request(const cJSON *failure)
{
    assert_int_equal(number(failure, "operation"), BLOCKS + BLOCKS / 2);
    assert_int_equal(number(failure, "live_blocks"), BLOCKS / 2);
    assert_int_equal(number(failure, "live_bytes"), BLOCKS / 2 * BLOCK_BYTES);
    assert_true(number(failure, "free_bytes") > REQUEST);
    assert_true(number(failure, "largest_request_served") < REQUEST);
}

static void tlsf_needs_one_block_more(void **state)
{
    (void)state;
    skip_without("tlsf");
    cJSON *json = explain_tight("tlsf", 1008);
    const cJSON *failure = failure_of(json, 0);
    const cJSON *least = cJSON_GetObjectItem(failure, "fewest_bytes_to_free");
    const cJSON *block = cJSON_GetArrayItem(cJSON_GetObjectItem(least, "first_blocks"), 0);
    check_request(failure);
    assert_int_equal(number(least, "bytes"), BLOCK_BYTES);
    assert_int_equal(number(least, "blocks"), 1);
    assert_int_equal(number(block, "bytes"), BLOCK_BYTES);
    assert_int_equal(number(block, "thread"), 5);
    int born = number(block, "allocated_by_operation");
    assert_int_equal(born % 2, 1);
    assert_int_equal(number(block, "age_operations"), BLOCKS + BLOCKS / 2 - born);
    assert_true(number(failure, "splits") >= BLOCKS / 2 - 1);
    const cJSON *split = cJSON_GetArrayItem(cJSON_GetObjectItem(failure, "worst_splits"), 0);
    assert_int_equal(number(split, "live_between"), BLOCK_BYTES);
    assert_int_equal(number(split, "blocks"), 1);
    cJSON_Delete(json);
}

/* A block of 4096 at a multiple of 4096 holds two that live and two that are free. */
static void buddy_needs_an_aligned_place(void **state)
{
    (void)state;
    skip_without("buddy");
    cJSON *json = explain_tight("buddy", 1024);
    const cJSON *failure = failure_of(json, 0);
    const cJSON *least = cJSON_GetObjectItem(failure, "fewest_bytes_to_free");
    check_request(failure);
    assert_int_equal(number(least, "bytes"), 2 * BLOCK_BYTES);
    assert_int_equal(number(least, "blocks"), 2);
    cJSON_Delete(json);
}

static void large_pool_completes(void **state)
{
    (void)state;
    skip_without("tlsf");
    spawn_acre(&spawned, "replay", "--explain", "--pool=1M", "-a", "tlsf", comb, NULL);
    assert_int_equal(spawned.code, 0);
    assert_non_null(strstr(spawned.out, "tlsf in a pool of 1,048,576 bytes: it completes\n"));
    spawn_acre(&spawned, "replay", "--explain", "--pool=64", "-a", "tlsf", comb, NULL);
    assert_int_equal(spawned.code, 0);
    assert_non_null(strstr(spawned.out, "it cannot work in so small a pool\n"));
}

/* More than the machine has: that says nothing about the allocator. */
static void want_of_memory_is_an_error(void **state)
{
    char pool[48];
    (void)state;
    skip_without("tlsf");
    snprintf(pool, sizeof pool, "--pool=%zu", SIZE_MAX / 8 * 7);
    spawn_acre(&spawned, "replay", "--explain", pool, "-a", "tlsf", comb, NULL);
    assert_int_equal(spawned.code, 1);
    assert_non_null(strstr(spawned.err, "tlsf: there is not enough memory to explain it\n"));
    assert_null(strstr(spawned.out, "in a pool of"));
}

static void words_say_it(void **state)
{
    (void)state;
    skip_without("tlsf");
    spawn_acre(&spawned, "replay", "--explain", "--pool=20000", "-a", "tlsf", comb, NULL);
    assert_int_equal(spawned.code, 0);
    assert_non_null(strstr(spawned.out, "is refused: allocate 1,000 bytes\n"));
    assert_non_null(strstr(spawned.out, "the pool is too small\n"));
    assert_non_null(strstr(spawned.out, "fewest bytes to free for the request to succeed: "));
}

static void a_pool_must_be_given(void **state)
{
    (void)state;
    spawn_acre(&spawned, "replay", "--explain", comb, NULL);
    assert_int_equal(spawned.code, 2);
    assert_non_null(strstr(spawned.err, "--explain: needs --pool=SIZE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tlsf_needs_one_block_more),
        cmocka_unit_test(buddy_needs_an_aligned_place),
        cmocka_unit_test(large_pool_completes),
        cmocka_unit_test(want_of_memory_is_an_error),
        cmocka_unit_test(words_say_it),
        cmocka_unit_test(a_pool_must_be_given),
    };
    return cmocka_run_group_tests(tests, make_comb, NULL);
}
