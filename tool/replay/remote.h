/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Workers that are this program executed anew: their heap has served nothing yet, and their malloc
 * may be that of a library preloaded. Script and board reach them as files in shared memory.
 */
#ifndef ACRE_TOOL_REPLAY_REMOTE_H
#define ACRE_TOOL_REPLAY_REMOTE_H

#include "tool/replay/child.h"
#include "tool/replay/work.h"

/** The first argument of a program that is such a worker. */
#define REPLAY_REMOTE_WORD "--replay-worker"

#define REPLAY_VERSION_ROOM 64

/** What another malloc is, in memory that a worker shares with its parent. */
struct replay_remote {
    struct replay_board board;
    struct replay_facts facts; /**< Of the script. */
    char serves[256];          /**< The file that `malloc` comes from; "": not known. */
    char version[REPLAY_VERSION_ROOM];
};

/** What `replay_remote_state` shares. */
struct replay_remote_state {
    struct replay_remote *shared; /**< Null: there is none. */
    int file;
};

/** Makes zeroed memory that workers can share. @return false with errno set. */
bool replay_remote_open(struct replay_remote_state *state);
void replay_remote_close(struct replay_remote_state *state);

/**
 * Starts a worker as replay_child_start(), with `preload` (a path or a soname) preloaded unless it
 * is null. The script must be complete.
 */
bool replay_remote_start(struct replay_child *child, const char *preload,
    const struct replay_script *script, const struct replay_remote_state *state);

/** What the malloc of this process is; fills `serves` and `version`. */
void replay_identify(struct replay_remote *remote);

/**
 * Whether `library` (a path or a soname) serves malloc when it is preloaded, and its version.
 * Executes this program to find out; a library that is not there is silent.
 */
bool replay_remote_probe(const char *library, char version[REPLAY_VERSION_ROOM]);

/** main() of a worker: argv[1] is REPLAY_REMOTE_WORD. @return the exit code. */
int replay_remote_main(int argc, char **argv);

#endif
