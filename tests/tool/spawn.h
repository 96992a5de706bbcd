/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Runs a program to its end and keeps what it printed. */
#ifndef ACRE_TESTS_TOOL_SPAWN_H
#define ACRE_TESTS_TOOL_SPAWN_H

#include <stddef.h>

#define SPAWN_ROOM 65536

struct spawned {
    int code;   /* exit code; -1 when a signal ended it */
    int signal; /* that signal, or 0 */
    char out[SPAWN_ROOM];
    char err[SPAWN_ROOM];
};

/* Runs argv (ended by a null), with nothing on its standard input. Output past the room is lost. */
void spawn(struct spawned *spawned, const char *const *argv);

/* The same for `build/acre ARGUMENTS...`: spawn_acre(&spawned, "run", "ls", NULL). */
void spawn_acre(struct spawned *spawned, ...) __attribute__((sentinel));

/* The same as spawn_acre on one processor, and sends a signal once the plugin test_plugin.so hangs,
 * which ACRE_TEST_FAULT=hang makes it do at its fiftieth block. */
void spawn_acre_and_interrupt(struct spawned *spawned, int signal, ...) __attribute__((sentinel));

/* The path of a product below the build folder. Valid for good; at most 16 in one program. */
const char *built(const char *name);

/* Fails where the text does not have the part. */
void has(const char *text, const char *part);

/* A setup or teardown: no fault is asked of test_plugin.so. */
int no_fault(void **state);

#endif
