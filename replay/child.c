/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCH_MILLISECONDS 100

void *replay_map_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

_Noreturn void replay_child_serve(
    int socket, pid_t parent, void (*work)(void *argument), void *argument)
{
    char byte = 0;
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    while (read(socket, &byte, 1) == 1) {
        work(argument);
        if (send(socket, &byte, 1, MSG_NOSIGNAL) != 1)
            break;
    }
    _exit(0);
}

bool replay_child_launch(
    struct replay_child *child, void (*become)(void *argument, int socket), void *argument)
{
    int pair[2];
    *child = (struct replay_child){ 0, -1 };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        become(argument, pair[1]);
        _exit(1);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return false;
    }
    *child = (struct replay_child){ pid, pair[0] };
    return true;
}

struct child_task {
    void (*work)(void *argument);
    void *argument;
    pid_t parent;
};

static void serve_task(void *argument, int socket)
{
    const struct child_task *task = argument;
    replay_child_serve(socket, task->parent, task->work, task->argument);
}

bool replay_child_start(struct replay_child *child, void (*work)(void *argument), void *argument)
{
    struct child_task task = { work, argument, getpid() };
    return replay_child_launch(child, serve_task, &task);
}

void replay_child_order(const struct replay_child *child)
{
    char byte = 1;
    ssize_t sent = send(child->socket, &byte, 1, MSG_NOSIGNAL);
    (void)sent; /* a child that is gone is noticed when it is waited for */
}

bool replay_child_wait(const struct replay_child *child,
    void (*watch)(void *argument, struct acre_progress *progress), void *argument,
    struct acre_progress *progress)
{
    struct pollfd report = { .fd = child->socket, .events = POLLIN };
    char byte;
    while (!acre_interrupted()) {
        int ready = poll(&report, 1, WATCH_MILLISECONDS);
        if (ready > 0)
            return read(child->socket, &byte, 1) == 1;
        if (ready < 0 && errno != EINTR)
            return false;
        watch(argument, progress);
    }
    return false;
}

size_t replay_child_wait_any(const struct replay_child *const children[], size_t count,
    void (*watch)(void *argument, struct acre_progress *progress), void *argument,
    struct acre_progress *progress)
{
    struct pollfd reports[REPLAY_MOST_AT_ONCE];
    int ready = 0;
    for (size_t i = 0; i < count; i++)
        reports[i] = (struct pollfd){ .fd = children[i]->socket, .events = POLLIN };
    while (ready == 0 && !acre_interrupted()) {
        ready = poll(reports, (nfds_t)count, WATCH_MILLISECONDS);
        if (ready == 0)
            watch(argument, progress);
        if (ready < 0 && errno == EINTR)
            ready = 0;
    }
    for (size_t i = 0; ready > 0 && i < count; i++)
        if (reports[i].revents)
            return i;
    return 0;
}

/* Waits for the process to end. @return its status. */
static int reap_child(struct replay_child *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
    }
    *child = (struct replay_child){ 0, -1 };
    return status;
}

void replay_child_dismiss(struct replay_child *child)
{
    close(child->socket);
    reap_child(child);
}

void replay_child_end(struct replay_child *child, char ended[REPLAY_ENDED_ROOM])
{
    ended[0] = '\0';
    if (child->pid == 0)
        return;
    close(child->socket);
    kill(child->pid, SIGKILL);
    int status = reap_child(child);
    if (WIFSIGNALED(status))
        snprintf(ended, REPLAY_ENDED_ROOM, "was killed by signal %d (%s)", WTERMSIG(status),
            strsignal(WTERMSIG(status)));
    else
        snprintf(ended, REPLAY_ENDED_ROOM, "ended with code %d", WEXITSTATUS(status));
}
