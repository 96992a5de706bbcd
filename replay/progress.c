/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/progress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_BETWEEN_LINES 0.1
#define TEXT_COLUMNS 64

static volatile sig_atomic_t signal_caught;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void acre_progress_open(struct acre_progress *progress)
{
    *progress = (struct acre_progress){ .shown = isatty(STDERR_FILENO) == 1 };
}

/* Nothing is said of the rest before a twentieth is done: it would be a guess. */
static void print_time_left(struct acre_progress *progress, double now, double fraction)
{
    if (progress->begun_at <= 0.0)
        progress->begun_at = now;
    if (!progress->time_left || fraction < 0.05 || fraction > 1.0)
        return;
    double left = (now - progress->begun_at) / fraction * (1.0 - fraction);
    unsigned seconds = left < 359999.0 ? (unsigned)(left + 0.5) : 359999u;
    fprintf(stderr, ", about %u:%02u left", seconds / 60, seconds % 60);
}

void acre_progress_show(struct acre_progress *progress, const char *text, double fraction)
{
    if (!progress->shown)
        return;
    double now = seconds_now();
    if (progress->drawn && now - progress->drawn_at < SECONDS_BETWEEN_LINES)
        return;
    fprintf(stderr, "\r%.*s", TEXT_COLUMNS, text);
    if (fraction >= 0.0) {
        fprintf(stderr, "  %3d %%", (int)(fraction * 100.0));
        print_time_left(progress, now, fraction);
    }
    fputs("\033[K", stderr);
    fflush(stderr);
    progress->drawn = true;
    progress->drawn_at = now;
}

void acre_progress_wipe(struct acre_progress *progress)
{
    if (!progress->drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->drawn = false;
}

static void remember_signal(int number)
{
    signal_caught = number;
}

void acre_catch_interrupts(void)
{
    struct sigaction action = { .sa_handler = remember_signal };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

int acre_interrupted(void)
{
    return signal_caught;
}

void acre_die_interrupted(void)
{
    int number = signal_caught;
    fflush(NULL);
    signal(number, SIG_DFL);
    raise(number);
    _exit(128 + number);
}
