/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/small_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_BLOCKS = SMALL_POOL / 8, MOST_SELF = 4096 };

/* At a multiple of its size, so that buddy has a block of half of it wherever the linker puts it. */
_Alignas(SMALL_POOL) unsigned char small_pool_memory[SMALL_POOL];
unsigned char small_pool_other[SMALL_POOL];
static unsigned char room[2 * ACRE_MAX_POOL];

static struct acre_base base(void)
{
    return acre_bytes_base(small_pool.bytes);
}

static void *take(size_t size, size_t align)
{
    void *block = acre_alloc(small_pool.bytes, acre_layout(size, align)).ptr;
    assert_non_null(block);
    return block;
}

static void assert_refused(size_t size, size_t align, enum acre_status status)
{
    assert_int_equal(acre_alloc(small_pool.bytes, acre_layout(size, align)).status, status);
}

static void refuse(void *ptr)
{
    assert_int_equal(acre_dealloc(small_pool.bytes, ptr), ACRE_NOT_ALLOCATED);
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_check(base());
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

int small_pool_open(void **state)
{
    (void)state;
    memset(small_pool.bytes.self, 0, small_pool.self_size);
    return acre_init(base(), small_pool_memory, SMALL_POOL) != ACRE_OK;
}

static size_t fill(void **blocks)
{
    for (size_t count = 0;; count++) {
        assert_true(count < MOST_BLOCKS);
        struct acre_layout layout = acre_layout(1 + count % 3 * small_pool.least, 1);
        blocks[count] = acre_alloc(small_pool.bytes, layout).ptr;
        if (blocks[count] == NULL)
            return count;
        assert_sound();
    }
}

void every_byte_comes_back(void **state)
{
    (void)state;
    void *blocks[MOST_BLOCKS];
    struct acre_stats before = acre_stats(base());
    size_t count = fill(blocks);
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        void *block = blocks[count % 7 == 0 ? i : i * 7 % count];
        assert_int_equal(acre_dealloc(small_pool.bytes, block), ACRE_OK);
        refuse(block);
        assert_sound();
    }
    struct acre_stats after = acre_stats(base());
    assert_int_equal(after.used, 0);
    assert_int_equal(after.largest_free, before.largest_free);
}

/* Every address but the start of a live block is refused, and nothing changes. */
void misuse_is_exact(void **state)
{
    (void)state;
    static unsigned char image[SMALL_POOL], before[MOST_SELF];
    unsigned char *one = take(100, 1);
    assert_in_range(small_pool.self_size, 1, sizeof before);
    memcpy(before, small_pool.bytes.self, small_pool.self_size);
    memcpy(image, small_pool_memory, SMALL_POOL);
    for (size_t at = 0; at < SMALL_POOL; at++)
        if (small_pool_memory + at != one)
            refuse(small_pool_memory + at);
    refuse(small_pool_other);
    refuse(small_pool.bytes.self);
    refuse(NULL);
    assert_int_equal(
        acre_dealloc_sized(small_pool.bytes, one, acre_layout(300, 1)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_remove_memory(base(), small_pool_memory), ACRE_INVALID_PARAM);
    assert_int_equal(acre_add_memory(base(), small_pool_other, SMALL_POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_add_memory(base(), small_pool_memory + 8, 1024), ACRE_MEMORY_OVERLAP);
    assert_refused(8, 3, ACRE_INVALID_PARAM);
    assert_memory_equal(before, small_pool.bytes.self, small_pool.self_size);
    assert_memory_equal(image, small_pool_memory, SMALL_POOL);
    assert_int_equal(acre_dealloc_sized(small_pool.bytes, one, acre_layout(100, 1)), ACRE_OK);
}

void a_pool_has_its_bounds(void **state)
{
    (void)state;
    assert_refused(SIZE_MAX, 1, ACRE_NO_MEMORY);
    assert_int_equal(
        acre_init(base(), small_pool_memory, (size_t)ACRE_MAX_POOL + 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_init(base(), NULL, SMALL_POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_init(base(), small_pool_memory, 64), ACRE_INVALID_PARAM);
    assert_refused(1, 1, ACRE_NO_MEMORY);
    refuse(small_pool_memory);
}

void a_region_goes_and_comes(void **state)
{
    (void)state;
    take(40, small_pool.align);
    assert_int_equal(acre_remove_memory(base(), small_pool_memory), ACRE_INVALID_PARAM);
    acre_reset(base());
    assert_sound();
    assert_int_equal(acre_remove_memory(base(), small_pool_memory + 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_remove_memory(base(), small_pool_memory), ACRE_OK);
    assert_sound();
    assert_int_equal(acre_add_memory(base(), small_pool_other, SMALL_POOL), ACRE_OK);
    assert_sound();
}

/* The allocator in room, from an offset on. */
static struct acre_bytes made(size_t offset, size_t size)
{
    struct acre_ptr self = small_pool.create(room + offset, size);
    assert_int_equal(self.status, ACRE_OK);
    struct acre_bytes bytes = { small_pool.bytes.ops, self.ptr };
    assert_null(acre_bytes_check(bytes).invariant);
    return bytes;
}

static void assert_untouched(void)
{
    for (size_t i = 0; i < sizeof room; i++)
        if (room[i] != 0x55)
            fail_msg("byte %zu was written", i);
}

/* One call and one pointer; pool_size is enough wherever the pool starts. */
void a_pool_is_made_by_one_call(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 1500; size += 37) {
        size_t needs = small_pool.pool_size(acre_layout(size, 1));
        assert_in_range(needs, size, sizeof room - 64);
        for (size_t shift = 0; shift < 64; shift += 5) {
            struct acre_bytes bytes = made(shift, needs);
            assert_non_null(acre_alloc(bytes, acre_layout(size, 1)).ptr);
            assert_null(acre_bytes_check(bytes).invariant);
        }
    }
    memset(room, 0x55, sizeof room);
    assert_int_equal(small_pool.pool_size(acre_layout(2 * ACRE_MAX_POOL, 1)), 0);
    assert_int_equal(small_pool.create(NULL, SMALL_POOL).status, ACRE_INVALID_PARAM);
    assert_int_equal(small_pool.create(room, sizeof room).status, ACRE_INVALID_PARAM);
    assert_untouched();
}

/* A size that is refused is refused before anything is written, and the first that is not serves a
 * block. */
void the_smallest_pool_is_exact(void **state)
{
    (void)state;
    size_t size = 0;
    memset(room, 0x55, sizeof room);
    for (; small_pool.create(room + 1, size).status != ACRE_OK; size++) {
        assert_true(size < SMALL_POOL);
        assert_untouched();
    }
    assert_non_null(acre_alloc(made(1, size), acre_layout(1, 1)).ptr);
}

/* ---- handlers ---- */

static bool give_back(void *block, struct acre_layout layout)
{
    assert_int_equal(layout.size, SMALL_POOL / 2);
    return acre_dealloc(small_pool.bytes, *(void **)block) == ACRE_OK;
}

/* The handler frees what stands in the way; when it has nothing more, the request is refused. */
void exhaustion_is_handled(void **state)
{
    (void)state;
    void *first = take(SMALL_POOL / 2, 1);
    small_pool.backing->set_on_exhausted(small_pool.bytes.self, give_back, &first);
    take(SMALL_POOL / 2, 1);
    assert_int_equal(acre_stats(base()).live_blocks, 1);
    assert_int_equal(acre_stats(base()).failed, 0);
    first = NULL;
    assert_refused(SMALL_POOL / 2, 1, ACRE_NO_MEMORY);
    assert_int_equal(acre_stats(base()).failed, 1);
    assert_sound();
}

static void count_released(void *count, size_t blocks)
{
    *(size_t *)count += blocks;
}

void release_is_told(void **state)
{
    (void)state;
    size_t released = 0;
    void *block = take(SMALL_POOL / 2, 1);
    small_pool.backing->set_on_released(small_pool.bytes.self, count_released, &released);
    assert_int_equal(acre_dealloc(small_pool.bytes, block), ACRE_OK);
    assert_int_equal(released, small_pool.tells_release);
    void *small = take(1, 1);
    assert_int_equal(acre_dealloc(small_pool.bytes, small), ACRE_OK);
    assert_int_equal(released != 0, small_pool.tells_release);
}
