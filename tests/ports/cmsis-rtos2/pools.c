/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ports/cmsis-rtos2: pools over given memory and over a heap. */
#include "cmsis-rtos2/mempool_acre.h"

#include "cmsis_compiler.h"

#include <acre/tlsf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCKS = 70, SIZE = 22, ROUNDED = 24, HEAP = 32768 };

struct semaphore {
    uint32_t most, count;
    bool in_use;
};

static struct semaphore semaphores[8];
static size_t refuse_semaphores;
static uint32_t mask, interrupt, waited;
static void (*other_thread)(void); /* runs once while this thread waits */

static _Alignas(8) unsigned char control[MEMPOOL_ACRE_CB_SIZE(BLOCKS)];
static _Alignas(4) unsigned char blocks[BLOCKS * ROUNDED + 4];
static _Alignas(max_align_t) unsigned char memory[HEAP];
static struct acre_tlsf tlsf;
static osMemoryPoolId_t pool;

static const osMemoryPoolAttr_t given = { "given", 0, control, sizeof control, blocks,
    BLOCKS *ROUNDED };

osSemaphoreId_t osSemaphoreNew(
    uint32_t max_count, uint32_t initial_count, const osSemaphoreAttr_t *attr)
{
    assert_null(attr);
    if (refuse_semaphores > 0)
        return NULL;
    for (size_t i = 0; i < sizeof semaphores / sizeof semaphores[0]; i++) {
        if (!semaphores[i].in_use) {
            semaphores[i] = (struct semaphore){ max_count, initial_count, true };
            return &semaphores[i];
        }
    }
    return NULL;
}

osStatus_t osSemaphoreAcquire(osSemaphoreId_t semaphore_id, uint32_t timeout)
{
    struct semaphore *semaphore = semaphore_id;
    assert_true(semaphore->in_use);
    assert_int_equal(mask, 0);
    if (semaphore->count == 0 && timeout != 0) {
        void (*run)(void) = other_thread;
        other_thread = NULL;
        waited++;
        if (run != NULL)
            run();
    }
    if (semaphore->count == 0)
        return timeout != 0 ? osErrorTimeout : osErrorResource;
    semaphore->count--;
    return osOK;
}

osStatus_t osSemaphoreRelease(osSemaphoreId_t semaphore_id)
{
    struct semaphore *semaphore = semaphore_id;
    assert_true(semaphore->in_use);
    assert_int_equal(mask, 0);
    assert_true(semaphore->count < semaphore->most);
    semaphore->count++;
    return osOK;
}

uint32_t osSemaphoreGetCount(osSemaphoreId_t semaphore_id)
{
    const struct semaphore *semaphore = semaphore_id;
    return semaphore->count;
}

osStatus_t osSemaphoreDelete(osSemaphoreId_t semaphore_id)
{
    struct semaphore *semaphore = semaphore_id;
    assert_true(semaphore->in_use);
    semaphore->in_use = false;
    return osOK;
}

uint32_t __get_IPSR(void)
{
    return interrupt;
}

uint32_t __get_PRIMASK(void)
{
    return mask;
}

void __set_PRIMASK(uint32_t priMask)
{
    assert_int_equal(mask, 1);
    mask = priMask;
}

void __disable_irq(void)
{
    mask = 1;
}

static int set_up(void **state)
{
    (void)state;
    refuse_semaphores = interrupt = waited = 0;
    other_thread = NULL;
    assert_int_equal(acre_tlsf_init(&tlsf, memory, sizeof memory), ACRE_OK);
    mempool_acre_set_heap(acre_tlsf_bytes(&tlsf));
    pool = osMemoryPoolNew(BLOCKS, SIZE, &given);
    assert_ptr_equal(pool, control);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(mask, 0);
    if (pool != NULL)
        assert_int_equal(osMemoryPoolDelete(pool), osOK);
    for (size_t i = 0; i < sizeof semaphores / sizeof semaphores[0]; i++)
        assert_false(semaphores[i].in_use);
    assert_int_equal(acre_tlsf_stats(&tlsf).live_blocks, 0);
    return 0;
}

static void a_pool_says_what_it_is(void **state)
{
    (void)state;
    assert_string_equal(osMemoryPoolGetName(pool), "given");
    assert_int_equal(osMemoryPoolGetCapacity(pool), BLOCKS);
    assert_int_equal(osMemoryPoolGetBlockSize(pool), ROUNDED);
    assert_int_equal(osMemoryPoolGetCount(pool), 0);
    assert_int_equal(osMemoryPoolGetSpace(pool), BLOCKS);
    assert_null(osMemoryPoolGetName(NULL));
    assert_int_equal(osMemoryPoolGetCapacity(NULL), 0);
    assert_int_equal(osMemoryPoolGetBlockSize(NULL), 0);
    assert_int_equal(osMemoryPoolGetCount(NULL), 0);
    assert_int_equal(osMemoryPoolGetSpace(NULL), 0);
}

/* Each block lies in the given memory, at a multiple of the block size, and keeps its contents. */
static void every_block_is_served(void **state)
{
    static unsigned char *taken[BLOCKS];
    (void)state;
    memset(blocks, 0, sizeof blocks);
    for (size_t i = 0; i < BLOCKS; i++) {
        taken[i] = osMemoryPoolAlloc(pool, 0);
        assert_in_range(
            (uintptr_t)taken[i], (uintptr_t)blocks, (uintptr_t)blocks + (BLOCKS - 1) * ROUNDED);
        assert_int_equal((size_t)(taken[i] - blocks) % ROUNDED, 0);
        memset(taken[i], (int)i + 1, SIZE);
    }
    assert_int_equal(osMemoryPoolGetCount(pool), BLOCKS);
    assert_int_equal(osMemoryPoolGetSpace(pool), 0);
    assert_null(osMemoryPoolAlloc(pool, 0));
    assert_int_equal(waited, 0);
    for (size_t i = 0; i < BLOCKS; i++) {
        assert_int_equal(taken[i][0], i + 1);
        assert_int_equal(taken[i][SIZE - 1], i + 1);
        assert_int_equal(osMemoryPoolFree(pool, taken[i]), osOK);
    }
    assert_int_equal(osMemoryPoolGetCount(pool), 0);
    assert_int_equal(blocks[BLOCKS * ROUNDED], 0);
}

static void *held;

static void free_held(void)
{
    assert_int_equal(osMemoryPoolFree(pool, held), osOK);
}

static void an_empty_pool_lets_threads_wait(void **state)
{
    unsigned char *taken[BLOCKS];
    (void)state;
    for (size_t i = 0; i < BLOCKS; i++)
        taken[i] = osMemoryPoolAlloc(pool, osWaitForever);
    assert_null(osMemoryPoolAlloc(pool, 10));
    assert_int_equal(waited, 1);
    held = taken[7];
    other_thread = free_held;
    assert_ptr_equal(osMemoryPoolAlloc(pool, osWaitForever), taken[7]);
    assert_int_equal(waited, 2);
    assert_int_equal(osMemoryPoolDelete(pool), osErrorResource);
    for (size_t i = 0; i < BLOCKS; i++)
        assert_int_equal(osMemoryPoolFree(pool, taken[i]), osOK);
}

static void wrong_blocks_are_refused(void **state)
{
    (void)state;
    unsigned char *block = osMemoryPoolAlloc(pool, 0);
    unsigned char *freed = osMemoryPoolAlloc(pool, 0);
    assert_int_equal(osMemoryPoolFree(pool, freed), osOK);
    assert_int_equal(osMemoryPoolFree(pool, freed), osErrorParameter);
    assert_int_equal(osMemoryPoolFree(pool, block + 4), osErrorParameter);
    assert_int_equal(osMemoryPoolFree(pool, block - ROUNDED), osErrorParameter);
    assert_int_equal(osMemoryPoolFree(pool, blocks + BLOCKS * ROUNDED), osErrorParameter);
    assert_int_equal(osMemoryPoolFree(pool, NULL), osErrorParameter);
    assert_int_equal(osMemoryPoolFree(NULL, block), osErrorParameter);
    assert_int_equal(osMemoryPoolGetCount(pool), 1);
    assert_int_equal(osMemoryPoolFree(pool, block), osOK);
    assert_int_equal(osMemoryPoolGetCount(pool), 0);
}

static void interrupts_may_allocate_and_free(void **state)
{
    (void)state;
    interrupt = 15;
    void *block = osMemoryPoolAlloc(pool, 0);
    assert_non_null(block);
    assert_int_equal(osMemoryPoolFree(pool, block), osOK);
    assert_null(osMemoryPoolNew(4, 4, NULL));
    assert_int_equal(osMemoryPoolDelete(pool), osErrorISR);
    interrupt = 0;
}

static void a_pool_without_memory_takes_it_from_the_heap(void **state)
{
    (void)state;
    osMemoryPoolId_t other = osMemoryPoolNew(4, 100, NULL);
    assert_non_null(other);
    assert_null(osMemoryPoolGetName(other));
    assert_int_equal(acre_tlsf_stats(&tlsf).live_blocks, 2);
    void *block = osMemoryPoolAlloc(other, 0);
    assert_int_equal(acre_tlsf_find(&tlsf, block).status, ACRE_OK);
    assert_int_equal(osMemoryPoolFree(pool, block), osErrorParameter);
    assert_int_equal(osMemoryPoolFree(other, block), osOK);
    assert_int_equal(osMemoryPoolDelete(other), osOK);
    assert_int_equal(acre_tlsf_stats(&tlsf).live_blocks, 0);
}

static void what_cannot_be_is_no_pool(void **state)
{
    static _Alignas(8) unsigned char more[MEMPOOL_ACRE_CB_SIZE(BLOCKS)];
    static unsigned char other[BLOCKS * ROUNDED];
    osMemoryPoolAttr_t attr = { NULL, 0, more, sizeof more, other, sizeof other };
    (void)state;
    assert_null(osMemoryPoolNew(0, SIZE, &attr));
    assert_null(osMemoryPoolNew(BLOCKS, 0, &attr));
    assert_null(osMemoryPoolNew(BLOCKS, UINT32_MAX, &attr));
    assert_null(osMemoryPoolNew(UINT32_MAX, 8, &attr));
    assert_null(osMemoryPoolNew(BLOCKS + 1, ROUNDED, &attr));
    attr.cb_size = sizeof(struct mempool_acre);
    assert_null(osMemoryPoolNew(BLOCKS, SIZE, &attr));
    attr.cb_size = sizeof more;
    refuse_semaphores = 1;
    assert_null(osMemoryPoolNew(BLOCKS, SIZE, &attr));
    assert_null(osMemoryPoolNew(BLOCKS, SIZE, NULL));
    refuse_semaphores = 0;
    assert_null(osMemoryPoolNew(BLOCKS, HEAP, NULL));
    mempool_acre_set_heap((struct acre_bytes){ NULL, NULL });
    assert_null(osMemoryPoolNew(BLOCKS, SIZE, NULL));
    assert_int_equal(acre_tlsf_stats(&tlsf).live_blocks, 0);
}

static void a_deleted_pool_is_refused(void **state)
{
    (void)state;
    assert_int_equal(osMemoryPoolDelete(pool), osOK);
    assert_int_equal(osMemoryPoolDelete(pool), osErrorParameter);
    assert_null(osMemoryPoolAlloc(pool, 0));
    assert_int_equal(osMemoryPoolFree(pool, blocks), osErrorParameter);
    pool = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pool_says_what_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_block_is_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_pool_lets_threads_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_blocks_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(interrupts_may_allocate_and_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_pool_without_memory_takes_it_from_the_heap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_no_pool, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deleted_pool_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
