/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The subcommands: each takes its own argument vector (argv[0] is its name), answers --help, and
 * returns the exit code of the tool.
 */
#ifndef ACRE_TOOL_COMMAND_H
#define ACRE_TOOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

int acre_cmd_run(int argc, char **argv);
int acre_cmd_record(int argc, char **argv);
int acre_cmd_replay(int argc, char **argv);
int acre_cmd_compare(int argc, char **argv);
int acre_cmd_convert(int argc, char **argv);
int acre_cmd_info(int argc, char **argv);
int acre_cmd_bench(int argc, char **argv);
int acre_cmd_map(int argc, char **argv);
int acre_cmd_verify(int argc, char **argv);

/** Room for the path of a file. */
#define ACRE_PATH_ROOM 4096

/**
 * Finds a file that belongs to the tool: beside the program (a build tree), else in `folder`, taken
 * from the folder above the program's (an installed tree).
 * @return true and the path in `path`; false with the first place looked at in `path`.
 */
bool acre_find_companion(char path[ACRE_PATH_ROOM], const char *name, const char *folder);

/**
 * Finds the library `name`, as acre_find_companion(), for LD_PRELOAD. @return false after saying on
 * behalf of the subcommand why there is none.
 */
bool acre_find_preload(const char *command, char path[ACRE_PATH_ROOM], const char *name);

/** Whether a shell would find such a command. */
bool acre_is_command(const char *name);

/**
 * Becomes the command, found through PATH. Returns only when that fails, after saying so:
 * ACRE_EXIT_NOT_FOUND when there is no such command, else ACRE_EXIT_CANNOT_EXECUTE.
 */
int acre_become(const char *command, char **argv);

#endif
