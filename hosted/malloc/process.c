/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The life of the process: start, fork, end. The heap itself needs no start and is never torn
 * down, so that calls before constructors and after destructors are calls like any other.
 */
#include "malloc/report.h"
#include "malloc/serve.h"

#include <pthread.h>

static void before_fork(void)
{
    acre_lock_take_over_fork(&acre_serve.lock);
}

static void in_parent(void)
{
    acre_lock_release_after_fork(&acre_serve.lock);
}

static void in_child(void)
{
    acre_lock_renew(&acre_serve.lock);
}

/* The object is linked to be initialised before all others, so these fork handlers are the first
 * ones registered: the last to run before a fork and the first after it, as a lock that all others
 * may need has to be. */
__attribute__((constructor)) static void start(void)
{
    acre_serve_prepare();
    acre_report_prepare();
    (void)pthread_atfork(before_fork, in_parent, in_child);
}

__attribute__((destructor)) static void end(void)
{
    acre_report_at_exit();
}
