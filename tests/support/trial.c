/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/trial.h"

#include "support/ops_decode.h"
#include "support/rng.h"
#include "support/shrink.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* On the clock, so many times as long. */
enum { PATIENCE = 10 };

static const char loops[] = "it did not come to an end";

struct trial_limits trial_limits = { TRIAL_ARENA, 120, 0, 0, false };

static void run_here(
    const struct acre_subject *backend, const struct op *ops, size_t count, struct trial *trial)
{
    struct fixture fixture;
    struct model *model = malloc(sizeof *model);
    if (model == NULL)
        abort();
    fixture_open(&fixture, backend, trial_limits.arena, trial_limits.arena);
    model_run(model, &fixture, ops, count, &trial->done);
    trial->left_out = model->left_out;
    memcpy(trial->failure, model->failure, sizeof trial->failure);
    fixture_close(&fixture);
    free(model);
}

/* What ends a child that goes wrong; the test runner may have handlers of its own for them. */
static const int deaths[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGXCPU, SIGALRM, SIGPROF };

void trial_limit(const struct trial_limits *limits)
{
    struct rlimit seconds = { limits->seconds, limits->seconds + 1 };
    struct rlimit none = { 0, 0 };
    struct itimerval soon = { { 0, 0 }, { 0, (suseconds_t)limits->milliseconds * 1000 } };
    int nothing = limits->silent ? open("/dev/null", O_RDWR) : -1;
    setrlimit(RLIMIT_CPU, &seconds);
    setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
        signal(deaths[i], SIG_DFL);
    alarm(limits->seconds * PATIENCE);
    if (limits->milliseconds != 0)
        setitimer(ITIMER_PROF, &soon, NULL);
    for (int stream = STDOUT_FILENO; nothing >= 0 && stream <= STDERR_FILENO; stream++)
        dup2(nothing, stream);
}

void trial_ending(char *text, size_t room, int how)
{
    int number = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    if (number == SIGXCPU || number == SIGALRM || number == SIGPROF)
        snprintf(text, room, "%s", loops);
    else if (number != 0)
        snprintf(text, room, "ended by signal %d (%s)", number, strsignal(number));
    else
        snprintf(text, room, "ended the process with code %d", WEXITSTATUS(how));
}

static void run_child(int out, const struct acre_subject *backend, const struct op *ops,
    size_t count, struct trial *trial)
{
    trial_limit(&trial_limits);
    run_here(backend, ops, count, trial);
    ssize_t sent = write(out, trial, sizeof *trial);
    exit(sent == (ssize_t)sizeof *trial ? EXIT_SUCCESS : EXIT_FAILURE);
}

static pid_t start_child(int ends[2], const struct acre_subject *backend, const struct op *ops,
    size_t count, struct trial *trial)
{
    fflush(NULL);
    if (pipe(ends) != 0)
        abort();
    pid_t child = fork();
    if (child < 0)
        abort();
    if (child == 0) {
        close(ends[0]);
        run_child(ends[1], backend, ops, count, trial);
    }
    close(ends[1]);
    return child;
}

bool trial_run(
    const struct acre_subject *backend, const struct op *ops, size_t count, struct trial *trial)
{
    int ends[2];
    int how = 0;
    memset(trial, 0, sizeof *trial);
    pid_t child = start_child(ends, backend, ops, count, trial);
    ssize_t got = read(ends[0], trial, sizeof *trial);
    close(ends[0]);
    waitpid(child, &how, 0);
    if (got != (ssize_t)sizeof *trial) {
        trial->done = count;
        trial_ending(trial->failure, sizeof trial->failure, how);
    }
    return trial->failure[0] == '\0';
}

struct search {
    const struct acre_subject *backend;
    time_t end; /* 0: none */
};

static bool fails(void *arg, const struct op *ops, size_t count)
{
    struct trial trial;
    struct search *search = arg;
    bool late = search->end != 0 && time(NULL) > search->end;
    return !late && !trial_run(search->backend, ops, count, &trial);
}

size_t trial_shrink(
    const struct acre_subject *backend, struct op *ops, size_t count, struct trial *trial)
{
    struct trial_limits limits = trial_limits;
    struct search search = { backend, 0 };
    if (limits.shrinking != 0)
        search.end = time(NULL) + (time_t)limits.shrinking;
    if (limits.shrinking != 0 && strcmp(trial->failure, loops) == 0)
        trial_limits.milliseconds = 100; /* each loop found costs so much again */
    count = shrink(ops, count, fails, &search);
    trial_limits = limits;
    trial_run(backend, ops, count, trial);
    return count;
}

size_t trial_ops(uint64_t seed, struct op *ops, size_t count)
{
    struct rng rng = { seed };
    size_t done = 0;
    while (done < count) {
        uint64_t bytes[64];
        for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++)
            bytes[i] = rng_next(&rng);
        done += ops_decode((const uint8_t *)bytes, sizeof bytes, ops + done, count - done);
    }
    return done;
}
