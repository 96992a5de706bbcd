/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "hooks/pool.h"

#include <stdio.h>
#include <stdlib.h>

bool pool_open(struct pool *pool, const struct acre_backend *backend, size_t size)
{
    size_t align =
        backend->backing->align < sizeof(void *) ? sizeof(void *) : backend->backing->align;
    *pool = (struct pool){ .backend = backend, .memory = malloc(size) };
    assert_int_equal(posix_memalign(&pool->self, align, backend->backing->size), 0);
    assert_non_null(pool->memory);
    acre_fault_wrap(&pool->fault, backend->handle(pool->self));
    pool->bytes = acre_fault_bytes(&pool->fault);
    pool->base = acre_bytes_base(pool->bytes);
    if (acre_init(pool->base, pool->memory, size) == ACRE_OK)
        return true;
    pool_close(pool);
    return false;
}

static void assert_sound(const struct pool *pool)
{
    struct acre_check_result found = acre_check(pool->base);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

void pool_assert_left(const struct pool *pool, size_t blocks)
{
    assert_sound(pool);
    assert_int_equal(acre_stats(pool->base).live_blocks, blocks);
}

void pool_assert_empty(const struct pool *pool)
{
    pool_assert_left(pool, 0);
    assert_int_equal(acre_stats(pool->base).used, 0);
}

void pool_close(struct pool *pool)
{
    free(pool->self);
    free(pool->memory);
}

void pool_does(const struct acre_backend *backend, size_t size, work_fn *work)
{
    struct pool pool;
    assert_true(pool_open(&pool, backend, size));
    assert_int_equal(work(&pool), DONE);
    assert_true(acre_stats(pool.base).peak > 0);
    pool_assert_empty(&pool);
    pool_close(&pool);
}

void pool_refuses_each(const struct acre_backend *backend, size_t size, size_t most, work_fn *work)
{
    struct pool pool;
    size_t out_of_memory = 0;
    assert_true(pool_open(&pool, backend, size));
    for (size_t nth = 1; nth <= most; nth++) {
        acre_fault_nth(&pool.fault, nth);
        enum outcome outcome = work(&pool);
        pool_assert_empty(&pool);
        if (pool.fault.requests < nth) {
            assert_int_equal(outcome, DONE);
            break;
        }
        out_of_memory += outcome == NO_MEMORY;
    }
    assert_true(out_of_memory > 0);
    pool_close(&pool);
}

/* The blocks are a list. */
void *pool_take_all(const struct pool *pool)
{
    void **taken = NULL;
    for (size_t size = acre_total_bytes(pool->bytes); size > 0;) {
        size_t fits = size < sizeof *taken ? sizeof *taken : size;
        void **block = acre_alloc(pool->bytes, acre_layout(fits, ACRE_NATURAL_ALIGN)).ptr;
        if (block == NULL) {
            size /= 2;
            continue;
        }
        *block = (void *)taken;
        taken = block;
    }
    return (void *)taken;
}

void pool_give_back(const struct pool *pool, void *taken)
{
    while (taken != NULL) {
        void *next = *(void **)taken;
        acre_dealloc(pool->bytes, taken);
        taken = next;
    }
}

/* The work in a pool with nothing left in it, and then with all of it back. */
static void work_in_full_pool(const struct acre_backend *backend, size_t size, work_fn *work)
{
    struct pool pool;
    assert_true(pool_open(&pool, backend, size));
    void *taken = pool_take_all(&pool);
    assert_int_equal(work(&pool), NO_MEMORY);
    pool_give_back(&pool, taken);
    pool_assert_empty(&pool);
    assert_int_equal(work(&pool), DONE);
    pool_assert_empty(&pool);
    pool_close(&pool);
}

void pool_grows(const struct acre_backend *backend, size_t least, size_t most, work_fn *work)
{
    enum outcome outcome = NO_MEMORY;
    work_in_full_pool(backend, most, work);
    for (size_t size = least; outcome != DONE; size += size / 4) {
        struct pool pool;
        assert_true(size <= most);
        if (!pool_open(&pool, backend, size))
            continue;
        outcome = work(&pool);
        assert_true(outcome == DONE || acre_stats(pool.base).failed > 0);
        pool_assert_empty(&pool);
        pool_close(&pool);
    }
}

int pool_run(const char *group, const struct pool_case *cases, size_t count)
{
    static char names[128][96];
    static struct CMUnitTest tests[128];
    size_t filled = 0;
    for (const struct acre_backend *backend = acre_backends; backend->name; backend++) {
        for (size_t i = 0; backend->setting[0] == '\0' && i < count; i++) {
            assert_true(filled < sizeof tests / sizeof tests[0]);
            snprintf(names[filled], sizeof names[filled], "%s: %s", backend->name, cases[i].name);
            tests[filled] = (struct CMUnitTest){ names[filled], cases[i].run, NULL, NULL,
                (void *)(uintptr_t)backend };
            filled++;
        }
    }
    return _cmocka_run_group_tests(group, tests, filled, NULL, NULL);
}

static const struct pool_job *current;

static void done_once(void **state)
{
    pool_does(*state, current->enough, current->work);
}

static void each_request_refused(void **state)
{
    pool_refuses_each(*state, current->enough, SIZE_MAX, current->work);
}

static void pools_too_small(void **state)
{
    pool_grows(*state, current->least, current->enough, current->work);
}

int pool_run_job(const char *group, const struct pool_job *job)
{
    const struct pool_case cases[] = {
        { job->what, done_once },
        { "each request refused", each_request_refused },
        { "pools too small", pools_too_small },
    };
    current = job;
    return pool_run(group, cases, sizeof cases / sizeof cases[0]);
}
