/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/threads.h"

#include "replay/delay.h"
#include "replay/stamp.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)256 << 10)
/* Looks at what is waited for before the thread goes to sleep: some microseconds. */
#define LOOKS 200u
/* A sleeper looks so often whether the replay has been ended. */
#define SLEEP_NS 20000000
/* In the count of a slot's turns: its next user sleeps. */
#define AWAITED (UINT32_C(1) << 31)
#define ENDED UINT32_MAX
/* The work that takes the place of the program's own is measured by so many steps, so often. */
#define WORK_STEPS 100000u
#define WORK_TRIALS 5u

struct crowd;

struct crowd_lane {
    _Alignas(64) _Atomic uint32_t position; /* the stretch of its next operation; ENDED */
    struct crowd *crowd;
    uint32_t part, part_end; /* index of its current part, and of the part behind its last */
    pthread_t thread, previous;
    bool has_previous;
    uint64_t ops, failed;
    struct replay_delay times; /* of its threads so far */
};

/* A replay at work. Parts are in the order of their lanes. */
struct crowd {
    const struct replay_script *script;
    const struct replay_instance *instance;
    const struct replay_threads_order *order;
    const struct replay_op *items;
    struct replay_part *parts;
    struct replay_slot *slots;
    void *turns_memory;
    _Atomic uint32_t *turns; /* by slot: times handed over */
    uint64_t work_steps;     /* between two operations */
    uint64_t deadline;       /* 0: none */
    bool locks;
    pthread_mutex_t lock;
    _Atomic uint32_t open;    /* the threads may begin */
    _Atomic uint32_t running; /* lanes that have not ended */
    _Atomic uint32_t stopped; /* it ends early */
    _Atomic uint32_t no_thread;
    _Atomic uint32_t faulted;
    _Alignas(64) _Atomic uint32_t moves; /* of lanes to a later stretch, when one sleeps */
    _Atomic uint32_t sleepers;           /* that wait for a move */
    char fault[REPLAY_THREADS_FAULT_ROOM];
    struct crowd_lane lanes[REPLAY_MOST_LANES];
};

/* ---- waiting ---- */

static void sleep_on(_Atomic uint32_t *word, uint32_t value)
{
    const struct timespec limit = { 0, SLEEP_NS };
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &limit, NULL, 0);
}

static void wake_sleepers(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

ACRE_INLINE void look_again(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
}

static void stop_crowd(struct crowd *crowd)
{
    atomic_store(&crowd->stopped, 1);
    atomic_fetch_add(&crowd->moves, 1);
    wake_sleepers(&crowd->moves);
}

ACRE_INLINE bool is_turn(uint32_t turns, uint32_t wanted)
{
    return (turns & REPLAY_SIZE_MASK) == wanted;
}

static ACRE_NOINLINE void sleep_for_turn(
    struct crowd *crowd, _Atomic uint32_t *turns, uint32_t wanted)
{
    uint32_t seen = atomic_load_explicit(turns, memory_order_acquire);
    while (!is_turn(seen, wanted) && !atomic_load(&crowd->stopped)) {
        if (seen & AWAITED || atomic_compare_exchange_strong(turns, &seen, seen | AWAITED))
            sleep_on(turns, seen | AWAITED);
        seen = atomic_load_explicit(turns, memory_order_acquire);
    }
}

/* Waits until the slot was handed over so many times. */
static void wait_for_turn(struct crowd *crowd, uint32_t slot, uint32_t wanted)
{
    _Atomic uint32_t *turns = &crowd->turns[slot];
    for (unsigned i = 0; i < LOOKS; i++) {
        if (is_turn(atomic_load_explicit(turns, memory_order_acquire), wanted))
            return;
        look_again();
    }
    sleep_for_turn(crowd, turns, wanted);
}

/* The slot's next user is another lane. */
static void hand_over(struct crowd *crowd, uint32_t slot)
{
    _Atomic uint32_t *turns = &crowd->turns[slot];
    uint32_t before = atomic_fetch_add_explicit(turns, 1, memory_order_release);
    if (ACRE_LIKELY(!(before & AWAITED)))
        return;
    atomic_fetch_and(turns, ~AWAITED);
    wake_sleepers(turns);
}

static bool is_any_behind(const struct crowd *crowd, uint32_t stretch)
{
    for (uint32_t i = 0; i < crowd->script->facts.lanes; i++)
        if (atomic_load(&crowd->lanes[i].position) < stretch)
            return true;
    return false;
}

static void sleep_for_others(struct crowd *crowd, uint32_t stretch)
{
    atomic_fetch_add(&crowd->sleepers, 1);
    for (;;) {
        uint32_t moves = atomic_load(&crowd->moves);
        if (!is_any_behind(crowd, stretch) || atomic_load(&crowd->stopped))
            break;
        sleep_on(&crowd->moves, moves);
    }
    atomic_fetch_sub(&crowd->sleepers, 1);
}

static void move_to(struct crowd_lane *lane, uint32_t stretch)
{
    struct crowd *crowd = lane->crowd;
    atomic_store(&lane->position, stretch);
    if (!atomic_load(&crowd->sleepers))
        return;
    atomic_fetch_add(&crowd->moves, 1);
    wake_sleepers(&crowd->moves);
}

/* The lane goes on to a stretch: none may be farther behind than the one before. */
static void keep_pace(struct crowd_lane *lane, uint32_t stretch)
{
    struct crowd *crowd = lane->crowd;
    move_to(lane, stretch);
    if (crowd->deadline && acre_clock_ns() > crowd->deadline)
        stop_crowd(crowd);
    for (unsigned i = 0; i < LOOKS; i++) {
        if (!is_any_behind(crowd, stretch - 1))
            return;
        look_again();
    }
    sleep_for_others(crowd, stretch - 1);
}

/* ---- one operation ---- */

static void __attribute__((format(printf, 2, 3)))
note_thread_fault(struct crowd *crowd, const char *format, ...)
{
    va_list arguments;
    if (atomic_exchange(&crowd->faulted, 1))
        return;
    va_start(arguments, format);
    vsnprintf(crowd->fault, sizeof crowd->fault, format, arguments);
    va_end(arguments);
    stop_crowd(crowd);
}

static bool step_in_crowd(struct crowd *crowd, struct replay_op op)
{
    if (ACRE_LIKELY(!crowd->locks))
        return replay_step(crowd->instance, op, crowd->script, crowd->slots);
    pthread_mutex_lock(&crowd->lock);
    bool served = replay_step(crowd->instance, op, crowd->script, crowd->slots);
    pthread_mutex_unlock(&crowd->lock);
    return served;
}

/* One whose block is written when it is new. */
static bool step_touching(struct crowd *crowd, struct replay_op op)
{
    struct replay_slot *slot = &crowd->slots[op.slot];
    size_t kept = replay_kept(slot, op);
    bool served = step_in_crowd(crowd, op);
    if (served && replay_op_verb(op) != REPLAY_DEALLOC)
        replay_touch(slot, kept);
    return served;
}

/* The first `size` bytes of the block are what was written when it got them. */
static void check_stamp(struct crowd *crowd, const struct replay_slot *slot, size_t size,
    uint32_t index, const char *when)
{
    size_t offset = replay_stamp_check(slot->ptr, 0, size, index);
    if (offset != SIZE_MAX)
        note_thread_fault(crowd, "on threads, %s: byte %zu of a block of %zu bytes was overwritten",
            when, offset, replay_slot_size(slot));
}

static void check_alignment(struct crowd *crowd, const struct replay_slot *slot)
{
    size_t align = replay_slot_align(slot);
    while (align == ACRE_NATURAL_ALIGN && align > replay_slot_size(slot))
        align /= 2;
    if ((uintptr_t)slot->ptr % align != 0)
        note_thread_fault(crowd, "on threads: a block is not aligned to %zu bytes", align);
}

/* One whose block is stamped, and checked when it is resized or freed. */
static bool step_checking(struct crowd *crowd, struct replay_op op)
{
    struct replay_slot *slot = &crowd->slots[op.slot];
    enum replay_verb verb = replay_op_verb(op);
    size_t before = slot->ptr ? replay_slot_size(slot) : 0;
    size_t kept = replay_kept(slot, op);
    if (verb == REPLAY_ALLOC && slot->ptr)
        note_thread_fault(crowd, "on threads: an operation was made out of order");
    if (verb == REPLAY_DEALLOC && slot->ptr)
        check_stamp(crowd, slot, before, op.slot, "before a free");
    bool served = step_in_crowd(crowd, op);
    if (verb == REPLAY_DEALLOC || !served)
        return served;
    size_t size = replay_slot_size(slot);
    check_alignment(crowd, slot);
    if (kept)
        check_stamp(crowd, slot, kept < size ? kept : size, op.slot, "after a resize");
    if (size > kept)
        replay_stamp(slot->ptr, kept, size, op.slot);
    return true;
}

/* ---- time that others take ---- */

static void add_lane_times(struct crowd_lane *lane)
{
    struct replay_delay times = replay_delay_read();
    lane->times.busy += times.busy;
    lane->times.delayed += times.delayed;
}

static uint64_t greater(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

/* The elapsed time without the waits for processors that other programs have, and at least what a lane
 * was busy, or all were on as many processors as there are. */
static uint64_t undisturbed(const struct crowd *crowd, const struct replay_threads_outcome *outcome)
{
    uint64_t least = outcome->busy_ns / replay_processors();
    uint64_t delayed = 0;
    for (uint32_t i = 0; i < crowd->script->facts.lanes; i++) {
        delayed += crowd->lanes[i].times.delayed;
        least = greater(least, crowd->lanes[i].times.busy);
    }
    uint64_t rest = outcome->took_ns > delayed ? outcome->took_ns - delayed : 0;
    least = greater(least, rest);
    return least < outcome->took_ns ? least : outcome->took_ns;
}

/* ---- one part ---- */

/* In place of the program's own work. */
ACRE_INLINE void work_between(uint64_t steps)
{
    for (uint64_t i = 0; i < steps; i++)
        __asm__ volatile("" ::: "memory");
}

static void heed_mark(struct crowd_lane *lane, struct replay_op item)
{
    if (item.what & REPLAY_WIDE)
        keep_pace(lane, item.slot);
    else
        wait_for_turn(lane->crowd, item.slot, item.what & REPLAY_SIZE_MASK);
}

ACRE_INLINE void run_items(struct crowd_lane *lane, const struct replay_part *part, bool checks)
{
    struct crowd *crowd = lane->crowd;
    const struct replay_op *end = crowd->items + part->first + part->count;
    for (const struct replay_op *item = crowd->items + part->first; item < end; item++) {
        if (replay_is_mark(*item)) {
            heed_mark(lane, *item);
            if (ACRE_UNLIKELY(atomic_load_explicit(&crowd->stopped, memory_order_relaxed)))
                return;
            continue;
        }
        struct replay_op op = { item->slot & ~REPLAY_HANDS_OVER, item->what };
        lane->failed += !(checks ? step_checking(crowd, op) : step_touching(crowd, op));
        lane->ops++;
        if (item->slot & REPLAY_HANDS_OVER)
            hand_over(crowd, op.slot);
        work_between(crowd->work_steps);
    }
}

static void run_touching(struct crowd_lane *lane, const struct replay_part *part)
{
    run_items(lane, part, false);
}

static void run_checking(struct crowd_lane *lane, const struct replay_part *part)
{
    run_items(lane, part, true);
}

static void end_lane(struct crowd_lane *lane)
{
    struct crowd *crowd = lane->crowd;
    move_to(lane, ENDED);
    if (atomic_fetch_sub(&crowd->running, 1) == 1)
        wake_sleepers(&crowd->running);
}

static bool start_part(struct crowd_lane *lane);

/* The next part of the lane, on a thread of its own, which waits for this one to be gone. */
static void start_next(struct crowd_lane *lane)
{
    struct crowd *crowd = lane->crowd;
    if (++lane->part == lane->part_end || atomic_load(&crowd->stopped)) {
        end_lane(lane);
        return;
    }
    move_to(lane, crowd->items[crowd->parts[lane->part].first].slot);
    lane->previous = pthread_self();
    lane->has_previous = true;
    if (start_part(lane))
        return;
    atomic_store(&crowd->no_thread, 1);
    stop_crowd(crowd);
    lane->thread = lane->previous;
    lane->has_previous = false;
    end_lane(lane);
}

static void *do_part(void *argument)
{
    struct crowd_lane *lane = argument;
    struct crowd *crowd = lane->crowd;
    if (lane->has_previous)
        pthread_join(lane->previous, NULL);
    while (!atomic_load(&crowd->open))
        sleep_on(&crowd->open, 0);
    if (crowd->order->checks)
        run_checking(lane, &crowd->parts[lane->part]);
    else
        run_touching(lane, &crowd->parts[lane->part]);
    add_lane_times(lane);
    start_next(lane);
    return NULL;
}

static bool start_part(struct crowd_lane *lane)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    bool started = pthread_create(&lane->thread, &attributes, do_part, lane) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

/* ---- all of them ---- */

/* What `ns` nanoseconds of work are, in steps. */
static uint64_t work_steps(double ns)
{
    uint64_t least = UINT64_MAX;
    for (unsigned trial = 0; ns > 0.0 && trial < WORK_TRIALS; trial++) {
        uint64_t start = acre_clock_ns();
        work_between(WORK_STEPS);
        uint64_t took = acre_clock_ns() - start;
        least = took < least ? took : least;
    }
    double steps = ns > 0.0 ? ns * WORK_STEPS / (double)(least ? least : 1) : 0.0;
    return (uint64_t)steps;
}

static void *map_filled(size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static size_t slots_size(const struct replay_facts *facts)
{
    return (size_t)(facts->lane_slots + 1) * sizeof(struct replay_slot);
}

static size_t turns_size(const struct replay_facts *facts)
{
    return (size_t)(facts->lane_slots + 1) * sizeof(uint32_t);
}

static size_t parts_size(const struct replay_facts *facts)
{
    return facts->parts * sizeof(struct replay_part);
}

/* The parts in the order of their lanes, each lane's as recorded. */
static void sort_parts(struct crowd *crowd)
{
    const struct replay_facts *facts = &crowd->script->facts;
    const struct replay_part *parts = crowd->script->part_array.items;
    uint32_t counts[REPLAY_MOST_LANES] = { 0 };
    uint32_t sum = 0;
    for (uint32_t i = 0; i < facts->parts; i++)
        counts[parts[i].lane]++;
    for (uint32_t i = 0; i < facts->lanes; i++) {
        crowd->lanes[i].part = crowd->lanes[i].part_end = sum;
        sum += counts[i];
    }
    for (uint32_t i = 0; i < facts->parts; i++)
        crowd->parts[crowd->lanes[parts[i].lane].part_end++] = parts[i];
}

/* Reads one byte of each page of the items, so that no thread is the first to touch them. */
static void touch_items(const struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->script->facts.parts; i++) {
        const struct replay_part *part = &crowd->parts[i];
        for (uint64_t at = 0; at < part->count; at += 4096 / sizeof *crowd->items)
            (void)*(const volatile uint32_t *)&crowd->items[part->first + at].slot;
    }
}

static bool open_crowd(struct crowd *crowd)
{
    const struct replay_facts *facts = &crowd->script->facts;
    crowd->items = crowd->script->lane_array.items;
    crowd->slots = map_filled(slots_size(facts));
    crowd->turns_memory = map_filled(turns_size(facts));
    crowd->turns = crowd->turns_memory;
    crowd->parts = map_filled(parts_size(facts));
    if (!crowd->slots || !crowd->turns || !crowd->parts)
        return false;
    sort_parts(crowd);
    touch_items(crowd);
    pthread_mutex_init(&crowd->lock, NULL);
    crowd->locks = crowd->instance->backend->type != REPLAY_SYSTEM;
    crowd->work_steps = work_steps(crowd->order->think_ns);
    return true;
}

static void close_crowd(struct crowd *crowd)
{
    const struct replay_facts *facts = &crowd->script->facts;
    if (crowd->slots)
        munmap(crowd->slots, slots_size(facts));
    if (crowd->turns)
        munmap(crowd->turns_memory, turns_size(facts));
    if (crowd->parts)
        munmap(crowd->parts, parts_size(facts));
}

/* Starts the first thread of each lane. @return lanes that have one. */
static uint32_t start_lanes(struct crowd *crowd)
{
    uint32_t count = 0;
    for (; count < crowd->script->facts.lanes; count++) {
        struct crowd_lane *lane = &crowd->lanes[count];
        lane->crowd = crowd;
        atomic_store(&lane->position, crowd->items[crowd->parts[lane->part].first].slot);
    }
    atomic_store(&crowd->running, count);
    for (count = 0; count < crowd->script->facts.lanes; count++)
        if (!start_part(&crowd->lanes[count]))
            break;
    return count;
}

/* Lanes without a thread have ended, and so has all. */
static void give_up(struct crowd *crowd, uint32_t started)
{
    atomic_store(&crowd->no_thread, 1);
    stop_crowd(crowd);
    for (uint32_t i = started; i < crowd->script->facts.lanes; i++)
        end_lane(&crowd->lanes[i]);
}

static void wait_for_lanes(struct crowd *crowd)
{
    for (uint32_t running = 0; (running = atomic_load(&crowd->running)) != 0;)
        sleep_on(&crowd->running, running);
}

static void join_lanes(
    struct crowd *crowd, uint32_t started, struct replay_threads_outcome *outcome)
{
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(crowd->lanes[i].thread, NULL);
        outcome->ops += crowd->lanes[i].ops;
        outcome->failed += crowd->lanes[i].failed;
    }
}

/* What is left live, checked first if it was stamped. */
static void free_rest(struct crowd *crowd)
{
    for (uint64_t i = 0; i < crowd->script->facts.lane_slots; i++) {
        const struct replay_slot *slot = &crowd->slots[i];
        if (!slot->ptr)
            continue;
        if (crowd->order->checks && !atomic_load(&crowd->faulted))
            check_stamp(crowd, slot, replay_slot_size(slot), (uint32_t)i, "at the end");
        replay_dealloc(crowd->instance, slot);
    }
}

static void run_crowd(struct crowd *crowd, struct replay_threads_outcome *outcome)
{
    uint32_t started = start_lanes(crowd);
    if (started < crowd->script->facts.lanes)
        give_up(crowd, started);
    uint64_t busy = acre_clock_own_ns();
    uint64_t begun = acre_clock_ns();
    crowd->deadline = crowd->order->patience_ns ? begun + crowd->order->patience_ns : 0;
    atomic_store(&crowd->open, 1);
    wake_sleepers(&crowd->open);
    wait_for_lanes(crowd);
    outcome->took_ns = acre_clock_ns() - begun;
    outcome->busy_ns = acre_clock_own_ns() - busy;
    join_lanes(crowd, started, outcome);
    outcome->elapsed_ns = undisturbed(crowd, outcome);
}

bool replay_run_threads(const struct replay_script *script, const struct replay_instance *instance,
    const struct replay_threads_order *order, struct replay_threads_outcome *outcome)
{
    struct crowd *crowd = map_filled(sizeof *crowd);
    memset(outcome, 0, sizeof *outcome);
    if (!crowd)
        return false;
    crowd->script = script;
    crowd->instance = instance;
    crowd->order = order;
    bool opened = open_crowd(crowd);
    if (opened) {
        run_crowd(crowd, outcome);
        if (!atomic_load(&crowd->faulted))
            free_rest(crowd);
        memcpy(outcome->fault, crowd->fault, sizeof outcome->fault);
    }
    bool done = opened && !atomic_load(&crowd->no_thread);
    close_crowd(crowd);
    munmap(crowd, sizeof *crowd);
    return done;
}
