/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/trial.h"

#include "tool/record/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EMPTY_FILE "/dev/null"

/* ---- in the process that runs the program ---- */

static void replace_stream(int stream, const char *path, int flags)
{
    int file = open(path, flags);
    if (file < 0)
        file = open(EMPTY_FILE, flags);
    if (file >= 0 && file != stream) {
        dup2(file, stream);
        close(file);
    }
}

static bool is_file(int stream)
{
    struct stat about;
    return fstat(stream, &about) == 0 && S_ISREG(about.st_mode);
}

/* In the child: becomes the program. What keeps it from that goes to the pipe. */
static _Noreturn void become_program(const struct trial_shared *shared, pid_t parent, int report)
{
    const struct acre_served served = { .library = shared->library[0] ? shared->library : NULL,
        .allocator = shared->allocator[0] ? shared->allocator : NULL,
        .tunables = shared->tunables[0] ? shared->tunables : NULL };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    replace_stream(STDIN_FILENO, is_file(STDIN_FILENO) ? "/proc/self/fd/0" : EMPTY_FILE, O_RDONLY);
    replace_stream(STDOUT_FILENO, EMPTY_FILE, O_WRONLY);
    replace_stream(STDERR_FILENO, EMPTY_FILE, O_WRONLY);
    launch_restore_signals();
    if (acre_set_served(&served))
        execvp(shared->program[0], shared->program);
    int error = errno;
    if (write(report, &error, sizeof error) != (ssize_t)sizeof error)
        _exit(1);
    _exit(1);
}

static double seconds_between(const struct timespec *start, const struct timespec *end)
{
    return (double)(end->tv_sec - start->tv_sec) + (double)(end->tv_nsec - start->tv_nsec) / 1e9;
}

static double seconds_of_timeval(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Waits for the program's end. */
static void take_outcome(struct trial_outcome *outcome, pid_t pid, const struct timespec *start)
{
    struct rusage usage;
    struct timespec end;
    int status = 0;
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    outcome->elapsed = seconds_between(start, &end);
    outcome->processor = seconds_of_timeval(usage.ru_utime) + seconds_of_timeval(usage.ru_stime);
    outcome->resident = (uint64_t)usage.ru_maxrss * 1024;
    outcome->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* One order: runs the program once. */
static void run_trial(void *argument)
{
    struct trial_shared *shared = argument;
    struct trial_outcome *outcome = &shared->outcome;
    struct timespec start;
    int report[2];
    pid_t self = getpid();
    *outcome = (struct trial_outcome){ .code = -1 };
    if (pipe2(report, O_CLOEXEC) != 0) {
        outcome->error = errno;
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid_t pid = fork();
    if (pid == 0)
        become_program(shared, self, report[1]);
    outcome->error = pid < 0 ? errno : 0;
    close(report[1]);
    if (pid > 0 && read(report[0], &outcome->error, sizeof outcome->error) < 0)
        outcome->error = errno;
    close(report[0]);
    if (pid > 0)
        take_outcome(outcome, pid, &start);
}

/* ---- for its parent ---- */

bool trial_open(struct trial_runner *runner, char **program)
{
    runner->shared = replay_map_shared(sizeof *runner->shared);
    if (!runner->shared)
        return false;
    runner->shared->program = program;
    if (replay_child_start(&runner->child, run_trial, runner->shared))
        return true;
    int error = errno;
    munmap(runner->shared, sizeof *runner->shared);
    runner->shared = NULL;
    errno = error;
    return false;
}

void trial_close(struct trial_runner *runner)
{
    char ended[REPLAY_ENDED_ROOM];
    if (!runner->shared)
        return;
    replay_child_end(&runner->child, ended);
    munmap(runner->shared, sizeof *runner->shared);
    runner->shared = NULL;
}

/* What the progress line says during a trial. */
struct trial_watch {
    const char *doing;
    double done;
};

static void watch_trial(void *argument, struct acre_progress *progress)
{
    const struct trial_watch *watch = argument;
    acre_progress_show(progress, watch->doing, watch->done);
}

static void set_text(char *text, size_t room, const char *value)
{
    snprintf(text, room, "%s", value ? value : "");
}

bool trial_run(struct trial_runner *runner, const struct acre_served *served, double done,
    struct acre_progress *progress)
{
    char doing[96];
    struct trial_watch watch = { doing, done };
    struct trial_shared *shared = runner->shared;
    snprintf(doing, sizeof doing, "running %.60s", shared->program[0]);
    set_text(shared->library, sizeof shared->library, served->library);
    set_text(shared->allocator, sizeof shared->allocator, served->allocator);
    set_text(shared->tunables, sizeof shared->tunables, served->tunables);
    replay_child_order(&runner->child);
    return replay_child_wait(&runner->child, watch_trial, &watch, progress);
}
