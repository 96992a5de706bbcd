/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Runs a command and writes to a file: its duration, its processor time, both in seconds, and its
 * highest resident size in KiB. usage: measure FILE COMMAND [ARGUMENT]... Exits as the command
 * does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int count, char **arguments)
{
    int status = 0;
    struct rusage usage;
    if (count < 3) {
        fprintf(stderr, "usage: measure FILE COMMAND [ARGUMENT]...\n");
        return 2;
    }
    double start = seconds_now();
    pid_t child = fork();
    if (child == 0) {
        execvp(arguments[2], arguments + 2);
        perror(arguments[2]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 1;
    double duration = seconds_now() - start;
    FILE *file = fopen(arguments[1], "w");
    if (file == NULL)
        return 1;
    fprintf(file, "%.4f %.4f %ld\n", duration,
        seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), usage.ru_maxrss);
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
