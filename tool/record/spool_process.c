/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/record/spool_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    /* zstd's level: fast enough to keep up with a program that does nothing but allocate. */
    LEVEL = 1,
    /* How far past a missing event to look for later ones, now and at the end: as many as there may
     * be threads that died writing. */
    LOOK_AHEAD = 64,
    LOOK_FAR = 4096,
    /* How many events to look ahead for blocks to bring into the cache. */
    PREFETCH_AHEAD = 8,
    /* Events after which the process learns that it has room. */
    TAIL_STEP = 4096
};

/* An event still missing this long after later ones came is lost: a thread was killed or left its
 * signal handler by longjmp while it wrote. */
static const uint64_t patience_ns = UINT64_C(10000000000);

struct spool_process spool_process_new(
    const char *folder, struct spool_file *file, uint32_t number, unsigned capacity_log2)
{
    return (struct spool_process){ .folder = folder,
        .file = file,
        .number = number,
        .capacity_log2 = capacity_log2,
        .patience_ns = patience_ns };
}

static uint64_t process_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void spool_process_path(const struct spool_process *process, char path[4096])
{
    snprintf(path, 4096, "%s/ring-%u", process->folder, process->number);
}

/* ---- the file ---- */

bool spool_file_begin(struct spool_file *file)
{
    if (file->output || file->error)
        return file->output != NULL;
    /* What is no regular file has nothing to remove. */
    if (ftruncate(file->fd, 0) == 0 || errno == EINVAL)
        file->output = acre_trace_output_create_on(file->fd, LEVEL);
    else
        close(file->fd);
    if (!file->output || acre_trace_output_flush(file->output) != ACRE_TRACE_OK)
        file->error = errno;
    file->fd = -1;
    return file->output != NULL;
}

/* ---- memory ---- */

/** Makes room for one more element; false when out of memory. */
static bool make_array_room(void **array, size_t *room, size_t count, size_t size)
{
    size_t wider = *room ? *room * 2 : 8;
    void *moved;

    if (count < *room)
        return true;
    moved = realloc(*array, wider * size);
    if (!moved)
        return false;
    *array = moved;
    *room = wider;
    return true;
}

static void fail_out_of_memory(struct spool_process *process)
{
    process->error = ENOMEM;
}

static void add_live_block(struct spool_process *process, const struct spool_block *block)
{
    bool known;
    struct spool_block *place = spool_map_place(&process->live, block->address, &known);

    if (place)
        *place = *block;
    else
        fail_out_of_memory(process);
}

/* ---- the section ---- */

static void inherit_blocks(struct spool_process *process)
{
    struct spool_block **sorted = spool_map_sorted(&process->live);

    if (!sorted) {
        fail_out_of_memory(process);
        return;
    }
    for (size_t i = 0; i < process->live.count; i++) {
        struct spool_block *block = sorted[i];
        const bool aligned = block->call == ACRE_TRACE_MEMALIGN;

        acre_trace_write_alloc(process->writer, (enum acre_trace_call)block->call, block->size,
            aligned ? UINT64_C(1) << block->align_log2 : 0, &block->ordinal);
    }
    free(sorted);
}

static void begin_process(struct spool_process *process, const struct spool_event *event)
{
    struct acre_trace_process about = { .pid = process->ring->pid,
        .parent_pid = process->ring->parent_pid,
        .origin = process->ring->forked ? ACRE_TRACE_FORKED : ACRE_TRACE_STARTED,
        .inherited = process->live.count };

    process->begun = true;
    process->start_ns = event->time_ns;
    process->totals.processes = 1;
    if (spool_file_begin(process->file))
        process->section = acre_trace_output_section(process->file->output);
    if (!process->section) {
        process->error = process->file->error ? process->file->error : errno;
        return;
    }
    process->writer = acre_trace_output_writer(process->section);
    memcpy(about.name, process->ring->name, sizeof about.name - 1);
    acre_trace_write_process(process->writer, &about);
    inherit_blocks(process);
}

/* ---- events ---- */

/** The place of a block that appears; null when there is no memory. Where one is thought to be
 * live, its free was not recorded. */
static struct spool_block *claim(struct spool_process *process, uint64_t address)
{
    bool known;
    struct spool_block *place = spool_map_place(&process->live, address, &known);

    if (!place) {
        fail_out_of_memory(process);
    } else if (known) {
        acre_trace_write_free(process->writer, place->ordinal);
        process->totals.lost++;
    }
    return place;
}

static void on_alloc(struct spool_process *process, const struct spool_event *event,
    enum acre_trace_call call, unsigned align_log2)
{
    struct spool_block block = { event->address, 0, event->size, (uint8_t)align_log2,
        (uint8_t)call };
    const uint64_t align = call == ACRE_TRACE_MEMALIGN ? UINT64_C(1) << align_log2 : 0;
    struct spool_block *place;

    if (!block.address) {
        acre_trace_write_failed(process->writer, call, block.size, align);
        return;
    }
    place = claim(process, block.address);
    acre_trace_write_alloc(process->writer, call, block.size, align, &block.ordinal);
    if (place)
        *place = block;
}

static void convert_free(struct spool_process *process, uint64_t address)
{
    struct spool_block *block = spool_map_find(&process->live, address);

    if (!block) {
        process->totals.unmatched++;
        return;
    }
    acre_trace_write_free(process->writer, block->ordinal);
    spool_map_remove(&process->live, block);
}

static void on_resize_begin(
    struct spool_process *process, const struct spool_event *event, uint32_t thread)
{
    struct spool_block *block = spool_map_find(&process->live, event->address);
    struct spool_pending pending = { .thread = thread, .known = block != NULL };

    if (!make_array_room((void **)&process->pending, &process->pending_room, process->pending_count,
            sizeof pending)) {
        fail_out_of_memory(process);
        return;
    }
    if (block) {
        pending.block = *block;
        spool_map_remove(&process->live, block);
    }
    process->pending[process->pending_count++] = pending;
}

/** Takes the thread's latest pending resize; false when its beginning was lost. */
static bool take_pending(
    struct spool_process *process, uint32_t thread, struct spool_pending *taken)
{
    for (size_t i = process->pending_count; i-- > 0;)
        if (process->pending[i].thread == thread) {
            *taken = process->pending[i];
            memmove(&process->pending[i], &process->pending[i + 1],
                (--process->pending_count - i) * sizeof *taken);
            return true;
        }
    return false;
}

static void end_resize(
    struct spool_process *process, const struct spool_event *event, struct spool_block *block)
{
    struct acre_trace_writer *writer = process->writer;

    if (event->address) {
        struct spool_block *place = claim(process, event->address);

        acre_trace_write_resize(writer, &block->ordinal, event->size);
        block->address = event->address;
        block->size = event->size;
        if (place)
            *place = *block;
    } else if (event->size) {
        acre_trace_write_failed_resize(writer, block->ordinal, event->size);
        add_live_block(process, block);
    } else {
        acre_trace_write_free(writer, block->ordinal);
    }
}

static void on_resize_end(
    struct spool_process *process, const struct spool_event *event, uint32_t thread)
{
    struct spool_pending pending;

    if (take_pending(process, thread, &pending) && pending.known) {
        end_resize(process, event, &pending.block);
        return;
    }
    process->totals.unmatched++;
    if (event->address)
        on_alloc(process, event, ACRE_TRACE_MALLOC, 0);
}

static void on_fork(struct spool_process *process, uint64_t order)
{
    struct spool_snapshot *snapshot;

    if (!make_array_room((void **)&process->snapshots, &process->snapshot_room,
            process->snapshot_count, sizeof *snapshot)) {
        fail_out_of_memory(process);
        return;
    }
    snapshot = &process->snapshots[process->snapshot_count++];
    snapshot->order = order;
    if (!spool_map_copy(&snapshot->live, &process->live))
        fail_out_of_memory(process);
}

static void convert_call(
    struct spool_process *process, const struct spool_event *event, uint64_t head)
{
    const uint32_t thread = spool_thread_of(head);

    if (!process->begun)
        begin_process(process, event);
    if (!process->section)
        return;
    if (thread >= process->threads)
        process->threads = thread + 1;
    if (thread != process->writer->thread)
        acre_trace_write_thread(process->writer, thread);
    if (event->time_ns > process->start_ns)
        acre_trace_write_time(process->writer, event->time_ns - process->start_ns);
    switch (spool_op_of(head)) {
    case SPOOL_MALLOC:
        on_alloc(process, event, ACRE_TRACE_MALLOC, 0);
        break;
    case SPOOL_CALLOC:
        on_alloc(process, event, ACRE_TRACE_CALLOC, 0);
        break;
    case SPOOL_MEMALIGN:
        on_alloc(process, event, ACRE_TRACE_MEMALIGN, spool_align_log2_of(head) & 63u);
        break;
    case SPOOL_FREE:
        convert_free(process, event->address);
        break;
    case SPOOL_RESIZE_BEGIN:
        on_resize_begin(process, event, thread);
        break;
    default:
        on_resize_end(process, event, thread);
        break;
    }
}

/* ---- the ring ---- */

void spool_process_look(struct spool_process *process)
{
    const size_t size =
        SPOOL_PAGE + ((size_t)1 << process->capacity_log2) * sizeof(struct spool_event);
    struct stat about;
    char path[4096];
    void *map = MAP_FAILED;
    int fd;

    spool_process_path(process, path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &about) == 0 && about.st_size >= SPOOL_PAGE)
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return;
    process->ring = map;
    if (!atomic_load_explicit(&process->ring->ready, memory_order_acquire)) {
        munmap(map, size);
        process->ring = NULL;
        return;
    }
    process->events = (void *)((char *)map + SPOOL_PAGE);
    process->seen = true;
    process->heir = !process->ring->forked || !process->ring->has_fork_order;
}

/** The ring as it is at one moment; the file may grow later. */
struct view {
    const struct spool_event *events;
    uint64_t mask, allocated;
    unsigned capacity_log2;
};

static inline struct view view_ring(const struct spool_process *process)
{
    return (struct view){ process->events, (UINT64_C(1) << process->capacity_log2) - 1,
        atomic_load_explicit(&process->ring->allocated, memory_order_acquire),
        process->capacity_log2 };
}

/** The event with order number `order` once it is published; null before. */
static inline const struct spool_event *published_in(
    const struct view *view, uint64_t order, uint64_t *head)
{
    const struct spool_event *event = &view->events[order & view->mask];

    if ((order & view->mask) >= view->allocated)
        return NULL;
    *head = atomic_load_explicit(&event->head, memory_order_acquire);
    return spool_is_published(*head, order, view->capacity_log2) ? event : NULL;
}

static const struct spool_event *published(
    const struct spool_process *process, uint64_t order, uint64_t *head)
{
    const struct view view = view_ring(process);

    return published_in(&view, order, head);
}

/** Order number of the first event there is past a missing one; 0 when there is none. */
static uint64_t first_after_gap(const struct spool_process *process, enum spool_haste haste)
{
    const uint64_t end = process->next + (haste == SPOOL_FINAL ? LOOK_FAR : LOOK_AHEAD);
    uint64_t head;

    for (uint64_t order = process->next + 1; order < end; order++)
        if (published(process, order, &head))
            return order;
    return 0;
}

/** Whether the next event, which is missing, has been waited for long enough. */
static bool is_overdue(struct spool_process *process)
{
    const uint64_t now = process_clock_ns();

    if (!process->stalled_since_ns || process->stalled_at != process->next) {
        process->stalled_at = process->next;
        process->stalled_since_ns = now;
    }
    return now - process->stalled_since_ns >= process->patience_ns;
}

/** The next event is missing. Returns whether reading can go on. */
static bool pass_gap(struct spool_process *process, enum spool_haste haste)
{
    const uint64_t later = first_after_gap(process, haste);

    if (!later || (haste == SPOOL_RUNNING && !is_overdue(process)))
        return false;
    process->totals.lost += later - process->next;
    process->next = later;
    return true;
}

static void drain_ring(struct spool_process *process, enum spool_haste haste)
{
    if (haste == SPOOL_RUNNING)
        atomic_store_explicit(&process->ring->tail, process->next, memory_order_release);
}

/** Brings in what the map holds of a coming event's block, as looking it up misses the cache. */
static inline void prefetch_block(
    const struct spool_process *process, const struct view *view, uint64_t order)
{
    const uint64_t at = order & view->mask;

    if (at < view->allocated)
        spool_map_prefetch(&process->live, view->events[at].address);
}

size_t spool_process_read(struct spool_process *process, size_t most, enum spool_haste haste)
{
    size_t count = 0;
    struct view view;

    if (!process->ring || !process->heir)
        return 0;
    view = view_ring(process);
    while (count < most) {
        uint64_t head;
        const struct spool_event *event = published_in(&view, process->next, &head);

        if (!event) {
            const uint64_t before = view.allocated;

            view = view_ring(process);
            if (view.allocated == before && !pass_gap(process, haste))
                break;
            continue;
        }
        prefetch_block(process, &view, process->next + PREFETCH_AHEAD);
        if (spool_op_of(head) == SPOOL_FORK)
            on_fork(process, process->next);
        else
            convert_call(process, event, head);
        process->next++;
        if (++count % TAIL_STEP == 0)
            drain_ring(process, haste);
    }
    drain_ring(process, haste);
    return count;
}

bool spool_process_inherit(struct spool_process *process, struct spool_process *parent)
{
    for (size_t i = 0; i < parent->snapshot_count; i++) {
        struct spool_snapshot *snapshot = &parent->snapshots[i];

        if (snapshot->order != process->ring->fork_order)
            continue;
        process->live = snapshot->live;
        *snapshot = parent->snapshots[--parent->snapshot_count];
        process->heir = true;
        return true;
    }
    /* Past the fork and no snapshot: it could not be kept. */
    process->heir = parent->ended || parent->next > process->ring->fork_order;
    return process->heir;
}

static void note_write_error(struct spool_process *process)
{
    if (!process->error)
        process->error = errno ? errno : EIO;
}

void spool_process_flush(struct spool_process *process)
{
    if (process->section && acre_trace_output_flush(process->section) != ACRE_TRACE_OK)
        note_write_error(process);
}

static void end_section(struct spool_process *process)
{
    if (!process->section)
        return;
    process->totals.events = process->writer->events;
    acre_trace_write_process_end(process->writer, process->totals.lost, process->totals.unmatched);
    if (acre_trace_output_close(process->section) != ACRE_TRACE_OK)
        note_write_error(process);
    process->section = NULL;
    process->writer = NULL;
}

void spool_process_end(struct spool_process *process)
{
    const size_t size =
        SPOOL_PAGE + ((size_t)1 << process->capacity_log2) * sizeof(struct spool_event);
    char path[4096];

    process->ended = true;
    if (!process->ring)
        return;
    process->totals.lost += atomic_load(&process->ring->lost);
    end_section(process);
    munmap(process->ring, size);
    process->ring = NULL;
    spool_process_path(process, path);
    unlink(path);
    spool_map_release(&process->live);
    free(process->pending);
    process->pending = NULL;
    process->pending_count = process->pending_room = 0;
}

void spool_process_release(struct spool_process *process)
{
    for (size_t i = 0; i < process->snapshot_count; i++)
        spool_map_release(&process->snapshots[i].live);
    free(process->snapshots);
    process->snapshots = NULL;
    process->snapshot_count = 0;
}
