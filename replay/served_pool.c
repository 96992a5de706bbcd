/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The limit of memory under which a script completes where the drop-in serves malloc. */
#include "replay/served_pool.h"

#include "replay/execute.h"

#include <stdio.h>

/* Each attempt allows a 32nd more than the one before; after these it is given up. */
#define STEP 32u
#define ATTEMPTS 40u

struct attempt {
    const struct replay_script *script;
    const struct replay_backend *backend;
    struct acre_progress *progress;
    struct replay_shared_file state;
};

static void watch_attempt(void *argument, struct acre_progress *progress)
{
    const struct attempt *attempt = argument;
    acre_progress_show(
        progress, "looking for a limit that it runs in", attempt->state.shared->results.done);
}

/* Whether all operations are served within `pool` bytes. */
static bool completes_served(struct attempt *attempt, uint64_t pool)
{
    struct replay_results *results = &attempt->state.shared->results;
    struct replay_child child;
    char ended[REPLAY_ENDED_ROOM];
    char limit[32];
    snprintf(limit, sizeof limit, "%llu", (unsigned long long)pool);
    const struct replay_launch launch = { .preload = attempt->backend->preload,
        .allocator = attempt->backend->allocator,
        .pool = limit };
    if (!replay_worker_execute(&child, &launch, attempt->script, &attempt->state))
        return false;
    results->task = REPLAY_TIME;
    results->failed = 1;
    results->pool = 0;
    replay_child_order(&child);
    bool done = replay_child_wait(&child, watch_attempt, attempt, attempt->progress);
    replay_child_end(&child, ended);
    return done && results->failed == 0;
}

uint64_t replay_served_pool(const struct replay_script *script,
    const struct replay_backend *backend, uint64_t from, struct acre_progress *progress)
{
    struct attempt attempt = { .script = script, .backend = backend, .progress = progress };
    uint64_t pool = from;
    uint64_t found = 0;
    if (!from || !replay_shared_open(&attempt.state))
        return 0;
    for (unsigned i = 0; i < ATTEMPTS && !found && !acre_interrupted(); i++) {
        if (completes_served(&attempt, pool))
            found = pool;
        pool += pool / STEP + 4096;
    }
    acre_progress_wipe(progress);
    replay_shared_close(&attempt.state);
    return found;
}
