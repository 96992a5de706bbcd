/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MOST_ARGUMENTS 32

const char *built(const char *name)
{
    static char paths[16][4096];
    static size_t next;
    const char *folder = getenv("ACRE_BUILD");
    if (!folder || next == 16)
        abort();
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next++];
}

static _Noreturn void become(const char *const *argv, int out, int err)
{
    char *copy[MOST_ARGUMENTS] = { NULL };
    for (size_t i = 0; i < MOST_ARGUMENTS - 1 && argv[i]; i++)
        copy[i] = strdup(argv[i]);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execvp(copy[0], copy);
    _exit(121);
}

/* Adds what is there to be read. Returns 0 at the end of the output. */
static int take(int from, char *text, size_t *used)
{
    char lost[4096];
    size_t room = SPAWN_ROOM - 1 - *used;
    ssize_t size = read(from, room ? text + *used : lost, room ? room : sizeof lost);
    if (size <= 0)
        return 0;
    if (room)
        *used += (size_t)size;
    text[*used] = '\0';
    return 1;
}

static void collect(struct spawned *spawned, int out, int err)
{
    struct pollfd from[2] = { { .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN } };
    size_t used[2] = { 0, 0 };
    spawned->out[0] = spawned->err[0] = '\0';
    while (from[0].fd >= 0 || from[1].fd >= 0) {
        poll(from, 2, -1);
        for (int i = 0; i < 2; i++)
            if (from[i].fd >= 0 && from[i].revents &&
                !take(from[i].fd, i ? spawned->err : spawned->out, &used[i]))
                from[i].fd = -1;
    }
}

static void finish(struct spawned *spawned, pid_t pid, const int out[2], const int err[2])
{
    int status = 0;
    collect(spawned, out[0], err[0]);
    close(out[0]);
    close(err[0]);
    waitpid(pid, &status, 0);
    spawned->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    spawned->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* How long an event of a program is waited for before the test goes on without it. */
enum { PATIENCE_MS = 120000 };

/* A FIFO, named in the environment as ACRE_TEST_HANGS, that test_plugin.c writes to when it begins
 * to hang. */
static int open_hang_fifo(void)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/hangs.%d", getenv("ACRE_BUILD"), (int)getpid());
    int fifo = mkfifo(path, 0600) == 0 ? open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fifo < 0 || setenv("ACRE_TEST_HANGS", path, 1) != 0)
        abort();
    return fifo;
}

static void close_hang_fifo(int fifo)
{
    close(fifo);
    unlink(getenv("ACRE_TEST_HANGS"));
    unsetenv("ACRE_TEST_HANGS");
}

/* One processor: acre then measures one allocator after the other, in the order given. */
static void use_one_processor(void)
{
    cpu_set_t all, one;
    size_t cpu = 0;
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        abort();
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* Waits until the plugin hangs, or the program has ended, and sends the signal. */
static void interrupt_when_it_hangs(pid_t pid, int signal, int fifo, int out)
{
    struct pollfd from[2] = { { .fd = fifo, .events = POLLIN }, { .fd = out } };
    poll(from, 2, PATIENCE_MS);
    kill(pid, signal);
}

static void run(struct spawned *spawned, const char *const *argv, int signal)
{
    int out[2];
    int err[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        abort();
    int fifo = signal ? open_hang_fifo() : -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (signal)
            use_one_processor();
        become(argv, out[1], err[1]);
    }
    close(out[1]);
    close(err[1]);
    if (signal) {
        interrupt_when_it_hangs(pid, signal, fifo, out[0]);
        close_hang_fifo(fifo);
    }
    finish(spawned, pid, out, err);
}

void spawn(struct spawned *spawned, const char *const *argv)
{
    run(spawned, argv, 0);
}

/* argv for build/acre and the arguments up to a null. */
static void fill(const char **argv, va_list arguments)
{
    static char program[4096];
    size_t count = 1;
    snprintf(program, sizeof program, "%s/acre", getenv("ACRE_BUILD"));
    argv[0] = program;
    while (count < MOST_ARGUMENTS && (argv[count] = va_arg(arguments, const char *)) != NULL)
        count++;
    if (count == MOST_ARGUMENTS)
        abort();
}

void spawn_acre(struct spawned *spawned, ...)
{
    const char *argv[MOST_ARGUMENTS];
    va_list arguments;
    va_start(arguments, spawned);
    fill(argv, arguments);
    va_end(arguments);
    run(spawned, argv, 0);
}

void spawn_acre_and_interrupt(struct spawned *spawned, int signal, ...)
{
    const char *argv[MOST_ARGUMENTS];
    va_list arguments;
    va_start(arguments, signal);
    fill(argv, arguments);
    va_end(arguments);
    run(spawned, argv, signal);
}

void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in \"%s\"", part, text);
}

int no_fault(void **state)
{
    (void)state;
    return unsetenv("ACRE_TEST_FAULT");
}
