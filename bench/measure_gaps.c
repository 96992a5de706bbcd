/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Are the gaps in front of aligned blocks lost? A pool of 1 MiB is filled with 4 KiB blocks aligned
 * to 4 KiB, and the rest with blocks of 64 bytes.
 */
#include "measures.h"

static size_t fill_pool(const struct replay_instance *instance, size_t size, size_t align)
{
    size_t count = 0;
    while (instance->calls->alloc(instance->self, size, align))
        count++;
    return count;
}

void bench_measure_gaps(struct replay_worker *worker)
{
    enum { POOL = 1 << 20, PAGE = 4096, SMALL = 64 };
    struct replay_instance instance;
    worker->results->pool = POOL;
    if (!replay_backend_has_pool(worker->backend) || !bench_open(worker, &instance)) {
        bench_cannot(worker, "no instance in 1 MiB");
        return;
    }
    size_t pages = fill_pool(&instance, PAGE, PAGE);
    size_t smalls = fill_pool(&instance, SMALL, BENCH_PLAIN_ALIGN);
    worker->results->figures[0] = (double)pages;
    worker->results->figures[1] = (double)smalls;
}
