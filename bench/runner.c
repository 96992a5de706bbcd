/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner.h"
#include "callgrind.h"
#include "job.h"
#include "replay/statistics.h"
#include "workloads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    HARNESS = 0,
    BASELINE = 1,
    LATENCY_OPS = 1000000,
    COUNTED_OPS = 1000000,
    STEPPED_OPS = 20000,
    FIT_SEEDS = 5
};

/* Backends that need longer are left out of further seeds. */
static const uint64_t fit_patience_ns = 10000000000;

#define NO_COUNTER BENCH_VERIFY

static bool finds_memory(const struct bench_backend *backend)
{
    return backend->form == BENCH_SYSTEM || backend->form == BENCH_PRELOAD;
}

void bench_progress(const char *what, const char *who)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (what)
        fprintf(stderr, "\r\033[K%s: %s", what, who);
    else
        fprintf(stderr, "\r\033[K");
    fflush(stderr);
}

/* A workload's script. */
struct stage {
    struct bench_runner *runner;
    const char *name;
    struct replay_script script;
};

static void run_job(const struct stage *stage, enum bench_measure measure, size_t who, size_t limit,
    struct bench_result *result)
{
    const struct bench_backend *backend = &stage->runner->report->backends[who];
    struct bench_job job = { measure, backend, &stage->script, limit };
    bench_progress(stage->name, backend->name);
    bench_job_run(&job, result);
}

/* Whether a job is done; if not, why not goes into an empty note. */
static bool done(const struct bench_result *result, char *note, size_t size)
{
    if (result->outcome != BENCH_DONE && !note[0])
        snprintf(
            note, size, "%s%s", result->outcome == BENCH_BROKEN ? "FAILED: " : "", result->text);
    return result->outcome == BENCH_DONE;
}

void bench_runner_init(struct bench_runner *runner)
{
    static const struct bench_workload probe = { "probe", "", bench_build_random, 64, NULL };
    struct stage stage = { .runner = runner, .name = "counter" };
    struct bench_result result = { .outcome = BENCH_BROKEN };
    char *counter = runner->report->machine.counter;
    size_t room = sizeof runner->report->machine.counter;
    if (bench_workload_build(&stage.script, &probe, 1, 1000)) {
        run_job(&stage, BENCH_STEP, HARNESS, COUNTED_OPS, &result);
        runner->empty_call = (result.value[BENCH_ALLOC_MEAN] + result.value[BENCH_FREE_MEAN]) / 2;
        run_job(&stage, BENCH_COUNT, HARNESS, COUNTED_OPS, &result);
        replay_script_close(&stage.script);
    }
    runner->counter = BENCH_COUNT;
    snprintf(counter, room, "the processor's counter");
    if (result.outcome == BENCH_DONE && result.value[0] > 1)
        return;
    bool valgrind = callgrind_is_there() && !runner->options->smoke;
    runner->counter = valgrind ? BENCH_CALLGRIND : NO_COUNTER;
    snprintf(counter, room, "%s",
        valgrind ? "valgrind (the processor counts none)" : "not counted in this run");
}

static bool open_stage(struct stage *stage, struct bench_runner *runner,
    const struct bench_workload *workload, uint64_t seed)
{
    *stage = (struct stage){ .runner = runner, .name = workload->name };
    bench_progress(workload->name, "script");
    bool built = bench_workload_build(&stage->script, workload, seed, runner->report->scale);
    if (!built)
        fprintf(stderr, "acre-bench: %s: cannot build this workload\n", workload->name);
    return built;
}

static double peak_of(const struct stage *stage)
{
    return (double)stage->script.facts.peak_live;
}

static bool working(const struct bench_row *row, size_t who)
{
    return !row->cells[who].note[0];
}

static void verify_all(const struct stage *stage, struct bench_row *row)
{
    for (size_t who = 1; who < stage->runner->report->backend_count; who++) {
        struct bench_result result;
        struct bench_cell *cell = &row->cells[who];
        run_job(stage, BENCH_VERIFY, who, 0, &result);
        bool own = stage->runner->report->backends[who].form == BENCH_SYSTEM ||
                   stage->runner->report->backends[who].form == BENCH_PRELOAD;
        if (done(&result, cell->note, sizeof cell->note) && own)
            cell->resident = result.value[0] / peak_of(stage);
    }
}

/* Every round runs all backends, beginning with another one each time. */
static void time_all(const struct stage *stage, struct bench_row *row)
{
    static double ns[BENCH_MAX_BACKENDS][BENCH_MAX_ROUNDS];
    static double net[BENCH_MAX_BACKENDS][BENCH_MAX_ROUNDS];
    const struct bench_report *report = stage->runner->report;
    size_t count = report->backend_count;
    for (unsigned round = 0; round < report->rounds; round++)
        for (size_t turn = 0; turn < count; turn++) {
            struct bench_result result;
            size_t who = (turn + round) % count;
            struct bench_cell *cell = &row->cells[who];
            ns[who][round] = BENCH_NONE;
            if (!working(row, who))
                continue;
            run_job(stage, BENCH_TIME, who, 0, &result);
            if (done(&result, cell->note, sizeof cell->note))
                ns[who][round] = result.value[0];
        }
    for (size_t who = 0; who < count; who++)
        for (unsigned round = 0; round < report->rounds; round++)
            net[who][round] =
                (ns[who][round] - ns[HARNESS][round]) / (ns[BASELINE][round] - ns[HARNESS][round]);
    for (size_t who = 0; who < count; who++)
        if (working(row, who)) {
            row->cells[who].ns = replay_median(ns[who], report->rounds);
            row->cells[who].net = replay_median(net[who], report->rounds);
        }
}

/* Ticks to nanoseconds, less what reading the clock takes: the harness's least common time. */
static void latency_all(const struct stage *stage, struct bench_row *row)
{
    const struct bench_report *report = stage->runner->report;
    double clock[8] = { 0 };
    for (size_t who = 0; who < report->backend_count; who++) {
        struct bench_result result;
        struct bench_cell *cell = &row->cells[who];
        if (!working(row, who))
            continue;
        run_job(stage, BENCH_LATENCY, who, LATENCY_OPS, &result);
        if (!done(&result, cell->note, sizeof cell->note))
            continue;
        if (who == HARNESS) {
            bool frees = result.value[BENCH_FREE_P50] > 0;
            for (int i = 0; i < 8; i++)
                clock[i] = i < BENCH_FREE_P50 || i == BENCH_ALLOC_MEAN || !frees
                               ? result.value[BENCH_ALLOC_P50]
                               : result.value[BENCH_FREE_P50];
        }
        for (int i = 0; i < 8; i++)
            cell->latency[i] = fmax(0, result.value[i] - clock[i]) * report->machine.tick_ns;
    }
}

/* The harness's own row tells what its loop takes, beside the functions that do nothing. */
static void count_all(const struct stage *stage, struct bench_row *row)
{
    const struct bench_cell *harness = &row->cells[HARNESS];
    double empty_call = stage->runner->empty_call;
    for (size_t who = 0; who < stage->runner->report->backend_count; who++) {
        struct bench_result result;
        struct bench_cell *cell = &row->cells[who];
        if (!working(row, who))
            continue;
        run_job(stage, stage->runner->counter, who, COUNTED_OPS, &result);
        if (!done(&result, cell->note, sizeof cell->note))
            continue;
        cell->instructions = result.value[0];
        cell->call = cell->instructions - harness->instructions + empty_call;
    }
}

/* One seed; `ratios` has a column for each. False in `again` where a further seed takes too long.
 */
static void fit_seed(
    const struct stage *stage, double (*ratios)[FIT_SEEDS], unsigned seed, bool *again)
{
    for (size_t who = 1; who < stage->runner->report->backend_count; who++) {
        struct bench_result result;
        uint64_t start = acre_clock_ns();
        if (!again[who])
            continue;
        run_job(stage, BENCH_FIT, who, 0, &result);
        again[who] = result.outcome == BENCH_DONE && acre_clock_ns() - start < fit_patience_ns;
        if (result.outcome == BENCH_DONE)
            ratios[who][seed] = result.value[0] / peak_of(stage);
    }
}

/* The median of the seeds tried: one peak of live bytes can be lucky or not. */
static void fit_median(double *ratios, struct bench_cell *cell)
{
    size_t count = 0;
    while (count < FIT_SEEDS && !isnan(ratios[count]))
        count++;
    if (count)
        cell->pool = replay_median(ratios, count);
}

static void fit_all(const struct stage *first, struct bench_row *row)
{
    static double ratios[BENCH_MAX_BACKENDS][FIT_SEEDS];
    bool again[BENCH_MAX_BACKENDS] = { false };
    struct bench_report *report = first->runner->report;
    unsigned seeds = row->workload->path || report->scale > 1 ? 1 : FIT_SEEDS;
    for (size_t who = 0; who < report->backend_count; who++) {
        again[who] = working(row, who) && !finds_memory(&report->backends[who]);
        for (unsigned seed = 0; seed < FIT_SEEDS; seed++)
            ratios[who][seed] = BENCH_NONE;
    }
    fit_seed(first, ratios, 0, again);
    for (unsigned seed = 1; seed < seeds; seed++) {
        struct stage stage;
        if (!open_stage(&stage, first->runner, row->workload, report->seed + seed))
            break;
        fit_seed(&stage, ratios, seed, again);
        replay_script_close(&stage.script);
    }
    for (size_t who = 0; who < report->backend_count; who++)
        fit_median(ratios[who], &row->cells[who]);
}

bool bench_run_workload(struct bench_runner *runner, struct bench_row *row)
{
    struct stage stage;
    const struct bench_options *options = runner->options;
    for (size_t who = 0; who < runner->report->backend_count; who++)
        bench_cell_clear(&row->cells[who]);
    if (!open_stage(&stage, runner, row->workload, runner->report->seed))
        return false;
    row->ops = (size_t)(stage.script.facts.stop - stage.script.facts.warm);
    row->peak = (size_t)stage.script.facts.peak_live;
    verify_all(&stage, row);
    if (bench_wanted(options, "time"))
        time_all(&stage, row);
    if (bench_wanted(options, "latency"))
        latency_all(&stage, row);
    if (bench_wanted(options, "instructions") && runner->counter != NO_COUNTER)
        count_all(&stage, row);
    if (bench_wanted(options, "pool"))
        fit_all(&stage, row);
    replay_script_close(&stage.script);
    bench_progress(NULL, NULL);
    return true;
}

void bench_run_steps(struct bench_runner *runner)
{
    struct stage stage;
    struct bench_report *report = runner->report;
    if (!open_stage(&stage, runner, &bench_workload_fragmented, report->seed))
        return;
    for (size_t who = 0; who < report->backend_count; who++) {
        struct bench_result result;
        struct bench_once *once = &report->once[who];
        run_job(&stage, BENCH_STEP, who, STEPPED_OPS, &result);
        if (done(&result, once->step_note, sizeof once->step_note))
            memcpy(once->steps, result.value, sizeof once->steps);
    }
    replay_script_close(&stage.script);
    report->stepped = true;
    bench_progress(NULL, NULL);
}

void bench_run_gaps(struct bench_runner *runner)
{
    static const struct bench_workload nothing = { "gaps", "", bench_build_lifo, 64, NULL };
    struct stage stage;
    struct bench_report *report = runner->report;
    if (!open_stage(&stage, runner, &nothing, report->seed))
        return;
    for (size_t who = 1; who < report->backend_count; who++) {
        struct bench_result result;
        struct bench_once *once = &report->once[who];
        if (finds_memory(&report->backends[who]))
            continue;
        run_job(&stage, BENCH_GAPS, who, 0, &result);
        if (done(&result, once->gap_note, sizeof once->gap_note)) {
            once->gap_pages = result.value[0];
            once->gap_smalls = result.value[1];
        }
    }
    replay_script_close(&stage.script);
    report->gaps = true;
    bench_progress(NULL, NULL);
}

/* One backend at one level; false when the next level would take too long. */
static bool scale_one(const struct stage *stage, size_t who, int level)
{
    static const uint64_t patience_ns = 4000000000;
    struct bench_result result;
    struct bench_once *once = &stage->runner->report->once[who];
    uint64_t start = acre_clock_ns();
    run_job(stage, BENCH_TIME, who, 0, &result);
    if (!done(&result, once->scale_note, sizeof once->scale_note))
        return false;
    once->scale_ns[level] = result.value[0];
    if (acre_clock_ns() - start > patience_ns) {
        snprintf(once->scale_note, sizeof once->scale_note,
            "left out of more live blocks: one run took %.1f s",
            (double)(acre_clock_ns() - start) / 1e9);
        return false;
    }
    if (stage->runner->counter == NO_COUNTER)
        return true;
    run_job(stage, stage->runner->counter, who, COUNTED_OPS, &result);
    if (!done(&result, once->scale_note, sizeof once->scale_note))
        return false;
    once->scale_loops[level] = result.value[0];
    return true;
}

void bench_run_scaling(struct bench_runner *runner)
{
    struct bench_report *report = runner->report;
    bool out[BENCH_MAX_BACKENDS] = { false };
    int levels = report->scale > 1 ? 3 : BENCH_SCALE_LEVELS;
    for (int level = 0; level < levels; level++) {
        struct stage stage;
        struct bench_workload workload = bench_workload_scale;
        workload.param = (size_t)1 << (BENCH_SCALE_FIRST + level * BENCH_SCALE_STEP);
        if (!open_stage(&stage, runner, &workload, report->seed))
            return;
        for (size_t who = 0; who < report->backend_count; who++) {
            struct bench_once *once = &report->once[who];
            out[who] = out[who] || !scale_one(&stage, who, level);
            once->scale_calls[level] = once->scale_loops[level] -
                                       report->once[HARNESS].scale_loops[level] +
                                       runner->empty_call;
        }
        replay_script_close(&stage.script);
    }
    report->scaled = true;
    bench_progress(NULL, NULL);
}
