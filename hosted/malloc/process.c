/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The life of the process: start, fork, end. The heap itself needs no start and is never torn
 * down, so that calls before constructors and after destructors are calls like any other.
 */
#include "malloc/report.h"
#include "malloc/serve.h"

#include <pthread.h>

static void hold_lock_for_fork(void)
{
    acre_lock_hold_for_fork(&acre_serve.lock);
}

static void release_lock_in_parent(void)
{
    acre_lock_release_after_fork(&acre_serve.lock);
}

static void free_lock_in_child(void)
{
    acre_lock_reinit_after_fork(&acre_serve.lock);
}

/* The object is linked to be initialised before all others, so these fork handlers are the first
 * ones registered: the last to run before a fork and the first after it, as a lock that all others
 * may need has to be. */
__attribute__((constructor)) static void start_process(void)
{
    acre_serve_prepare();
    acre_report_prepare();
    (void)pthread_atfork(hold_lock_for_fork, release_lock_in_parent, free_lock_in_child);
}

__attribute__((destructor)) static void finish_process(void)
{
    acre_report_at_exit();
}
