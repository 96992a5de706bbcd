/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Scenarios of systems: a kernel's heap, a router's buffers, and the worst case. */
#include "tool/compare/scenarios.h"

#include <string.h>

/* ---- kernel ----
 *
 * Objects of boot stay. Processes start and exit at random; each has a control block, a stack of
 * 16 KiB at a multiple of that, and some areas, files and pipe buffers. Beside them a cache of
 * directory entries and inodes grows with use, and from time to time half of it is shrunk away,
 * the oldest and some at random, as memory pressure does.
 */
enum {
    BOOT_OBJECTS = 3000,
    PROCESSES = 200,
    PARTS = 48, /* of a process, at most */
    CACHED = 6000,
    KERNEL_STEPS = 40000,
    STACK = 16384
};

struct process {
    scenario_block parts[PARTS];
    size_t count;
};

static void process_add(struct scenario_run *run, struct process *process, uint64_t size)
{
    if (process->count < PARTS)
        process->parts[process->count++] = scenario_take(run, size);
}

static void process_start(struct scenario_run *run, struct process *process)
{
    enum { CONTROL = 3264, AREA = 200, OPEN_FILE = 256 };
    process->count = 0;
    process->parts[process->count++] = scenario_take_aligned(run, STACK, STACK);
    process_add(run, process, CONTROL);
    for (uint32_t i = 4 + scenario_below(run, 12); i; i--)
        process_add(run, process, AREA);
    for (uint32_t i = 3 + scenario_below(run, 6); i; i--)
        process_add(run, process, OPEN_FILE);
}

/* A system call or a page fault: something more, for as long as the process lives or for now. */
static void process_run(struct scenario_run *run, struct process *process)
{
    scenario_block now = scenario_take(run, scenario_size(run, 32, 1024));
    if (scenario_once_in(run, 4))
        process_add(run, process, scenario_once_in(run, 3) ? 4096 : 200);
    scenario_give(run, &now);
}

static void cache_use(struct scenario_run *run, scenario_block *cache, size_t *next)
{
    enum { ENTRY = 192, INODE = 1080 };
    scenario_block *place = &cache[*next % CACHED];
    scenario_give(run, place);
    *place = scenario_take(run, scenario_once_in(run, 3) ? INODE : ENTRY);
    ++*next;
}

static void cache_shrink(struct scenario_run *run, scenario_block *cache)
{
    for (size_t i = 0; i < CACHED; i++)
        if (scenario_once_in(run, 2))
            scenario_give(run, &cache[i]);
}

static void kernel_step(struct scenario_run *run, struct process *process)
{
    if (process->count == 0) {
        process_start(run, process);
    } else if (scenario_once_in(run, 40)) {
        scenario_give_all(run, process->parts, process->count);
        process->count = 0;
    } else {
        process_run(run, process);
    }
}

void scenario_kernel(struct scenario_run *run)
{
    static struct process processes[PROCESSES];
    static scenario_block cache[CACHED];
    size_t next = 0;
    memset(processes, 0, sizeof processes);
    scenario_clear(cache, CACHED);
    for (int i = 0; i < BOOT_OBJECTS; i++)
        scenario_take(run, scenario_size(run, 32, 8192));
    for (int i = 0; i < KERNEL_STEPS; i++) {
        kernel_step(run, &processes[scenario_below(run, PROCESSES)]);
        cache_use(run, cache, &next);
        if (i % (KERNEL_STEPS / 5) == KERNEL_STEPS / 5 - 1)
            cache_shrink(run, cache);
    }
}

/* ---- packet-buffers ----
 *
 * Each packet is a descriptor and a buffer: half are small (acknowledgements), most others of full
 * Ethernet size, a few jumbo frames. They leave in order through one of eight queues, of which one
 * is congested at a time and grows until its tail is dropped. Flows live long and by chance.
 */
enum { QUEUES = 8, QUEUE_ROOM = 512, FLOWS = 4000, PACKETS = 60000 };

struct packet {
    scenario_block descriptor, buffer;
};

struct queue {
    struct packet packets[QUEUE_ROOM];
    size_t first, count;
};

static struct packet packet_take(struct scenario_run *run)
{
    enum { DESCRIPTOR = 240, HEADROOM = 128, SMALL = 66, FULL = 1514, JUMBO = 9014 };
    struct packet packet;
    uint64_t size = SMALL + scenario_below(run, 64);
    if (!scenario_once_in(run, 2))
        size = scenario_once_in(run, 5) ? 200 + scenario_below(run, 1200) : FULL;
    if (scenario_once_in(run, 100))
        size = JUMBO;
    packet.descriptor = scenario_take(run, DESCRIPTOR);
    packet.buffer = scenario_take_aligned(run, HEADROOM + size, 64);
    return packet;
}

static void packet_give(struct scenario_run *run, struct packet *packet)
{
    scenario_give(run, &packet->buffer);
    scenario_give(run, &packet->descriptor);
}

static void queue_put(struct scenario_run *run, struct queue *queue)
{
    struct packet packet = packet_take(run);
    if (queue->count == QUEUE_ROOM) {
        packet_give(run, &packet); /* dropped */
        return;
    }
    queue->packets[(queue->first + queue->count++) % QUEUE_ROOM] = packet;
}

static void queue_send(struct scenario_run *run, struct queue *queue)
{
    if (!queue->count)
        return;
    packet_give(run, &queue->packets[queue->first]);
    queue->first = (queue->first + 1) % QUEUE_ROOM;
    queue->count--;
}

static void flow_step(struct scenario_run *run, scenario_block *flows)
{
    enum { FLOW = 320 };
    scenario_block *flow = &flows[scenario_below(run, FLOWS)];
    if (*flow == SCENARIO_NONE)
        *flow = scenario_take(run, FLOW);
    else if (scenario_once_in(run, 3))
        scenario_give(run, flow);
}

void scenario_packet_buffers(struct scenario_run *run)
{
    static struct queue queues[QUEUES];
    static scenario_block flows[FLOWS];
    memset(queues, 0, sizeof queues);
    scenario_clear(flows, FLOWS);
    for (uint32_t i = 0; i < PACKETS; i++) {
        uint32_t congested = i / (PACKETS / 16) % QUEUES;
        uint32_t to = scenario_below(run, QUEUES);
        queue_put(run, &queues[to]);
        if (to != congested || scenario_once_in(run, 3))
            queue_send(run, &queues[to]);
        if (to != congested && queues[to].count)
            queue_send(run, &queues[to]);
        if (scenario_once_in(run, 4))
            flow_step(run, flows);
    }
}

/* ---- fragmenter ----
 *
 * After J. M. Robson's lower bound (1971): the heap is filled with blocks of one size, then of each
 * eight neighbours all but one are freed; blocks of the next size are nine times as large, so that
 * no hole takes one. Bytes live at once stay below one bound.
 */
enum { FRAGMENTS = 32768, FRAGMENT = 64, KEEP_ONE_IN = 8 };

void scenario_fragmenter(struct scenario_run *run)
{
    static scenario_block blocks[FRAGMENTS];
    const uint64_t bound = (uint64_t)FRAGMENTS * FRAGMENT;
    uint64_t size = FRAGMENT;
    uint64_t kept = 0;
    while (kept + KEEP_ONE_IN * size <= bound) {
        size_t count = (size_t)((bound - kept) / size);
        count = count < FRAGMENTS ? count : FRAGMENTS;
        for (size_t i = 0; i < count; i++)
            blocks[i] = scenario_take(run, size);
        for (size_t i = 0; i < count; i++)
            if (i % KEEP_ONE_IN != KEEP_ONE_IN - 1)
                scenario_give(run, &blocks[i]);
        kept += count / KEEP_ONE_IN * size;
        size *= KEEP_ONE_IN + 1;
    }
}
