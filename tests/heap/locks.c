/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The locks: which call takes which, that none is held when pages are searched, and threads. */
#include "heap/world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- a recorder ---- */

static struct recorder {
    int held;
    size_t taken;
} bytes_recorder, pages_recorder;

/* Neither lock is held when the other is taken, nor is one taken twice. */
static void record_lock(void *arg)
{
    struct recorder *recorder = arg;
    assert_int_equal(bytes_recorder.held + pages_recorder.held, 0);
    recorder->held = 1;
    recorder->taken++;
}

static void record_unlock(void *arg)
{
    struct recorder *recorder = arg;
    assert_int_equal(recorder->held, 1);
    recorder->held = 0;
}

static int make_recorded(void **state)
{
    int bad = world_make_guarded(state);
    memset(&bytes_recorder, 0, sizeof bytes_recorder);
    memset(&pages_recorder, 0, sizeof pages_recorder);
    world.turnstile.held = &bytes_recorder.held;
    acre_heap_set_locks(heap, (struct acre_locker){ record_lock, record_unlock, &bytes_recorder },
        (struct acre_locker){ record_lock, record_unlock, &pages_recorder });
    return bad;
}

static void expect_locks(size_t bytes, size_t pages)
{
    assert_int_equal(bytes_recorder.taken, bytes);
    assert_int_equal(pages_recorder.taken, pages);
    assert_int_equal(bytes_recorder.held + pages_recorder.held, 0);
    bytes_recorder.taken = 0;
    pages_recorder.taken = 0;
}

static bool go_on(void *arg, void *start, size_t size, bool live)
{
    (void)arg;
    (void)start;
    (void)size;
    (void)live;
    assert_int_equal(bytes_recorder.held, 1);
    return true;
}

static void each_call_takes_its_locks(void **state)
{
    struct acre_layout layout = acre_layout(100, 1);
    (void)state;
    void *ptr = acre_heap_alloc(heap, layout).ptr;
    expect_locks(2, 1); /* no room, a chunk, again */
    void *other = acre_heap_alloc(heap, layout).ptr;
    expect_locks(1, 0);
    assert_int_equal(acre_heap_resize(heap, ptr, 50), ACRE_OK);
    expect_locks(1, 0);
    assert_int_equal(acre_heap_realloc(heap, ptr, layout).status, ACRE_OK);
    expect_locks(1, 0);
    assert_int_equal(acre_heap_usable_size(heap, other).status, ACRE_OK);
    expect_locks(1, 0);
    assert_int_equal(acre_heap_dealloc_sized(heap, other, layout), ACRE_OK);
    expect_locks(1, 0);
    assert_true(acre_heap_page_stats(heap).used > 0);
    expect_locks(0, 1);
    assert_int_equal(acre_heap_dealloc(heap, other), ACRE_NOT_ALLOCATED);
    expect_locks(1, 0);
    acre_heap_walk(heap, go_on, NULL);
    expect_locks(1, 0);
    struct acre_num page = acre_heap_alloc_pages(heap, 1, 1, 0);
    expect_locks(1, 1);
    assert_int_equal(acre_heap_dealloc_pages(heap, page.num, 1), ACRE_OK);
    expect_locks(0, 1);
    acre_heap_stats(heap);
    expect_locks(1, 1);
    acre_heap_page_stats(heap);
    expect_locks(0, 1);
    assert_null(acre_heap_check(heap).invariant);
    expect_locks(1, 1);
    assert_int_equal(acre_heap_dealloc(heap, ptr), ACRE_OK);
    expect_locks(1, 0);
    assert_true(acre_heap_release_empty(heap) > 0);
    expect_locks(1, 1);
    assert_int_equal(acre_heap_release_empty(heap), 0);
    expect_locks(1, 0);
    assert_int_equal(acre_heap_remove_memory(heap, world.memory), ACRE_OK);
    expect_locks(0, 1);
    assert_int_equal(acre_heap_add_memory(heap, world.memory, WORLD_SIZE), ACRE_OK);
    expect_locks(0, 1);
}

/* Growth, giving back at a look, refusal, the callback: never both locks, never a search under the
 * lock of bytes (the recorder and the turnstile assert it). */
static bool ask(void *arg, struct acre_layout layout)
{
    (void)layout;
    assert_int_equal(bytes_recorder.held + pages_recorder.held, 0);
    return --*(int *)arg > 0;
}

static void no_search_under_the_lock_of_bytes(void **state)
{
    static void *blocks[20000];
    int answers = 3;
    size_t count = 0;
    (void)state;
    acre_heap_set_on_exhausted(heap, ask, &answers);
    while ((blocks[count] = acre_heap_alloc(heap, acre_layout(100, 1)).ptr) != NULL)
        count++;
    assert_int_equal(answers, 0);
    assert_true(world.turnstile.searches > 6);
    assert_int_equal(acre_heap_alloc_pages(heap, 1000, 1, 0).status, ACRE_NO_MEMORY);
    size_t held = chunk_bytes();
    for (size_t i = 0; i < count; i++)
        assert_int_equal(acre_heap_dealloc(heap, blocks[i]), ACRE_OK);
    assert_true(chunk_bytes() < held / 2);
    assert_heap_sound();
}

/* ---- what another call does between the two locks ---- */

static void *to_free;

static void nothing(void *arg)
{
    (void)arg;
}

/* Frees the block and gives its chunk back, as a thread might that was faster. */
static void free_first(void *arg)
{
    void *ptr = to_free;
    (void)arg;
    to_free = NULL;
    if (ptr == NULL)
        return;
    assert_int_equal(acre_heap_dealloc(heap, ptr), ACRE_OK);
    assert_true(acre_heap_release_empty(heap) > 0);
}

static void assert_sums_hold(struct acre_stats stats)
{
    assert_true(stats.used <= stats.total);
    assert_true(stats.available <= stats.total - stats.used);
    assert_int_equal(stats.metadata, stats.total - stats.used - stats.available);
}

static void sums_hold_while_a_chunk_moves(void **state)
{
    (void)state;
    acre_heap_set_locks(heap, (struct acre_locker){ nothing, nothing, NULL },
        (struct acre_locker){ free_first, nothing, NULL });
    take(100);
    to_free = take(WORLD_SIZE / 2);
    assert_sums_hold(acre_heap_stats(heap));
    assert_null(to_free);
    struct acre_stats stats = acre_heap_stats(heap);
    assert_true(stats.used < 1000 && stats.metadata < WORLD_SIZE / 8);
    assert_heap_sound();
}

/* ---- threads ---- */

enum { THREADS = 4, SLOTS = 64, OPS = 20000 };

static pthread_mutex_t bytes_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t pages_mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void *arg)
{
    pthread_mutex_lock(arg);
}

static void unlock(void *arg)
{
    pthread_mutex_unlock(arg);
}

static int make_threaded(void **state)
{
    int bad = world_make(state);
    acre_heap_set_locks(heap, (struct acre_locker){ lock, unlock, &bytes_mutex },
        (struct acre_locker){ lock, unlock, &pages_mutex });
    return bad;
}

struct worker {
    pthread_t thread;
    unsigned seed;
    size_t bad; /* answers that were wrong */
    struct {
        unsigned char *start;
        size_t size;
        bool pages;
    } slots[SLOTS];
};

static bool is_whole(const unsigned char *start, size_t size, unsigned char mark)
{
    return start[0] == mark && start[size / 2] == mark && start[size - 1] == mark;
}

static void release(struct worker *worker, size_t at, unsigned char mark)
{
    unsigned char *start = worker->slots[at].start;
    size_t size = worker->slots[at].size;
    worker->bad += !is_whole(start, size, mark);
    enum acre_status status = worker->slots[at].pages
                                  ? acre_heap_dealloc_pages(heap, (uintptr_t)start, size / PAGE)
                                  : acre_heap_dealloc(heap, start);
    worker->bad += status != ACRE_OK;
    worker->slots[at].start = NULL;
}

static void obtain(struct worker *worker, size_t at, unsigned char mark)
{
    unsigned draw = worker->seed >> 12;
    bool pages = draw % 16 == 0;
    size_t size = pages ? PAGE : 1 + draw % 3000;
    void *start = pages ? (void *)acre_heap_alloc_pages(heap, 1, 1, 0).num
                        : acre_heap_alloc(heap, acre_layout(size, 1)).ptr;
    worker->slots[at].start = start;
    worker->slots[at].size = size;
    worker->slots[at].pages = pages;
    worker->bad += start == NULL;
    if (start != NULL)
        memset(start, mark, size);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    for (int i = 0; i < OPS; i++) {
        worker->seed = worker->seed * 1103515245u + 12345u;
        size_t at = (worker->seed >> 8) % SLOTS;
        unsigned char mark = (unsigned char)(at + 1);
        if (worker->slots[at].start != NULL)
            release(worker, at, mark);
        else
            obtain(worker, at, mark);
        if (i % 500 == 0)
            acre_heap_release_empty(heap);
        if (i % 900 == 0)
            worker->bad += acre_heap_stats(heap).total != WORLD_SIZE;
    }
    for (size_t at = 0; at < SLOTS; at++) {
        if (worker->slots[at].start != NULL)
            release(worker, at, (unsigned char)(at + 1));
    }
    return NULL;
}

static void threads_share_a_heap(void **state)
{
    static struct worker workers[THREADS];
    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].seed = i + 1;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].bad, 0);
    }
    assert_heap_sound();
    acre_heap_release_empty(heap);
    assert_int_equal(acre_heap_page_stats(heap).used, 0);
    assert_int_equal(acre_heap_stats(heap).live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_call_takes_its_locks, make_recorded),
        cmocka_unit_test_setup(no_search_under_the_lock_of_bytes, make_recorded),
        cmocka_unit_test_setup(sums_hold_while_a_chunk_moves, world_make),
        cmocka_unit_test_setup(threads_share_a_heap, make_threaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
