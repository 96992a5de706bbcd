/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The life of the process: start, fork, end. The heap itself needs no start and is never torn
 * down, so that calls before constructors and after destructors are calls like any other.
 */
#include "malloc/report.h"
#include "malloc/serve.h"

#include <pthread.h>

/* The C library's lock over its list of streams. fork() takes it after the fork handlers have run,
 * and a thread that has it may allocate: so it has to be taken before the heap's lock. It is
 * recursive. */
void _IO_list_lock(void) __attribute__((weak));
void _IO_list_unlock(void) __attribute__((weak));
void _IO_list_resetlock(void) __attribute__((weak));

static _Thread_local bool has_stream_list;

static void hold_locks_for_fork(void)
{
    has_stream_list = !acre_serve_is_inside() && !acre_os_single_threaded() && _IO_list_lock &&
                      _IO_list_unlock && _IO_list_resetlock;
    if (has_stream_list)
        _IO_list_lock();
    acre_serve_before_fork();
}

static void release_locks_in_parent(void)
{
    acre_serve_after_fork_in_parent();
    if (has_stream_list)
        _IO_list_unlock();
    has_stream_list = false;
}

static void free_locks_in_child(void)
{
    acre_serve_after_fork_in_child();
    if (has_stream_list)
        _IO_list_resetlock();
    has_stream_list = false;
}

/* The object is linked to be initialised before all others, so these fork handlers are the first
 * ones registered: the last to run before a fork and the first after it, as a lock that all others
 * may need has to be. */
__attribute__((constructor)) static void start_process(void)
{
    acre_serve_prepare();
    acre_report_prepare();
    (void)pthread_atfork(hold_locks_for_fork, release_locks_in_parent, free_locks_in_child);
}

__attribute__((destructor)) static void finish_process(void)
{
    acre_report_at_exit();
}
