/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "report.h"
#include "clock/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void fill_nan(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = BENCH_NONE;
}

void bench_cell_clear(struct bench_cell *cell)
{
    *cell = (struct bench_cell){ .ns = BENCH_NONE,
        .net = BENCH_NONE,
        .instructions = BENCH_NONE,
        .call = BENCH_NONE,
        .pool = BENCH_NONE,
        .resident = BENCH_NONE };
    fill_nan(cell->latency, 8);
}

void bench_once_clear(struct bench_once *once)
{
    *once = (struct bench_once){ .gap_pages = BENCH_NONE, .gap_smalls = BENCH_NONE };
    fill_nan(once->steps, 8);
    fill_nan(once->scale_loops, BENCH_SCALE_LEVELS);
    fill_nan(once->scale_calls, BENCH_SCALE_LEVELS);
    fill_nan(once->scale_ns, BENCH_SCALE_LEVELS);
}

/* The text after the colon of the first line of `path` that begins with `key`. */
static void read_field(const char *path, const char *key, char *text, size_t size)
{
    char line[256];
    FILE *file = fopen(path, "r");
    snprintf(text, size, "unknown");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) {
            const char *value = line + strcspn(line, ":=");
            value += strspn(value, ":= \t\"");
            snprintf(text, size, "%.*s", (int)strcspn(value, "\"\n"), value);
            break;
        }
    if (file)
        fclose(file);
}

/* Nanoseconds in a tick, measured over some milliseconds. */
static double measure_tick(void)
{
    uint64_t ns = acre_clock_ns();
    uint64_t ticks = acre_clock_ticks();
    uint64_t end = ns + 20000000u;
    while (acre_clock_ns() < end)
        continue;
    return (double)(acre_clock_ns() - ns) / (double)(acre_clock_ticks() - ticks);
}

void bench_machine_describe(struct bench_machine *machine)
{
    struct utsname name;
    char distribution[64];
    read_field("/proc/cpuinfo", "model name", machine->processor, sizeof machine->processor);
    read_field("/etc/os-release", "PRETTY_NAME", distribution, sizeof distribution);
    if (uname(&name) == 0)
        snprintf(machine->system, sizeof machine->system, "%s, %s %s %s", distribution,
            name.sysname, name.release, name.machine);
#if defined(__clang__)
    snprintf(machine->compiler, sizeof machine->compiler, "clang %s", __clang_version__);
#else
    snprintf(machine->compiler, sizeof machine->compiler, "gcc %s", __VERSION__);
#endif
    machine->cores = sysconf(_SC_NPROCESSORS_ONLN);
    machine->tick_ns = measure_tick();
}
