/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/recording_cost.h"

#include "cli/options.h"
#include "replay/child.h"
#include "tool/command.h"
#include "tool/compare/source.h"
#include "tool/compare/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BLOCKS = 64,
    PAIRS = 50000,
    LONG_PAIRS = 4 * PAIRS,
    MOST_THREADS = 2,
    ROUNDS = 3,
    LENGTH = 3, /* the word of the program that says how many calls */
    LARGEST = 256
};

/* ---- the process that makes calls ---- */

/* Frees a block and allocates one in its place, so many times. */
static void *make_calls(void *pairs)
{
    void *volatile blocks[BLOCKS] = { NULL };
    uint32_t random = 1;
    for (int i = *(const int *)pairs; i > 0; i--) {
        random = random * 1664525u + 1013904223u;
        size_t at = random >> 26;
        free(blocks[at]);
        blocks[at] = malloc(1 + (random >> 8) % LARGEST);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    return NULL;
}

int compare_calls_main(int argc, char **argv)
{
    pthread_t threads[MOST_THREADS];
    int others = argc > 2 && argv[2][0] == '2' ? 1 : 0;
    int pairs = argc > 3 && argv[3][0] == 'l' ? LONG_PAIRS : PAIRS;
    for (int i = 0; i < others; i++)
        if (pthread_create(&threads[i], NULL, make_calls, &pairs) != 0)
            return ACRE_EXIT_FAILED;
    make_calls(&pairs);
    for (int i = 0; i < others; i++)
        pthread_join(threads[i], NULL);
    return ACRE_EXIT_OK;
}

/* ---- the process that measures ---- */

static int run_unrecorded(char **program)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execv(program[0], program);
        _exit(ACRE_EXIT_NOT_FOUND);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : ACRE_EXIT_FAILED;
}

/* Processor time of one run in nanoseconds; 0: it failed. `trace` null: not recorded. */
static double time_run(char **program, const char *trace)
{
    double before = compare_children_ns();
    int code = trace ? compare_record_command(program, trace) : run_unrecorded(program);
    return code == ACRE_EXIT_OK ? compare_children_ns() - before : 0.0;
}

static void take_least(double *least, double took)
{
    if (took > 0.0 && (*least <= 0.0 || took < *least))
        *least = took;
}

/* What long runs take more than short ones: without what starting costs, by the least of a few. */
static double time_calls(char **program, const char *trace)
{
    static char short_word[] = "short";
    static char long_word[] = "long";
    double least[2] = { 0.0, 0.0 };
    for (int run = 0; run < 2 * ROUNDS; run++) {
        program[LENGTH] = run % 2 == 0 ? short_word : long_word;
        take_least(&least[run % 2], time_run(program, trace));
    }
    return least[0] > 0.0 && least[1] > least[0] ? least[1] - least[0] : 0.0;
}

static void measure(unsigned threads, double *cost)
{
    char own[ACRE_PATH_ROOM] = "";
    char word[] = COMPARE_CALLS_WORD;
    char count[] = { (char)('0' + threads), '\0' };
    char *program[LENGTH + 2] = { own, word, count };
    struct compare_source scratch = { .path = NULL };
    int silent = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (silent >= 0)
        dup2(silent, STDERR_FILENO);
    if (readlink("/proc/self/exe", own, sizeof own - 1) <= 0 || !compare_name_trace(&scratch))
        return;
    double plain = time_calls(program, NULL);
    double recorded = time_calls(program, scratch.path);
    if (plain > 0.0 && recorded > plain)
        *cost = (recorded - plain) / (threads * 2.0 * (LONG_PAIRS - PAIRS));
    unlink(scratch.path);
}

/* ---- for its parent ---- */

double compare_recording_cost(unsigned threads)
{
    double *shared = replay_map_shared(sizeof *shared);
    if (!shared)
        return 0.0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        measure(threads, shared);
        _exit(ACRE_EXIT_OK);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    double cost = *shared;
    munmap(shared, sizeof *shared);
    return cost;
}

/* Nanoseconds that the program takes when it is not recorded, as far as is known. Of one thread
 * that is its processor time, as in the runs that verify it. */
static double without_recording(
    const struct compare_result *result, const struct compare_program_time *time)
{
    double duration = (double)result->facts.duration_ns;
    double recorded = result->facts.threads > 1 ? duration : time->recorded_ns;
    if (time->unrecorded_ns > 0.0)
        return time->unrecorded_ns;
    if (time->recorded_ns <= 0.0)
        return duration;
    return recorded - (double)result->facts.ops * time->recording_ns;
}

void compare_correct_duration(
    struct compare_result *result, const struct compare_program_time *time)
{
    int index = compare_today(result);
    double duration = (double)result->facts.duration_ns;
    double corrected = without_recording(result, time);
    if (index < 0)
        return;
    const struct compare_candidate *today = &result->candidates[index];
    double own =
        today->threaded && today->parallel > 0.0 ? result->think_ns / today->parallel : 0.0;
    double least = (double)result->facts.ops * (compare_time(today) + own);
    corrected = corrected > least ? corrected : least;
    if (corrected < duration)
        result->facts.duration_ns = (uint64_t)corrected;
}
