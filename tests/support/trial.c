/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/trial.h"

#include "support/ops_decode.h"
#include "support/rng.h"
#include "support/shrink.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Processor seconds after which a run counts as an endless loop; a sound one takes a hundredth. */
enum { LOOP_SECONDS = 120 };

static void run_here(
    const struct acre_subject *backend, const struct op *ops, size_t count, struct trial *trial)
{
    struct fixture fixture;
    struct model *model = malloc(sizeof *model);
    if (model == NULL)
        abort();
    fixture_open(&fixture, backend, TRIAL_ARENA, TRIAL_ARENA);
    model_run(model, &fixture, ops, count, &trial->done);
    trial->left_out = model->left_out;
    memcpy(trial->failure, model->failure, sizeof trial->failure);
    fixture_close(&fixture);
    free(model);
}

/* What ends a child that goes wrong; the test runner may have handlers of its own for them. */
static const int deaths[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGXCPU };

static void run_child(int out, const struct acre_subject *backend, const struct op *ops,
    size_t count, struct trial *trial)
{
    struct rlimit limit = { LOOP_SECONDS, LOOP_SECONDS };
    setrlimit(RLIMIT_CPU, &limit);
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
        signal(deaths[i], SIG_DFL);
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
        snprintf(trial->failure, sizeof trial->failure, "ended by %s %d",
            WIFSIGNALED(how) ? "signal" : "exit code",
            WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    }
    return trial->failure[0] == '\0';
}

static bool fails(void *arg, const struct op *ops, size_t count)
{
    struct trial trial;
    return !trial_run(arg, ops, count, &trial);
}

size_t trial_shrink(
    const struct acre_subject *backend, struct op *ops, size_t count, struct trial *trial)
{
    void *arg = (void *)(uintptr_t)backend;
    count = shrink(ops, count, fails, arg);
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
