/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/result.h"

#include "tool/environment.h"

#include <string.h>

const char *compare_goal_name(enum compare_goal goal)
{
    static const char *const names[COMPARE_GOALS] = { "memory", "speed", "worst", "balanced" };
    return names[goal];
}

/* Whether it did all that was asked of it, as far as was measured. */
static bool serves(const struct compare_candidate *candidate)
{
    bool completes = !candidate->has_pool || !candidate->fitted || candidate->smallest_pool;
    return candidate->verified && !candidate->pool_refused && candidate->failed == 0 && completes;
}

double compare_time(const struct compare_candidate *candidate)
{
    if (candidate->threaded)
        return candidate->ns_threads;
    return candidate->touched ? candidate->ns_touched : candidate->ns;
}

uint64_t compare_resident(const struct compare_candidate *candidate)
{
    return candidate->has_pool ? candidate->run_resident : candidate->memory;
}

uint64_t compare_program_memory(const struct compare_candidate *candidate)
{
    uint64_t resident = compare_resident(candidate);
    return resident ? resident : candidate->memory;
}

/* Ticks, at least one, so that 0 stands for what is not known. */
static double ticks_of(const struct compare_candidate *candidate, uint64_t ticks)
{
    if (!candidate->stepped)
        return 0.0;
    return ticks ? (double)ticks : 1.0;
}

double compare_figure(const struct compare_candidate *candidate, enum compare_goal goal)
{
    double memory = (double)candidate->memory;
    bool timed = goal == COMPARE_SPEED || goal == COMPARE_BALANCED;
    if (!serves(candidate) || (timed && (candidate->off_threads || candidate->off_touched)))
        return 0.0;
    switch (goal) {
    case COMPARE_MEMORY:
        return memory;
    case COMPARE_SPEED:
        return compare_time(candidate);
    case COMPARE_WORST:
        return ticks_of(candidate, candidate->worst);
    case COMPARE_BALANCED:
    case COMPARE_GOALS:
        break;
    }
    return memory * compare_time(candidate) * ticks_of(candidate, candidate->p999);
}

bool compare_is_tie(const struct compare_candidate *one, const struct compare_candidate *other)
{
    double less = compare_time(one);
    double more = compare_time(other);
    const struct compare_candidate *fast = less <= more ? one : other;
    const struct compare_candidate *slow = less <= more ? other : one;
    if (compare_time(slow) <= compare_time(fast) * (1.0 + COMPARE_CLOSE))
        return true;
    if (fast->threaded && slow->threaded)
        return slow->threads_least <= fast->threads_most;
    return fast->touched && slow->touched ? slow->touched_least <= fast->touched_most
                                          : slow->ns_least <= fast->ns_most;
}

bool compare_waits_for_lock(
    const struct compare_result *result, const struct compare_candidate *candidate)
{
    return result->facts.threads > 1 && !result->on_threads &&
           candidate->origin == COMPARE_BUILT_IN &&
           strcmp(candidate->allocator, ACRE_THREADED_NAME) != 0;
}
