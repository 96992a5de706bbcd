/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/record/spool.h"

#include "trace/trace_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    /* Events read from one ring before the next has its turn. */
    SHARE = 65536
};

/* ---- the folder ---- */

/* Root's commands may change to another user and must still find the folder and write there. Its
 * name is known to the recorded processes only: the folder around it cannot be listed. */
static int make_inner_folder(struct spool *spool)
{
    uint64_t secret[2];
    size_t length = strlen(spool->folder);

    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        return errno ? errno : EIO;
    memcpy(spool->outer, spool->folder, length + 1);
    snprintf(spool->folder + length, sizeof spool->folder - length, "/%016llx%016llx",
        (unsigned long long)secret[0], (unsigned long long)secret[1]);
    if (chmod(spool->outer, 0711) != 0 || mkdir(spool->folder, 0700) != 0)
        return errno;
    return chmod(spool->folder, 01733) == 0 ? 0 : errno;
}

static int make_folder(struct spool *spool)
{
    const char *base = getenv("TMPDIR");
    int size;

    if (!base || !*base)
        base = "/tmp";
    size = snprintf(spool->folder, sizeof spool->folder, "%s/acre-record-XXXXXX", base);
    if (size < 0 || (size_t)size >= sizeof spool->folder)
        return ENAMETOOLONG;
    if (!mkdtemp(spool->folder))
        return errno;
    return geteuid() == 0 ? make_inner_folder(spool) : 0;
}

static unsigned capacity_log2(size_t ring_bytes)
{
    unsigned log2 = SPOOL_CAPACITY_LOG2_MIN;

    while (log2 < SPOOL_CAPACITY_LOG2_MAX &&
           ((size_t)2 << log2) * sizeof(struct spool_event) <= ring_bytes)
        log2++;
    return log2;
}

static void fill_control(struct spool *spool, size_t ring_bytes, bool with_time)
{
    struct stat about;

    spool->control->collector = (uint32_t)getpid();
    if (stat("/proc/self/ns/pid", &about) == 0)
        spool->control->pid_namespace = about.st_ino;
    spool->control->capacity_log2 = capacity_log2(ring_bytes);
    spool->control->with_time = with_time;
    spool->control->any_user = spool->outer[0] != '\0';
    spool->control->magic = SPOOL_MAGIC;
}

static int make_control(struct spool *spool)
{
    char path[4096];
    void *map = MAP_FAILED;
    int fd, error;

    snprintf(path, sizeof path, "%s/control", spool->folder);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    error = posix_fallocate(fd, 0, SPOOL_PAGE);
    if (spool->outer[0])
        (void)fchmod(fd, 0666);
    if (!error)
        map = mmap(NULL, SPOOL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!error && map == MAP_FAILED)
        error = errno;
    close(fd);
    if (!error)
        spool->control = map;
    return error;
}

int spool_open(struct spool *spool, int fd, size_t ring_bytes, bool with_time)
{
    int error;

    *spool = (struct spool){ .file = { .fd = fd } };
    error = make_folder(spool);
    if (error) {
        rmdir(spool->folder);
        rmdir(spool->outer);
        spool->folder[0] = spool->outer[0] = '\0';
        spool_close(spool);
        return error;
    }
    error = make_control(spool);
    if (error)
        spool_close(spool);
    else
        fill_control(spool, ring_bytes, with_time);
    return error;
}

static void remove_folder(const char *folder)
{
    DIR *files = opendir(folder);
    struct dirent *file;

    while (files && (file = readdir(files)))
        if (file->d_name[0] != '.')
            unlinkat(dirfd(files), file->d_name, 0);
    if (files)
        closedir(files);
    rmdir(folder);
}

void spool_close(struct spool *spool)
{
    for (size_t i = 0; i < spool->count; i++) {
        spool_process_end(spool->processes[i]);
        spool_process_release(spool->processes[i]);
        free(spool->processes[i]);
    }
    free(spool->processes);
    free(spool->active);
    if (spool->file.output)
        acre_trace_output_abandon(spool->file.output);
    if (spool->file.fd >= 0)
        close(spool->file.fd);
    if (spool->control)
        munmap(spool->control, SPOOL_PAGE);
    if (spool->folder[0])
        remove_folder(spool->folder);
    if (spool->outer[0])
        rmdir(spool->outer);
    *spool = (struct spool){ .file = { .fd = -1 } };
}

/* ---- processes ---- */

static bool push_process(
    struct spool_process ***list, size_t *count, size_t *room, struct spool_process *process)
{
    if (*count == *room) {
        size_t wider = *room ? *room * 2 : 16;
        void *moved = realloc(*list, wider * sizeof(struct spool_process *));

        if (!moved)
            return false;
        *list = moved;
        *room = wider;
    }
    (*list)[(*count)++] = process;
    return true;
}

static bool add_process(struct spool *spool)
{
    struct spool_process *process = malloc(sizeof *process);

    if (!process)
        return false;
    *process = spool_process_new(
        spool->folder, &spool->file, (uint32_t)spool->count, spool->control->capacity_log2);
    if (!push_process(&spool->processes, &spool->count, &spool->room, process)) {
        free(process);
        return false;
    }
    return push_process(&spool->active, &spool->active_count, &spool->active_room, process);
}

/** Takes in the rings asked for since the last time. */
static void take_in(struct spool *spool)
{
    const uint32_t rings = atomic_load(&spool->control->rings);

    while (spool->count < rings)
        if (!add_process(spool)) {
            spool->error = ENOMEM;
            return;
        }
}

/** A process that starts anew under a known pid has replaced what ran there. */
static void mark_replaced(struct spool *spool, uint32_t pid, uint32_t by)
{
    for (size_t i = 0; i < spool->active_count; i++) {
        struct spool_process *process = spool->active[i];

        if (process->ring && process->number < by && process->ring->pid == pid)
            process->replaced = true;
    }
}

static void look_for_process(struct spool *spool, struct spool_process *process)
{
    if (!process->seen) {
        spool_process_look(process);
        if (process->seen)
            mark_replaced(spool, process->ring->pid, process->number);
    }
    if (process->seen && !process->heir && process->ring->parent_ring < spool->count)
        spool_process_inherit(process, spool->processes[process->ring->parent_ring]);
}

size_t spool_poll(struct spool *spool)
{
    size_t events = 0;

    atomic_fetch_add(&spool->control->beat, 1);
    take_in(spool);
    for (size_t i = 0; i < spool->active_count; i++) {
        look_for_process(spool, spool->active[i]);
        events += spool_process_read(spool->active[i], SHARE, SPOOL_RUNNING);
    }
    return events;
}

void spool_flush(struct spool *spool)
{
    for (size_t i = 0; i < spool->active_count; i++)
        spool_process_flush(spool->active[i]);
}

/* ---- ends ---- */

/** Whether the process has ended; one whose first thread alone has ended has not. */
static bool is_gone(uint32_t pid)
{
    char path[64], text[512];
    struct stat tasks;
    ssize_t size;
    int fd;

    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT;
    size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *state = strrchr(text, ')');
    if (!state || !strchr("ZX", state[1] ? state[2] : '?'))
        return false;
    snprintf(path, sizeof path, "/proc/%u/task", pid);
    return stat(path, &tasks) != 0 || tasks.st_nlink <= 3;
}

static void end_process(struct spool *spool, struct spool_process *process)
{
    /* A child whose parent's record is missing starts from an empty heap. */
    process->heir = process->seen;
    while (spool_process_read(process, SIZE_MAX, SPOOL_FINAL)) {
    }
    if (process->ring && process->ring->failure)
        process->failure = (int)process->ring->failure;
    spool_process_end(process);
    if (process->error && !spool->error)
        spool->error = process->error;
}

/** Ends those that `is_over` says; the rest stays in order. */
static void end_those(struct spool *spool, bool (*is_over)(const struct spool_process *process))
{
    size_t kept = 0;

    for (size_t i = 0; i < spool->active_count; i++) {
        struct spool_process *process = spool->active[i];

        if (is_over(process))
            end_process(spool, process);
        else
            spool->active[kept++] = process;
    }
    spool->active_count = kept;
}

static bool is_over(const struct spool_process *process)
{
    return process->heir && (process->replaced || is_gone(process->ring->pid));
}

static bool is_running(const struct spool_process *process)
{
    return process->ring && !process->replaced && !is_gone(process->ring->pid);
}

static bool is_heir(const struct spool_process *process)
{
    return process->heir;
}

static bool is_any(const struct spool_process *process)
{
    (void)process;
    return true;
}

void spool_reap(struct spool *spool)
{
    end_those(spool, is_over);
}

/** Ends those whose heap is known; then their children's is. */
static bool finish_heirs(struct spool *spool)
{
    const size_t before = spool->active_count;

    for (size_t i = 0; i < spool->active_count; i++)
        look_for_process(spool, spool->active[i]);
    end_those(spool, is_heir);
    return spool->active_count < before;
}

void spool_finish(struct spool *spool)
{
    atomic_store(&spool->control->stop, 1);
    take_in(spool);
    for (size_t i = 0; i < spool->active_count; i++)
        look_for_process(spool, spool->active[i]);
    for (size_t i = 0; i < spool->active_count; i++)
        spool->running += is_running(spool->active[i]);
    while (finish_heirs(spool)) {
    }
    end_those(spool, is_any);
}

/* ---- the trace ---- */

struct spool_summary spool_summarise(const struct spool *spool)
{
    struct spool_summary sum = { .failed = atomic_load(&spool->control->failed),
        .refusal = (int)atomic_load(&spool->control->failure),
        .running = spool->running };

    for (size_t i = 0; i < spool->count; i++) {
        const struct spool_process *process = spool->processes[i];

        sum.images += process->seen;
        sum.threads += process->threads;
        sum.totals.processes += process->totals.processes;
        sum.totals.events += process->totals.events;
        sum.totals.lost += process->totals.lost;
        sum.totals.unmatched += process->totals.unmatched;
        if (process->failure)
            sum.failure = process->failure;
    }
    return sum;
}

int spool_complete(struct spool *spool)
{
    struct spool_file *file = &spool->file;
    int error = spool->error;

    if (!error && !spool_file_begin(file))
        error = file->error;
    if (error)
        return error;
    if (acre_trace_output_close(file->output) != ACRE_TRACE_OK)
        error = errno ? errno : EIO;
    file->output = NULL;
    return error;
}
