/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Object caches: constructors, accounts, and what a cache refuses. */
#include <acre/cache.h>
#include <acre/slab.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(4096) unsigned char memory[1 << 20];
static struct acre_slab slab;

struct object {
    int number;
    char text[60];
};

static void construct(void *arg, void *place)
{
    struct object *object = place;
    object->number = ++*(int *)arg;
    strcpy(object->text, "new");
}

static void caches_construct_and_count(void **state)
{
    int made = 0;
    struct acre_cache cache;
    struct object *objects[100];
    (void)state;
    assert_int_equal(acre_slab_init(&slab, memory, sizeof memory), ACRE_OK);
    struct acre_bytes bytes = acre_slab_bytes(&slab);
    assert_int_equal(acre_cache_create(&cache, "object", bytes, acre_layout(64, 3), NULL, NULL),
        ACRE_INVALID_PARAM);
    assert_int_equal(acre_cache_create(&cache, "object", bytes,
                         acre_layout(sizeof(struct object), 64), construct, &made),
        ACRE_OK);
    for (int i = 0; i < 100; i++) {
        objects[i] = acre_cache_alloc(&cache).ptr;
        assert_int_equal(objects[i]->number, i + 1);
        assert_string_equal(objects[i]->text, "new");
        assert_int_equal((uintptr_t)objects[i] % 64, 0);
    }
    void *other = acre_alloc(bytes, acre_layout(200, 1)).ptr;
    assert_non_null(other);
    assert_int_equal(acre_cache_dealloc(&cache, other), ACRE_INVALID_PARAM);
    assert_int_equal(acre_cache_dealloc(&cache, objects[0]->text), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_cache_destroy(&cache), ACRE_INVALID_PARAM);
    for (int i = 0; i < 100; i++)
        assert_int_equal(acre_cache_dealloc(&cache, objects[i]), ACRE_OK);
    assert_int_equal(acre_cache_dealloc(&cache, objects[5]), ACRE_NOT_ALLOCATED);
    struct acre_cache_stats stats = acre_cache_stats(&cache);
    assert_string_equal(stats.name, "object");
    assert_int_equal(stats.live, 0);
    assert_int_equal(stats.peak, 100);
    assert_int_equal(stats.allocs, 100);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(acre_cache_destroy(&cache), ACRE_OK);
    assert_null(acre_cache_stats(&cache).name);
    assert_int_equal(acre_slab_dealloc(&slab, other), ACRE_OK);
}

static void a_zeroed_cache_refuses(void **state)
{
    struct acre_cache cache = { 0 };
    (void)state;
    assert_int_equal(acre_cache_alloc(&cache).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_cache_dealloc(&cache, memory), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_cache_stats(&cache).live, 0);
    assert_int_equal(acre_cache_destroy(&cache), ACRE_OK);
}

static void a_cache_without_a_constructor(void **state)
{
    static void *objects[1000];
    struct acre_cache cache;
    size_t count = 0;
    (void)state;
    assert_int_equal(acre_slab_init(&slab, memory, 64 << 10), ACRE_OK);
    struct acre_bytes bytes = acre_slab_bytes(&slab);
    assert_int_equal(acre_cache_create(&cache, NULL, bytes, acre_layout(1000, 8), NULL, NULL),
        ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_cache_create(&cache, "plain", bytes, acre_layout(1000, 8), NULL, NULL), ACRE_OK);
    while ((objects[count] = acre_cache_alloc(&cache).ptr) != NULL)
        count++;
    assert_int_equal(acre_cache_stats(&cache).failed, 1);
    assert_int_equal(acre_cache_stats(&cache).peak, count);
    assert_int_equal(acre_cache_dealloc(&cache, objects[--count]), ACRE_OK);
    assert_int_equal(acre_cache_dealloc(&cache, objects[--count]), ACRE_OK);
    assert_non_null(acre_cache_alloc(&cache).ptr); /* below the peak */
    struct acre_cache_stats stats = acre_cache_stats(&cache);
    assert_int_equal(stats.live, count + 1);
    assert_int_equal(stats.peak, count + 2);
    assert_int_equal(stats.allocs, count + 3);
    assert_int_equal(stats.failed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caches_construct_and_count),
        cmocka_unit_test(a_zeroed_cache_refuses),
        cmocka_unit_test(a_cache_without_a_constructor),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
