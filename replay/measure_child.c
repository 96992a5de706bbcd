/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/measure_child.h"

static bool start_child(struct replay_measurement *measurement, bool served)
{
    const struct replay_worker *worker = &measurement->worker;
    const struct replay_backend *backend =
        served && worker->backend->served ? worker->backend->served : worker->backend;
    const struct replay_launch launch = { .preload = backend->preload,
        .linked = backend->linked,
        .allocator = backend->allocator,
        .tunables = backend->tunables };
    measurement->served = backend != worker->backend;
    if (backend->type == REPLAY_SYSTEM)
        return replay_worker_execute(
            &measurement->child, &launch, worker->script, &measurement->state);
    return replay_child_start(&measurement->child, replay_worker_do, &measurement->worker);
}

bool replay_start(struct replay_measurement *measurement)
{
    return start_child(measurement, false);
}

/* A child in place of the one there is. */
static bool replace_child(struct replay_measurement *measurement, bool served)
{
    char ended[REPLAY_ENDED_ROOM];
    replay_child_end(&measurement->child, ended);
    measurement->worker.ready = false;
    return start_child(measurement, served);
}

bool replay_start_own(struct replay_measurement *measurement)
{
    return !measurement->served || replace_child(measurement, false);
}

bool replay_start_afresh(struct replay_measurement *measurement)
{
    if (replay_backend_has_pool(measurement->row->backend))
        return replay_start_own(measurement);
    return replace_child(measurement, false);
}

bool replay_start_served(struct replay_measurement *measurement)
{
    return measurement->row->backend->served ? replace_child(measurement, true)
                                             : replay_start_afresh(measurement);
}
