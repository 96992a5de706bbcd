/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/execute.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a worker is told: the numbers of the files that it inherits. */
struct files {
    int socket, ops, wides, sequences, parts, state;
    long parent;
};

#define FILES_FORMAT "%d:%d:%d:%d:%d:%d:%ld"
#define FILES_NUMBERS 7
#define LIBC_NAME "libc.so.6"

bool replay_shared_open(struct replay_shared_file *state)
{
    size_t size = sizeof *state->shared;
    *state = (struct replay_shared_file){ NULL, memfd_create("acre-worker", MFD_CLOEXEC) };
    if (state->file < 0)
        return false;
    void *memory = MAP_FAILED;
    if (ftruncate(state->file, (off_t)size) == 0)
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, state->file, 0);
    if (memory == MAP_FAILED) {
        replay_shared_close(state);
        return false;
    }
    state->shared = memory;
    return true;
}

void replay_shared_close(struct replay_shared_file *state)
{
    int error = errno;
    if (state->shared)
        munmap(state->shared, sizeof *state->shared);
    if (state->file >= 0)
        close(state->file);
    *state = (struct replay_shared_file){ NULL, -1 };
    errno = error;
}

static void inherit(int file)
{
    int flags = fcntl(file, F_GETFD);
    if (flags >= 0)
        fcntl(file, F_SETFD, flags & ~FD_CLOEXEC);
}

/* The library that the program is linked to comes behind the one that serves it. */
static void preload_for_worker(const struct replay_launch *launch)
{
    char preload[2 * 4096];
    snprintf(preload, sizeof preload, "%s%s%s", launch->preload ? launch->preload : LIBC_NAME,
        launch->linked ? ":" : "", launch->linked ? launch->linked : "");
    setenv("LD_PRELOAD", preload, 1);
}

static void set_worker_environment(const struct replay_launch *launch)
{
    if (launch->tunables)
        setenv("GLIBC_TUNABLES", launch->tunables, 1);
    if (launch->preload || launch->linked)
        preload_for_worker(launch);
    if (launch->allocator)
        setenv("ACRE_ALLOCATOR", launch->allocator, 1);
    unsetenv("ACRE_POOL");
    if (launch->pool)
        setenv("ACRE_POOL", launch->pool, 1);
    unsetenv("ACRE_STATS");
}

/* In the child. Messages of the loader, on a library that cannot be preloaded, are not wanted. */
static _Noreturn void become_worker(const struct replay_launch *launch, const struct files *files)
{
    char program[4096] = "";
    char numbers[96];
    const char *words[REPLAY_MOST_PREFIX + 6];
    char *argv[REPLAY_MOST_PREFIX + 6];
    size_t count = 0;
    while (launch->prefix && count < REPLAY_MOST_PREFIX && launch->prefix[count]) {
        words[count] = launch->prefix[count];
        count++;
    }
    inherit(files->socket);
    inherit(files->ops);
    inherit(files->wides);
    inherit(files->sequences);
    inherit(files->parts);
    inherit(files->state);
    snprintf(numbers, sizeof numbers, FILES_FORMAT, files->socket, files->ops, files->wides,
        files->sequences, files->parts, files->state, files->parent);
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
        _exit(127);
    words[count++] = program;
    words[count++] = REPLAY_WORKER_WORD;
    words[count++] = numbers;
    words[count++] = launch->backend ? launch->backend : "";
    words[count++] = launch->library ? launch->library : "";
    words[count] = NULL;
    if (launch->preload)
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    set_worker_environment(launch);
    memcpy(argv, words, sizeof argv);
    execvp(argv[0], argv);
    _exit(127);
}

struct start {
    const struct replay_launch *launch;
    struct files files;
};

static void start_worker(void *argument, int socket)
{
    struct start *start = argument;
    start->files.socket = socket;
    become_worker(start->launch, &start->files);
}

bool replay_worker_execute(struct replay_child *child, const struct replay_launch *launch,
    const struct replay_script *script, const struct replay_shared_file *state)
{
    struct start start = { launch,
        { .ops = script->facts.streamed ? script->spill : script->op_array.file,
            .wides = script->wide_array.file,
            .sequences = script->sequence_array.file,
            .parts = script->part_array.file,
            .state = state->file,
            .parent = (long)getpid() } };
    state->shared->facts = script->facts;
    return replay_child_launch(child, start_worker, &start);
}

static pid_t start_probe(const char *library, int file)
{
    pid_t pid = fork();
    if (pid == 0)
        become_worker(&(struct replay_launch){ .preload = library },
            &(struct files){ -1, -1, -1, -1, -1, file, 0 });
    return pid;
}

bool replay_probe_malloc(const char *library, char version[REPLAY_VERSION_ROOM])
{
    struct replay_shared_file state;
    int status = 0;
    version[0] = '\0';
    if (!replay_shared_open(&state))
        return false;
    pid_t pid = start_probe(library, state.file);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    const char *slash = strrchr(library, '/');
    bool serves = pid > 0 && strstr(state.shared->serves, slash ? slash + 1 : library) != NULL;
    if (serves)
        memcpy(version, state.shared->version, REPLAY_VERSION_ROOM);
    replay_shared_close(&state);
    return serves;
}

static struct replay_shared *map_state(int file)
{
    void *memory =
        mmap(NULL, sizeof(struct replay_shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Serves its parent to the end. */
static int work_for(const struct files *files, struct replay_shared *shared,
    const struct replay_backend *backend, void (*task)(void *worker))
{
    static struct replay_script script;
    static struct replay_worker worker;
    script = (struct replay_script){ .facts = shared->facts,
        .op_array.file = files->ops,
        .wide_array.file = files->wides,
        .sequence_array.file = files->sequences,
        .part_array.file = files->parts,
        .spill = files->ops };
    worker = (struct replay_worker){
        .script = &script, .backend = backend, .results = &shared->results
    };
    if (!replay_script_map(&script))
        return 1;
    replay_child_serve(files->socket, (pid_t)files->parent, task, &worker);
}

/* The reverse of FILES_FORMAT. */
static bool parse_files(const char *text, struct files *files)
{
    long numbers[FILES_NUMBERS];
    char *end;
    for (size_t i = 0; i < FILES_NUMBERS; i++, text = end + 1) {
        numbers[i] = strtol(text, &end, 10);
        if (end == text || *end != (i + 1 < FILES_NUMBERS ? ':' : '\0'))
            return false;
    }
    *files = (struct files){ (int)numbers[0], (int)numbers[1], (int)numbers[2], (int)numbers[3],
        (int)numbers[4], (int)numbers[5], numbers[6] };
    return true;
}

int replay_worker_main(int argc, char **argv, const struct replay_role *role)
{
    static struct replay_backend backend = { .type = REPLAY_SYSTEM, .name = "preloaded" };
    struct files files;
    if (argc != 5 || !parse_files(argv[2], &files))
        return 2;
    struct replay_shared *shared = map_state(files.state);
    if (!shared)
        return 1;
    shared->results.start_ns = acre_clock_own_ns();
    replay_identify(shared);
    if (files.socket < 0)
        return 0;
    if (argv[3][0] && !(role->find && role->find(&backend, argv[3], argv[4])))
        return 2;
    return work_for(&files, shared, &backend, role->task ? role->task : replay_worker_do);
}
