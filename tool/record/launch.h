/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The recorded command: started, signalled, waited for.
 */
#ifndef ACRE_TOOL_LAUNCH_H
#define ACRE_TOOL_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

/** Exit code of `acre record` when recording failed, as env(1) and timeout(1) have it. */
#define ACRE_RECORD_FAILED 125

/** Ignores a signal, at most two in all: what it stands for is an error of the call that caused
 * it. */
void launch_ignore_signal(int number);

/** In a process that is about to become a command: gives back the dispositions of before. */
void launch_restore_signals(void);

/** A command started later writes to standard error what it writes to standard output. */
void launch_keep_output_apart(void);

/**
 * Starts argv[0], found through PATH, with `library` in front of LD_PRELOAD and `variable` set to
 * `value`; its standard streams and signal dispositions are the tool's own. From then on, signals
 * sent to the tool go to the command, but for those a terminal sends to both.
 * @return its pid; or -1 with errno set, then `*cannot_execute` says whether it was the command
 * that could not be executed.
 */
pid_t launch(char **argv, const char *library, const char *variable, const char *value,
    bool *cannot_execute);

/** Whether the command has ended; stores its exit code, 128 + signal for one that was killed. */
bool launch_has_ended(pid_t pid, int *code);

/** From now on this process inherits, and can wait for, the orphans among its descendants. */
void launch_adopt_orphans(void);

/** Whether a descendant is still running; reaps those that have ended. */
bool launch_has_descendants(void);

/** Why what is preloaded has no effect on `command`, as a clause; null when nothing speaks against
 * it, or the file cannot be read. */
const char *launch_obstacle(const char *command);

/** Why nothing can be preloaded into `command` at all, as a clause: it is statically linked,
 * linked to musl, or for another machine; null when nothing speaks against it, or the file cannot
 * be read. */
const char *launch_refusal(const char *command);

/** Whether the linker of `command` complains of what is preloaded, or starts no program with it:
 * it is linked to musl, or for another machine. */
bool launch_is_foreign(const char *command);

/** That `command` brings its own malloc, as a clause; null when it does not, as far as is known. */
const char *launch_own_malloc(const char *command);

/** The malloc other than the C library's that `command` is linked to: "jemalloc", "mimalloc" or
 * "tcmalloc"; null: none of these, as far as is known. */
const char *launch_linked_malloc(const char *command);

/** Why nothing can have been recorded of `command`, as a clause: "it is statically linked", ... */
const char *launch_explain(const char *command);

#endif
