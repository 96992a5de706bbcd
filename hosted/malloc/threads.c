/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The life of threads and of the process: a thread gets a heap with its first request and leaves it
 * when it ends; a fork holds all locks.
 */
#include "malloc/threads.h"

#include "os/os.h"

#include <pthread.h>

#define NO_GROUP (struct acre_threaded_group *)(uintptr_t)&acre_threaded_no_group
#define FOUR(item) item, item, item, item
#define TWENTY(item) FOUR(item), FOUR(FOUR(item))
#define SIXTY_FOUR(item) FOUR(FOUR(FOUR(item)))

_Static_assert(
    THREADED_INDICES == 64 + 1 + 40 && ACRE_THREADED_CLASSES == 72, "as many as no_heap has");

/* Serves nothing and owns nothing, so that every request of a thread without a heap takes the slow
 * path. Never written. */
static struct acre_thread_heap no_heap = {
    .unit = { SIXTY_FOUR(NO_GROUP), NO_GROUP, TWENTY(NO_GROUP), TWENTY(NO_GROUP) },
    .group = { SIXTY_FOUR(NO_GROUP), FOUR(NO_GROUP), FOUR(NO_GROUP) },
};

_Thread_local struct acre_thread_heap *acre_threads_own = &no_heap;

static pthread_key_t key;
static bool has_key;

/* Destructors that run later may allocate: the thread then gets a heap anew, and this runs again. */
static void leave_heap(void *heap)
{
    acre_threads_own = &no_heap;
    acre_threaded_detach(heap);
}

/* A key made this early is among those that pthread_setspecific keeps without allocating. */
static bool open_heap(void)
{
    acre_lock_take(&acre_serve.lock);
    if (!acre_threads.open)
        acre_threads.open = acre_threads_open_memory();
    if (!has_key)
        has_key = pthread_key_create(&key, leave_heap) == 0;
    acre_lock_release(&acre_serve.lock);
    return acre_threads.open;
}

static void open_spare(void)
{
    acre_lock_take(&acre_threads_spare_lock);
    if (acre_threads.spare == NULL)
        acre_threads.spare = acre_threaded_attach(&acre_threads.threaded);
    acre_lock_release(&acre_threads_spare_lock);
}

static ACRE_NOINLINE struct acre_thread_heap *make_heap(void)
{
    if (!open_heap())
        return NULL;
    if (acre_threads.spare == NULL)
        open_spare();
    struct acre_thread_heap *heap = acre_threaded_attach(&acre_threads.threaded);
    if (heap == NULL)
        return NULL;
    acre_threaded_set_thread(heap, acre_os_thread());
    acre_threads_own = heap;
    if (has_key)
        (void)pthread_setspecific(key, heap);
    return heap;
}

struct acre_thread_heap *acre_threads_heap(void)
{
    struct acre_thread_heap *heap = acre_threads_own;
    return ACRE_LIKELY(heap != &no_heap) ? heap : make_heap();
}

bool acre_threads_is_inside(void)
{
    return acre_lock_is_held_by_caller(&acre_threads_spare_lock);
}

void acre_threads_before_fork(void)
{
    acre_lock_hold_for_fork(&acre_threads_spare_lock);
}

void acre_threads_after_fork_in_parent(void)
{
    acre_lock_release_after_fork(&acre_threads_spare_lock);
}

/* The spare heap becomes available like those of the threads that are gone, and is taken anew. */
void acre_threads_after_fork_in_child(void)
{
    struct acre_thread_heap *own = acre_threads_own != &no_heap ? acre_threads_own : NULL;
    if (acre_threads.open)
        acre_threaded_after_fork(&acre_threads.threaded, own);
    acre_lock_reinit_after_fork(&acre_threads_spare_lock);
    if (acre_threads.open)
        acre_threads.spare = acre_threaded_attach(&acre_threads.threaded);
    if (own != NULL)
        acre_threaded_set_thread(own, acre_os_thread());
}
