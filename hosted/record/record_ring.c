/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The ring's slow paths: creation, growth, and the wait for the collector.
 *
 * Nothing here allocates, and every path keeps errno. Signals are blocked while the lock is held,
 * so that a handler that allocates cannot meet a lock its own thread holds.
 */
#include "record_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_ROOM = 4096,
    /* Events for which the file first gets room, and by how many that grows. */
    FIRST_EVENTS = 2048,
    MORE_EVENTS = 32768,
    /* Waiting: one sleep, and after how many without a sign of the collector to ask for it. */
    SLEEP_NS = 100000,
    SLEEPS_BEFORE_DOUBT = 20000
};

/* Stands in until the real page is there; `off` never changes in it. */
static struct record_state no_state;
struct record_state *record_state = &no_state;
__thread struct record_self record_self __attribute__((tls_model("initial-exec")));

/* Of the process this one was forked from; the page itself is cleared in a child. */
static uint32_t last_number;
static bool has_last;
static struct spool_control *control;
static char folder[PATH_ROOM];

/* ---- small things ---- */

static size_t state_room(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (sizeof(struct record_state) + page - 1) / page * page;
}

static void lock_state(struct record_state *state, sigset_t *before)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
    record_self.busy = true;
    while (atomic_exchange_explicit(&state->lock, 1, memory_order_acquire))
        nanosleep(&(struct timespec){ 0, SLEEP_NS }, NULL);
}

static void unlock_state(struct record_state *state, const sigset_t *before)
{
    atomic_store_explicit(&state->lock, 0, memory_order_release);
    record_self.busy = false;
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

uint64_t record_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/** Appends `text` at `at`; returns the new end, or null when it does not fit. */
static char *append_to_path(char *at, const char *end, const char *text)
{
    while (at && *text) {
        if (at + 1 >= end)
            return NULL;
        *at++ = *text++;
    }
    if (at)
        *at = '\0';
    return at;
}

static char *append_number(char *at, const char *end, uint32_t number)
{
    char digits[12];
    char *first = digits + sizeof digits - 1;

    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return append_to_path(at, end, first);
}

static bool ring_path(char path[PATH_ROOM], uint32_t number)
{
    char *at = append_to_path(path, path + PATH_ROOM, folder);

    at = append_to_path(at, path + PATH_ROOM, "/ring-");
    return append_number(at, path + PATH_ROOM, number) != NULL;
}

static void count_lost(const struct record_state *state)
{
    if (state->ring)
        atomic_fetch_add(&state->ring->lost, 1);
}

/** Ends recording in this process; `error` is why, 0 when the collector asked for it. */
static void turn_off(struct record_state *state, int error)
{
    state->off = true;
    state->events = NULL;
    if (state->ring && error)
        atomic_store(&state->ring->failure, (uint32_t)error);
}

/* ---- making ---- */

/** Gives a file room. Returns 0 or an errno. The signal that the program would get for a file that
 * its limit does not allow is not for it: it has not written one. Signals are blocked. */
static int allocate_ring_file(int fd, size_t size)
{
    sigset_t signals;
    bool had;
    int error;

    sigpending(&signals);
    had = sigismember(&signals, SIGXFSZ) == 1;
    error = posix_fallocate(fd, 0, (off_t)size);
    sigemptyset(&signals);
    sigaddset(&signals, SIGXFSZ);
    if (error == EFBIG && !had)
        sigtimedwait(&signals, NULL, &(struct timespec){ 0, 0 });
    return error;
}

static void *map_file(const char *path, size_t size)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *map;

    if (fd < 0)
        return NULL;
    map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return map == MAP_FAILED ? NULL : map;
}

/** Whether pids mean the same here as to the collector. */
static bool shares_pids(const struct spool_control *with)
{
    struct stat about;

    if (!with->pid_namespace || stat("/proc/self/ns/pid", &about) != 0)
        return true;
    return about.st_ino == with->pid_namespace;
}

/** Finds the collector. False when none asks for a record. */
static bool find_control(void)
{
    char path[PATH_ROOM];
    const char *from = getenv(SPOOL_FOLDER_VARIABLE);
    char *at;

    if (control)
        return true;
    if (!from || !append_to_path(folder, folder + PATH_ROOM, from))
        return false;
    at = append_to_path(path, path + PATH_ROOM, folder);
    if (!append_to_path(at, path + PATH_ROOM, "/control"))
        return false;
    control = map_file(path, sizeof *control);
    if (control && (control->magic != SPOOL_MAGIC || !shares_pids(control)))
        control = NULL;
    return control != NULL;
}

static void fill_header(struct spool_ring *ring)
{
    ring->pid = (uint32_t)getpid();
    ring->parent_pid = (uint32_t)getppid();
    ring->forked = has_last;
    ring->parent_ring = last_number;
    ring->has_fork_order = record_self.has_fork && record_self.fork_ring == last_number;
    ring->fork_order = record_self.fork_order;
    if (program_invocation_short_name)
        append_to_path(ring->name, ring->name + SPOOL_NAME_ROOM, program_invocation_short_name);
    atomic_store_explicit(&ring->ready, 1, memory_order_release);
}

static size_t ring_bytes(uint64_t events)
{
    return SPOOL_PAGE + (size_t)events * sizeof(struct spool_event);
}

/** Gives the file room for more events. Returns 0 or an errno. */
static int grow_ring(struct record_state *state)
{
    const uint64_t capacity = state->mask + 1;
    const uint64_t before = atomic_load(&state->ring->allocated);
    uint64_t events = before ? before + MORE_EVENTS : FIRST_EVENTS;
    char path[PATH_ROOM];
    int fd, error;

    if (events > capacity)
        events = capacity;
    if (!ring_path(path, state->number) || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
        return errno;
    error = allocate_ring_file(fd, ring_bytes(events));
    close(fd);
    if (!error)
        atomic_store_explicit(&state->ring->allocated, events, memory_order_release);
    return error;
}

/** Creates and maps the file of this process's ring. Returns 0 or an errno. */
static int make_ring(struct record_state *state)
{
    char path[PATH_ROOM];
    const size_t whole = ring_bytes(state->mask + 1);
    void *map;
    int fd, error;

    state->number = atomic_fetch_add(&control->rings, 1);
    if (!ring_path(path, state->number))
        return ENAMETOOLONG;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    /* The pages behind the end of the file are mapped but not touched until it has grown. */
    error = allocate_ring_file(fd, SPOOL_PAGE);
    if (control->any_user)
        (void)fchmod(fd, 0666);
    map = error ? MAP_FAILED : mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return error ? error : errno;
    state->ring = map;
    return grow_ring(state);
}

/** The page that is cleared in a child; made once and inherited. */
static bool make_state(void)
{
    const size_t room = state_room();
    void *page;

    if (record_state != &no_state)
        return true;
    page = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    /* Where the kernel cannot (before 4.14), the fork handler clears it. */
    (void)madvise(page, room, MADV_WIPEONFORK);
    record_state = page;
    return true;
}

static void open_ring(struct record_state *state)
{
    int error;

    state->control = control;
    state->capacity_log2 = control->capacity_log2;
    state->mask = (UINT64_C(1) << state->capacity_log2) - 1;
    state->with_time = control->with_time;
    record_self.thread = 0;
    error = make_ring(state);
    if (error) {
        atomic_store(&control->failure, (uint32_t)error);
        atomic_fetch_add(&control->failed, 1);
        turn_off(state, error);
        return;
    }
    fill_header(state->ring);
    last_number = state->number;
    has_last = true;
    atomic_store(&state->limit, atomic_load(&state->ring->allocated));
    state->events = (void *)((char *)state->ring + SPOOL_PAGE);
}

static void open_locked(struct record_state *state)
{
    sigset_t before;

    lock_state(state, &before);
    if (!state->events && !state->off) {
        if (find_control() && !atomic_load(&control->stop))
            open_ring(state);
        else
            state->off = true;
    }
    unlock_state(state, &before);
}

bool record_open(void)
{
    /* Before the C library is set up there is no environment to read. */
    if (record_self.busy || !environ || !make_state())
        return false;
    if (!record_state->events && !record_state->off)
        open_locked(record_state);
    if (record_state->off)
        count_lost(record_state);
    return record_state->events != NULL;
}

/* ---- waiting ---- */

/** Whether nobody will ever make room. */
static bool is_abandoned(struct record_state *state, uint32_t *beat, unsigned *sleeps)
{
    const uint32_t now = atomic_load(&state->control->beat);

    if (atomic_load(&state->control->stop))
        return true;
    if (now != *beat) {
        *beat = now;
        *sleeps = 0;
    }
    if (++*sleeps < SLEEPS_BEFORE_DOUBT)
        return false;
    *sleeps = 0;
    return kill((pid_t)state->control->collector, 0) != 0 && errno == ESRCH;
}

/** Moves the limit as far as room in the file and the collector's progress allow. */
static void raise_limit(struct record_state *state)
{
    const uint64_t tail = atomic_load_explicit(&state->ring->tail, memory_order_acquire);
    const uint64_t allocated = atomic_load(&state->ring->allocated);
    uint64_t limit = tail + state->mask + 1;

    if (allocated <= state->mask)
        limit = allocated;
    if (limit > atomic_load(&state->limit))
        atomic_store_explicit(&state->limit, limit, memory_order_release);
}

/** Whether the file can grow to take `order`; else it is for the collector to read. */
static bool can_grow(const struct record_state *state, uint64_t order)
{
    const uint64_t allocated = atomic_load(&state->ring->allocated);

    return order >= allocated && allocated <= state->mask;
}

/** One attempt at making room for `order`. */
static void try_to_make_room(struct record_state *state, uint64_t order)
{
    sigset_t before;

    lock_state(state, &before);
    if (!state->off && order >= atomic_load(&state->limit)) {
        int error = can_grow(state, order) ? grow_ring(state) : 0;

        if (error)
            turn_off(state, error);
        else
            raise_limit(state);
    }
    unlock_state(state, &before);
}

static void wait_for_room(struct record_state *state, uint64_t order)
{
    uint32_t beat = atomic_load(&state->control->beat);
    unsigned sleeps = 0;

    for (;;) {
        try_to_make_room(state, order);
        if (state->off || order < atomic_load_explicit(&state->limit, memory_order_acquire))
            return;
        if (can_grow(state, order))
            continue;
        if (is_abandoned(state, &beat, &sleeps))
            turn_off(state, 0);
        nanosleep(&(struct timespec){ 0, SLEEP_NS }, NULL);
    }
}

RECORD_COLD bool record_wait(uint64_t order)
{
    struct record_state *state = record_state;
    const int error = errno;

    if (!record_self.busy)
        wait_for_room(state, order);
    errno = error;
    if (!state->off && order < atomic_load_explicit(&state->limit, memory_order_acquire))
        return true;
    count_lost(state);
    return false;
}

void record_open_in_child(void)
{
    struct record_state *state = record_state;

    if (state == &no_state)
        return;
    memset(state, 0, sizeof *state);
    record_open();
}
