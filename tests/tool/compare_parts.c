/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The pure parts of a comparison: buckets, moments, figures, advice. */
#include "tool/compare/advise.h"
#include "tool/compare/print.h"
#include "tool/compare/ratio.h"
#include "tool/compare/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct compare_result result;

static void buckets_cover_all_numbers(void **state)
{
    (void)state;
    for (unsigned i = 0; i + 1 < REPLAY_BUCKETS; i++) {
        assert_int_equal(replay_bucket(replay_bucket_start(i)), i);
        assert_int_equal(replay_bucket(replay_bucket_start(i + 1) - 1), i);
    }
    assert_int_equal(replay_bucket(UINT32_MAX), 239);
    assert_int_equal(replay_bucket(UINT64_MAX), REPLAY_BUCKETS - 1);
}

static void moments_are_even_and_end_at_the_last(void **state)
{
    (void)state;
    assert_true(replay_sample_op(0, 0, 1) == 0);
    assert_true(replay_sample_op(9, 0, 10) == 0);
    assert_true(replay_sample_op(9, 9, 10) == 9);
    assert_true(replay_sample_op(999999, 0, 512) == 0);
    assert_true(replay_sample_op(999999, 511, 512) == 999999);
    for (uint64_t i = 1; i < 512; i++) {
        uint64_t step = replay_sample_op(999999, i, 512) - replay_sample_op(999999, i - 1, 512);
        assert_true(step >= 1955 && step <= 1958);
    }
}

/* A candidate that completed: memory in bytes, time in ns, ticks of the worst and of the 99.9th
 * percentile. */
static struct compare_candidate *add(
    enum compare_origin origin, const char *name, uint64_t memory, double ns, uint64_t worst)
{
    struct compare_candidate *candidate = &result.candidates[result.count++];
    *candidate = (struct compare_candidate){ .origin = origin,
        .verified = true,
        .has_pool = origin == COMPARE_BUILT_IN,
        .fitted = origin == COMPARE_BUILT_IN,
        .smallest_pool = origin == COMPARE_BUILT_IN ? memory : 0,
        .memory = memory,
        .rounds = 5,
        .ns = ns,
        .ns_least = ns,
        .ns_most = ns,
        .stepped = true,
        .p999 = worst / 2,
        .worst = worst };
    strcpy(candidate->name, name);
    strcpy(candidate->allocator, name);
    return candidate;
}

static int three_candidates(void **state)
{
    (void)state;
    memset(&result, 0, sizeof result);
    result.ticks = "cycles";
    result.source = "made up";
    result.rounds = 5;
    add(COMPARE_SYSTEM, "system", 2000, 20.0, 9000);
    add(COMPARE_BUILT_IN, "small", 1000, 60.0, 900);
    add(COMPARE_BUILT_IN, "steady", 1600, 30.0, 500);
    return 0;
}

static const char *best_for(enum compare_goal goal)
{
    int index = result.advice[goal].candidate;
    return index < 0 ? "" : result.candidates[index].name;
}

static void each_goal_has_its_best(void **state)
{
    (void)state;
    compare_advise(&result);
    assert_string_equal(best_for(COMPARE_MEMORY), "small");
    assert_string_equal(best_for(COMPARE_SPEED), "system");
    assert_string_equal(best_for(COMPARE_WORST), "steady");
    assert_string_equal(best_for(COMPARE_BALANCED), "steady");
    assert_int_equal(result.advice[COMPARE_MEMORY].runner_up, 2);
    assert_int_equal(result.advice[COMPARE_SPEED].own, 2);
    assert_non_null(strstr(result.advice[COMPARE_MEMORY].reason, "small completes in a pool of "));
    assert_non_null(strstr(result.advice[COMPARE_MEMORY].reason, "steady takes 1.57 KiB (+60 %)"));
    assert_non_null(strstr(result.advice[COMPARE_MEMORY].changes,
        "If speed mattered most: system (memory x 2.0, time -67 %, worst operation x 10.0)."));
    assert_non_null(strstr(
        result.advice[COMPARE_SPEED].changes, "or without an operating system: steady (+50 %)."));
}

/* One that wins two of the other goals is named once; the pool is told for each goal. */
static void alternatives_are_named_once(void **state)
{
    (void)state;
    result.candidates[0].worst = 400;
    compare_advise(&result);
    const char *changes = result.advice[COMPARE_MEMORY].changes;
    assert_non_null(
        strstr(changes, "If speed or the worst case mattered most: system (memory x 2.0,"));
    assert_null(strstr(strstr(changes, "If ") + 1, "If "));
    assert_non_null(strstr(result.advice[COMPARE_SPEED].reason,
        "system grew the process by 1.95 KiB, 0.000 of the peak of live bytes."));
    result.candidates[0].verified = false;
    compare_advise(&result);
    assert_non_null(
        strstr(result.advice[COMPARE_SPEED].reason, "steady completes in a pool of 1.57 KiB"));
    assert_non_null(
        strstr(result.advice[COMPARE_BALANCED].reason, "It completes in a pool of 1.57 KiB."));
}

/* A pool and pages touched are two measures, which is said where they meet. */
static void unlike_measures_are_told(void **state)
{
    (void)state;
    compare_advise(&result);
    assert_null(strstr(result.advice[COMPARE_MEMORY].changes, "has no pool"));
    result.candidates[0].memory = 900;
    compare_advise(&result);
    assert_non_null(strstr(result.advice[COMPARE_MEMORY].changes,
        "system has no pool: its figure counts the pages it touched, and compares roughly."));
}

static void touched_time_is_preferred(void **state)
{
    (void)state;
    result.candidates[0].touched = result.candidates[1].touched = true;
    result.candidates[0].ns_touched = 90.0;
    result.candidates[1].ns_touched = 25.0;
    compare_advise(&result);
    assert_string_equal(best_for(COMPARE_SPEED), "small");
}

static void what_does_not_serve_is_not_recommended(void **state)
{
    (void)state;
    result.candidates[0].failed = 1;
    result.candidates[1].verified = false;
    compare_advise(&result);
    assert_string_equal(best_for(COMPARE_MEMORY), "steady");
    assert_string_equal(best_for(COMPARE_SPEED), "steady");
    result.candidates[2].smallest_pool = 0;
    compare_advise(&result);
    assert_string_equal(best_for(COMPARE_WORST), "");
    assert_int_equal(result.advice[COMPARE_WORST].own, -1);
}

static void near_runs_are_said_to_be_near(void **state)
{
    (void)state;
    result.candidates[2].ns = 21.0;
    result.candidates[2].ns_least = 21.0;
    compare_advise(&result);
    assert_false(result.advice[COMPARE_SPEED].close_run);
    result.candidates[0].ns_most = 22.0;
    compare_advise(&result);
    assert_true(result.advice[COMPARE_SPEED].close_run);
    assert_non_null(strstr(result.advice[COMPARE_SPEED].changes, "steady ties with it"));
}

/* After an interrupt some figures are missing: they are not zeros. */
static void unmeasured_figures_are_told(void **state)
{
    (void)state;
    result.candidates[0].stepped = false;
    result.candidates[0].worst = 0;
    compare_advise(&result);
    assert_non_null(strstr(result.advice[COMPARE_MEMORY].changes,
        "If speed mattered most: system (memory x 2.0, time -67 %, worst operation not "
        "measured)."));
}

/* An interrupt leaves times with blocks touched beside times without: these two do not compare. */
static void unlike_times_are_not_compared(void **state)
{
    char text[COMPARE_REASON_ROOM];
    (void)state;
    result.facts.ops = 10000000;
    result.facts.duration_ns = 1000000000;
    result.interrupted = true;
    result.candidates[0].touched = true;
    result.candidates[0].ns_touched = result.candidates[0].touched_least = 40.0;
    result.candidates[1].off_touched = result.candidates[2].off_touched = true;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_string_equal(best_for(COMPARE_SPEED), "system");
    assert_non_null(
        strstr(text, "interrupted; as far as was measured: keep your malloc: none is faster"));
    result.candidates[0].off_touched = true;
    compare_verdict(&result, text);
    assert_string_equal(text, "no verdict: interrupted before enough was measured");
}

/* Short runs are told in milliseconds, and what shows as nothing as nothing. */
static void seconds_have_digits_that_tell(void **state)
{
    char text[COMPARE_REASON_ROOM];
    char seconds[COMPARE_SECONDS_ROOM];
    (void)state;
    assert_string_equal(compare_format_seconds(seconds, 0.00042, 0.0382, false), "0.4 ms");
    assert_string_equal(compare_format_seconds(seconds, -0.31, 7.6, true), "-0.31 s");
    result.facts.ops = 1000000;
    result.facts.duration_ns = 20000000000;
    result.candidates[2].ns = result.candidates[2].ns_least = 14.0;
    result.candidates[0].ns = result.candidates[0].ns_least = 15.0;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_non_null(strstr(text,
        "keep your malloc: with steady the program would run as fast as on your malloc (20.00 s, "
        "predicted)"));
}

/* What a program gains is told against its malloc and its recorded run; ties are named. */
static void verdicts_are_for_the_program(void **state)
{
    char text[COMPARE_REASON_ROOM];
    (void)state;
    result.candidates[0].ns = result.candidates[0].ns_least = result.candidates[0].ns_most = 100.0;
    result.facts.ops = 10000000;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_string_equal(text,
        "take steady: allocation -70 % time against your malloc, memory -20 %; least memory: "
        "small, -50 %");
    uint64_t memory = result.candidates[0].memory;
    result.candidates[0].memory = result.candidates[1].memory * 1000 / 996;
    compare_verdict(&result, text);
    assert_null(strstr(text, "least memory")); /* 0.4 % less is no news */
    result.candidates[0].memory = result.candidates[2].memory * 1000 / 1001;
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "against your malloc, memory the same"));
    result.candidates[0].memory = memory;
    result.facts.duration_ns = 10000000000;
    compare_verdict(&result, text);
    assert_non_null(strstr(text,
        "take steady: the program would run 7.0 % faster than on your malloc (-0.70 s of 10.00 s, "
        "predicted), memory -20 %"));
    result.candidates[1].ns = result.candidates[1].ns_least = 30.1;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_non_null(
        strstr(text, "take steady (tie with small): the program would run 7.0 % faster"));
    result.candidates[2].origin = COMPARE_PRELOAD; /* as cheap to adopt, */
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "take steady (tie with small)"));
    result.candidates[2].origin = COMPARE_PLUGIN; /* dearer */
    compare_verdict(&result, text);
    assert_non_null(
        strstr(text, "take small (tie with steady): the program would run 7.0 % faster"));
    result.candidates[1].ns_least = 36.0; /* 0.6 % of the program's time are no tie */
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "take steady: the program would run 7.0 % faster"));
    result.candidates[1].ns_least = 30.1;
    result.candidates[2].origin = COMPARE_BUILT_IN;
    result.facts.duration_ns = 36000000000;
    compare_verdict(&result, text);
    assert_non_null(
        strstr(text, "keep your malloc: with steady the program would run 1.9 % faster"));
    result.facts.duration_ns = 100000000000;
    compare_verdict(&result, text);
    assert_non_null(
        strstr(text, "keep your malloc: with steady the program would run 0.7 % faster"));
    result.candidates[0].ns = result.candidates[0].ns_least = 30.0;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_non_null(
        strstr(text, "keep your malloc: none is faster beyond noise (tie with steady, small)"));
}

/* Reads of scattered blocks count for a part of the program's own time. */
static void reads_of_blocks_count(void **state)
{
    char text[COMPARE_REASON_ROOM];
    double seconds = 0.0;
    (void)state;
    result.facts.ops = 1000000;
    result.facts.duration_ns = 1020000000;
    for (size_t i = 0; i < result.count; i++) {
        result.candidates[i].ns = result.candidates[i].ns_least = 20.0;
        result.candidates[i].visit_ns = 2500.0;
    }
    result.candidates[2].visit_ns = 2000.0;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "take steady: the program would run 4.9 % faster"));
    assert_true(compare_predict_from(&result, &result.candidates[2], 0.22, &seconds));
    assert_true(seconds > -0.021 && seconds < -0.019);
    result.candidates[0].visit_ns = 0.0;
    assert_true(compare_predict(&result, &result.candidates[2], &seconds));
    assert_true(seconds > -0.001 && seconds < 0.001);
}

/* A trace does not tell how often a program's own work waits for its blocks: where that matters,
 * the bounds are told. */
static void bounds_are_told(void **state)
{
    char text[COMPARE_REASON_ROOM];
    double bounds[2] = { 0.0, 0.0 };
    (void)state;
    result.facts.ops = 1000000;
    result.facts.duration_ns = 120000000;
    for (size_t i = 0; i < result.count; i++)
        result.candidates[i].visit_ns = 100.0;
    result.candidates[2].ns = result.candidates[2].ns_least = 10.0;
    result.candidates[2].visit_ns = 60.0;
    result.candidates[2].ns_noise = 2.0;
    compare_advise(&result);
    assert_true(compare_predict_bounds(&result, &result.candidates[2], 0.12, bounds));
    assert_true(bounds[0] > -0.0421 &&
                bounds[0] < -0.0419); /* own time 0.1: three quarters of it, 40 % less */
    assert_true(bounds[1] > -0.0081 && bounds[1] < -0.0079);
    compare_verdict(&result, text);
    assert_non_null(strstr(text,
        "(-14.0 ms of 120.0 ms, predicted: -6.7 to -35.0 % by how its own work reads memory)"));
    result.candidates[2].visit_ns = 98.0;
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "(-10.2 ms of 120.0 ms, predicted), memory"));
    result.facts.duration_ns = 0;
    assert_false(compare_predict_bounds(&result, &result.candidates[2], 0.0, bounds));
}

/* Today's malloc is the one that the program is linked to. */
static void todays_malloc_may_be_another(void **state)
{
    char text[COMPARE_REASON_ROOM];
    (void)state;
    result.today = "steady";
    compare_advise(&result);
    assert_int_equal(compare_today(&result), 2);
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "take system: allocation -33 % time against your malloc"));
}

static void threads_are_said_not_to_be_measured(void **state)
{
    (void)state;
    result.facts.threads = 4;
    compare_advise(&result);
    assert_non_null(strstr(result.advice[COMPARE_SPEED].changes, "4 threads"));
}

/* What waits for one lock is neither predicted nor advised for threads, however fast on one. */
static void locks_are_not_predicted(void **state)
{
    char text[COMPARE_REASON_ROOM];
    double seconds = 0.0;
    (void)state;
    result.facts.ops = 10000000;
    result.facts.duration_ns = 2500000000;
    result.candidates[2].ns = result.candidates[2].ns_least = 1.0;
    add(COMPARE_BUILT_IN, "threaded", 1800, 10.0, 700);
    for (uint32_t threads = 1; threads <= 2; threads++) {
        result.facts.threads = threads;
        compare_advise(&result);
        bool one = threads == 1;
        assert_int_equal(compare_waits_for_lock(&result, &result.candidates[2]), !one);
        assert_int_equal(compare_predict(&result, &result.candidates[2], &seconds), one);
        assert_string_equal(best_for(COMPARE_SPEED), one ? "steady" : "threaded");
        assert_string_equal(best_for(COMPARE_MEMORY), "small");
        compare_verdict(&result, text);
        assert_non_null(strstr(text, one ? "take steady:" : "take threaded:"));
    }
    assert_false(compare_waits_for_lock(&result, &result.candidates[3]));
    assert_true(compare_costs_less(&result, &result.candidates[3], &result.candidates[2]));
    assert_false(compare_costs_less(&result, &result.candidates[2], &result.candidates[3]));
}

/* What ties with the best by its noise alone, and gains nothing, is not advised. */
static void what_gains_nothing_is_not_advised(void **state)
{
    char text[COMPARE_REASON_ROOM];
    (void)state;
    result.facts.ops = 10000000;
    result.facts.duration_ns = 1000000000;
    result.candidates[2].ns = result.candidates[2].ns_least = 16.0;
    result.candidates[1].ns_noise = 5.5;
    result.candidates[1].ns = result.candidates[1].ns_least = 19.5;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "take steady: the program would run 4.0 % faster"));
    result.candidates[1].ns_least = 17.0;
    compare_verdict(&result, text);
    assert_non_null(
        strstr(text, "take steady (tie with small): the program would run 4.0 % faster"));
}

/* Predictions take the least of the rounds; those that differ by less than the rounds do, tie. */
static void noise_is_a_tie(void **state)
{
    char text[COMPARE_REASON_ROOM];
    (void)state;
    result.facts.ops = 10000000;
    result.facts.duration_ns = 1000000000;
    result.candidates[2].ns = 30.0;
    result.candidates[2].ns_least = 16.0;
    result.candidates[2].ns_noise = 3.0;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "take steady: the program would run 4.0 % faster"));
    result.candidates[2].ns_noise = 4.1;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_non_null(
        strstr(text, "keep your malloc: with steady the program would run 4.0 % faster"));
    assert_non_null(strstr(text, "predicted), within noise"));
}

/* Page faults count for all alike: what wins on touched pages alone is not advised. */
static void page_faults_count_for_all(void **state)
{
    char text[COMPARE_REASON_ROOM];
    (void)state;
    result.facts.ops = 10000000;
    result.facts.duration_ns = 10000000000;
    result.candidates[0].ns = result.candidates[0].ns_least = 400.0;
    for (size_t i = 0; i < result.count; i++) {
        result.candidates[i].touched = true;
        result.candidates[i].ns_touched = result.candidates[i].touched_least = 401.0 + (double)i;
    }
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "keep your malloc: none is faster beyond noise"));
    result.candidates[2].ns_touched = result.candidates[2].touched_least = 201.0;
    compare_advise(&result);
    compare_verdict(&result, text);
    assert_non_null(strstr(text, "take steady: the program would run 20.0 % faster"));
}

static void nothing_is_measured_nothing_is_advised(void **state)
{
    (void)state;
    result.count = 0;
    compare_advise(&result);
    for (int i = 0; i < COMPARE_GOALS; i++)
        assert_int_equal(result.advice[i].candidate, -1);
}

/* The longest texts fit, or are cut. */
static void long_names_are_held(void **state)
{
    (void)state;
    for (size_t i = 0; i < result.count; i++)
        memset(result.candidates[i].name, 'n', COMPARE_NAME_ROOM - 1);
    result.facts.threads = UINT32_MAX;
    result.candidates[0].ns_most = 1e300;
    result.candidates[1].ns = 1e300;
    compare_advise(&result);
    for (int i = 0; i < COMPARE_GOALS; i++) {
        assert_true(strlen(result.advice[i].reason) < COMPARE_REASON_ROOM);
        assert_true(strlen(result.advice[i].changes) < COMPARE_REASON_ROOM);
    }
}

static int ten_thousandths(double number)
{
    return (int)(number * 10000.0 + 0.5);
}

/* The ratio of runs in turns: a run that was disturbed moves neither it nor, among many, its
 * bounds. */
static void disturbed_runs_do_not_move_a_ratio(void **state)
{
    const double others[9] = { 100, 100, 100, 100, 100, 100, 100, 100, 100 };
    const double theirs[9] = { 90, 90, 90, 90, 180, 90, 90, 90, 90 };
    (void)state;
    struct compare_ratio ratio = compare_estimate_ratio(theirs, others, 9);
    assert_int_equal(ten_thousandths(ratio.middle), 9000);
    assert_int_equal(ten_thousandths(ratio.low), 9000);
    assert_int_equal(ten_thousandths(ratio.high), 12728); /* the geometric mean of 0.9 and 1.8 */
    ratio = compare_estimate_ratio(theirs + 4, others, 1);
    assert_int_equal(ten_thousandths(ratio.middle), 18000);
    ratio = compare_estimate_ratio(theirs, others, 0);
    assert_int_equal(ten_thousandths(ratio.middle), 10000);
}

/* Bounds as tables of the signed ranks give them: of ten runs, eight of the 55 pairs are left out
 * at either end; of five, none. */
static void bounds_leave_out_as_many_pairs_as_tables_say(void **state)
{
    const double others[10] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    const double theirs[10] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 };
    (void)state;
    struct compare_ratio ratio = compare_estimate_ratio(theirs, others, 10);
    assert_int_equal(ten_thousandths(ratio.low), 40000);
    assert_int_equal(ten_thousandths(ratio.middle / 22.627417), 10000);
    assert_int_equal(ten_thousandths(ratio.high), 1280000);
    ratio = compare_estimate_ratio(theirs, others, 5);
    assert_int_equal(ten_thousandths(ratio.low), 10000);
    assert_int_equal(ten_thousandths(ratio.high), 160000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_cover_all_numbers),
        cmocka_unit_test(moments_are_even_and_end_at_the_last),
        cmocka_unit_test(disturbed_runs_do_not_move_a_ratio),
        cmocka_unit_test(bounds_leave_out_as_many_pairs_as_tables_say),
        cmocka_unit_test_setup(each_goal_has_its_best, three_candidates),
        cmocka_unit_test_setup(alternatives_are_named_once, three_candidates),
        cmocka_unit_test_setup(unlike_measures_are_told, three_candidates),
        cmocka_unit_test_setup(touched_time_is_preferred, three_candidates),
        cmocka_unit_test_setup(what_does_not_serve_is_not_recommended, three_candidates),
        cmocka_unit_test_setup(near_runs_are_said_to_be_near, three_candidates),
        cmocka_unit_test_setup(unmeasured_figures_are_told, three_candidates),
        cmocka_unit_test_setup(unlike_times_are_not_compared, three_candidates),
        cmocka_unit_test_setup(seconds_have_digits_that_tell, three_candidates),
        cmocka_unit_test_setup(verdicts_are_for_the_program, three_candidates),
        cmocka_unit_test_setup(reads_of_blocks_count, three_candidates),
        cmocka_unit_test_setup(bounds_are_told, three_candidates),
        cmocka_unit_test_setup(todays_malloc_may_be_another, three_candidates),
        cmocka_unit_test_setup(threads_are_said_not_to_be_measured, three_candidates),
        cmocka_unit_test_setup(locks_are_not_predicted, three_candidates),
        cmocka_unit_test_setup(noise_is_a_tie, three_candidates),
        cmocka_unit_test_setup(page_faults_count_for_all, three_candidates),
        cmocka_unit_test_setup(what_gains_nothing_is_not_advised, three_candidates),
        cmocka_unit_test_setup(nothing_is_measured_nothing_is_advised, three_candidates),
        cmocka_unit_test_setup(long_names_are_held, three_candidates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
