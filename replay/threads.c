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

struct parallel_replay;

struct parallel_sequence {
    _Alignas(64) _Atomic uint32_t position; /* the epoch of its next operation; ENDED */
    struct parallel_replay *parallel;
    uint32_t part, part_end; /* index of its current part, and of the part behind its last */
    pthread_t thread, previous;
    bool has_previous;
    uint64_t ops, failed;
    struct replay_delay times; /* of its threads so far */
};

/* A replay at work. Parts are in the order of their sequences. */
struct parallel_replay {
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
    _Atomic uint32_t running; /* sequences that have not ended */
    _Atomic uint32_t stopped; /* it ends early */
    _Atomic uint32_t no_thread;
    _Atomic uint32_t faulted;
    _Alignas(64) _Atomic uint32_t moves; /* of sequences to a later epoch, when one sleeps */
    _Atomic uint32_t sleepers;           /* that wait for a move */
    char fault[REPLAY_THREADS_FAULT_ROOM];
    struct parallel_sequence sequences[REPLAY_MOST_SEQUENCES];
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

static void stop_parallel(struct parallel_replay *parallel)
{
    atomic_store(&parallel->stopped, 1);
    atomic_fetch_add(&parallel->moves, 1);
    wake_sleepers(&parallel->moves);
}

ACRE_INLINE bool is_turn(uint32_t turns, uint32_t wanted)
{
    return (turns & REPLAY_SIZE_MASK) == wanted;
}

static ACRE_NOINLINE void sleep_for_turn(
    struct parallel_replay *parallel, _Atomic uint32_t *turns, uint32_t wanted)
{
    uint32_t seen = atomic_load_explicit(turns, memory_order_acquire);
    while (!is_turn(seen, wanted) && !atomic_load(&parallel->stopped)) {
        if (seen & AWAITED || atomic_compare_exchange_strong(turns, &seen, seen | AWAITED))
            sleep_on(turns, seen | AWAITED);
        seen = atomic_load_explicit(turns, memory_order_acquire);
    }
}

/* Waits until the slot was handed over so many times. */
static void wait_for_turn(struct parallel_replay *parallel, uint32_t slot, uint32_t wanted)
{
    _Atomic uint32_t *turns = &parallel->turns[slot];
    for (unsigned i = 0; i < LOOKS; i++) {
        if (is_turn(atomic_load_explicit(turns, memory_order_acquire), wanted))
            return;
        look_again();
    }
    sleep_for_turn(parallel, turns, wanted);
}

/* The slot's next user is another sequence. */
static void hand_over(struct parallel_replay *parallel, uint32_t slot)
{
    _Atomic uint32_t *turns = &parallel->turns[slot];
    uint32_t before = atomic_fetch_add_explicit(turns, 1, memory_order_release);
    if (ACRE_LIKELY(!(before & AWAITED)))
        return;
    atomic_fetch_and(turns, ~AWAITED);
    wake_sleepers(turns);
}

static bool is_any_behind(const struct parallel_replay *parallel, uint32_t epoch)
{
    for (uint32_t i = 0; i < parallel->script->facts.sequences; i++)
        if (atomic_load(&parallel->sequences[i].position) < epoch)
            return true;
    return false;
}

static void sleep_for_others(struct parallel_replay *parallel, uint32_t epoch)
{
    atomic_fetch_add(&parallel->sleepers, 1);
    for (;;) {
        uint32_t moves = atomic_load(&parallel->moves);
        if (!is_any_behind(parallel, epoch) || atomic_load(&parallel->stopped))
            break;
        sleep_on(&parallel->moves, moves);
    }
    atomic_fetch_sub(&parallel->sleepers, 1);
}

static void move_to(struct parallel_sequence *sequence, uint32_t epoch)
{
    struct parallel_replay *parallel = sequence->parallel;
    atomic_store(&sequence->position, epoch);
    if (!atomic_load(&parallel->sleepers))
        return;
    atomic_fetch_add(&parallel->moves, 1);
    wake_sleepers(&parallel->moves);
}

/* The sequence goes on to a later epoch: none may be farther behind than the one before. */
static void keep_pace(struct parallel_sequence *sequence, uint32_t epoch)
{
    struct parallel_replay *parallel = sequence->parallel;
    move_to(sequence, epoch);
    if (parallel->deadline && acre_clock_ns() > parallel->deadline)
        stop_parallel(parallel);
    for (unsigned i = 0; i < LOOKS; i++) {
        if (!is_any_behind(parallel, epoch - 1))
            return;
        look_again();
    }
    sleep_for_others(parallel, epoch - 1);
}

/* ---- one operation ---- */

static void __attribute__((format(printf, 2, 3)))
note_thread_fault(struct parallel_replay *parallel, const char *format, ...)
{
    va_list arguments;
    if (atomic_exchange(&parallel->faulted, 1))
        return;
    va_start(arguments, format);
    vsnprintf(parallel->fault, sizeof parallel->fault, format, arguments);
    va_end(arguments);
    stop_parallel(parallel);
}

static bool step_locking(struct parallel_replay *parallel, struct replay_op op)
{
    if (ACRE_LIKELY(!parallel->locks))
        return replay_step(parallel->instance, op, parallel->script, parallel->slots);
    pthread_mutex_lock(&parallel->lock);
    bool served = replay_step(parallel->instance, op, parallel->script, parallel->slots);
    pthread_mutex_unlock(&parallel->lock);
    return served;
}

/* One whose block is written when it is new. */
static bool step_touching(struct parallel_replay *parallel, struct replay_op op)
{
    struct replay_slot *slot = &parallel->slots[op.slot];
    size_t kept = replay_kept(slot, op);
    bool served = step_locking(parallel, op);
    if (served && replay_op_verb(op) != REPLAY_DEALLOC)
        replay_touch(slot, kept);
    return served;
}

/* The first `size` bytes of the block are what was written when it got them. */
static void check_stamp(struct parallel_replay *parallel, const struct replay_slot *slot,
    size_t size, uint32_t index, const char *when)
{
    size_t offset = replay_stamp_check(slot->ptr, 0, size, index);
    if (offset != SIZE_MAX)
        note_thread_fault(parallel,
            "on threads, %s: byte %zu of a block of %zu bytes was overwritten", when, offset,
            replay_slot_size(slot));
}

static void check_alignment(struct parallel_replay *parallel, const struct replay_slot *slot)
{
    size_t align = replay_slot_align(slot);
    while (align == ACRE_NATURAL_ALIGN && align > replay_slot_size(slot))
        align /= 2;
    if ((uintptr_t)slot->ptr % align != 0)
        note_thread_fault(parallel, "on threads: a block is not aligned to %zu bytes", align);
}

/* One whose block is stamped, and checked when it is resized or freed. */
static bool step_checking(struct parallel_replay *parallel, struct replay_op op)
{
    struct replay_slot *slot = &parallel->slots[op.slot];
    enum replay_verb verb = replay_op_verb(op);
    size_t before = slot->ptr ? replay_slot_size(slot) : 0;
    size_t kept = replay_kept(slot, op);
    if (verb == REPLAY_ALLOC && slot->ptr)
        note_thread_fault(parallel, "on threads: an operation was made out of order");
    if (verb == REPLAY_DEALLOC && slot->ptr)
        check_stamp(parallel, slot, before, op.slot, "before a free");
    bool served = step_locking(parallel, op);
    if (verb == REPLAY_DEALLOC || !served)
        return served;
    size_t size = replay_slot_size(slot);
    check_alignment(parallel, slot);
    if (kept)
        check_stamp(parallel, slot, kept < size ? kept : size, op.slot, "after a resize");
    if (size > kept)
        replay_stamp(slot->ptr, kept, size, op.slot);
    return true;
}

/* ---- time that others take ---- */

static void add_sequence_times(struct parallel_sequence *sequence)
{
    struct replay_delay times = replay_delay_read();
    sequence->times.busy += times.busy;
    sequence->times.delayed += times.delayed;
}

static uint64_t greater(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

/* The elapsed time without the waits for processors that other programs have, and at least what a
 * sequence was busy, or all were on as many processors as there are. */
static uint64_t undisturbed(
    const struct parallel_replay *parallel, const struct replay_threads_outcome *outcome)
{
    uint64_t least = outcome->busy_ns / replay_processors();
    uint64_t delayed = 0;
    for (uint32_t i = 0; i < parallel->script->facts.sequences; i++) {
        delayed += parallel->sequences[i].times.delayed;
        least = greater(least, parallel->sequences[i].times.busy);
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

static void heed_mark(struct parallel_sequence *sequence, struct replay_op item)
{
    if (item.what & REPLAY_WIDE)
        keep_pace(sequence, item.slot);
    else
        wait_for_turn(sequence->parallel, item.slot, item.what & REPLAY_SIZE_MASK);
}

ACRE_INLINE void run_items(
    struct parallel_sequence *sequence, const struct replay_part *part, bool checks)
{
    struct parallel_replay *parallel = sequence->parallel;
    const struct replay_op *end = parallel->items + part->first + part->count;
    for (const struct replay_op *item = parallel->items + part->first; item < end; item++) {
        if (replay_is_mark(*item)) {
            heed_mark(sequence, *item);
            if (ACRE_UNLIKELY(atomic_load_explicit(&parallel->stopped, memory_order_relaxed)))
                return;
            continue;
        }
        struct replay_op op = { item->slot & ~REPLAY_HANDS_OVER, item->what };
        sequence->failed += !(checks ? step_checking(parallel, op) : step_touching(parallel, op));
        sequence->ops++;
        if (item->slot & REPLAY_HANDS_OVER)
            hand_over(parallel, op.slot);
        work_between(parallel->work_steps);
    }
}

static void run_touching(struct parallel_sequence *sequence, const struct replay_part *part)
{
    run_items(sequence, part, false);
}

static void run_checking(struct parallel_sequence *sequence, const struct replay_part *part)
{
    run_items(sequence, part, true);
}

static void end_sequence(struct parallel_sequence *sequence)
{
    struct parallel_replay *parallel = sequence->parallel;
    move_to(sequence, ENDED);
    if (atomic_fetch_sub(&parallel->running, 1) == 1)
        wake_sleepers(&parallel->running);
}

static bool start_part(struct parallel_sequence *sequence);

/* The next part of the sequence, on a thread of its own, which waits for this one to be gone. */
static void start_next(struct parallel_sequence *sequence)
{
    struct parallel_replay *parallel = sequence->parallel;
    if (++sequence->part == sequence->part_end || atomic_load(&parallel->stopped)) {
        end_sequence(sequence);
        return;
    }
    move_to(sequence, parallel->items[parallel->parts[sequence->part].first].slot);
    sequence->previous = pthread_self();
    sequence->has_previous = true;
    if (start_part(sequence))
        return;
    atomic_store(&parallel->no_thread, 1);
    stop_parallel(parallel);
    sequence->thread = sequence->previous;
    sequence->has_previous = false;
    end_sequence(sequence);
}

static void *do_part(void *argument)
{
    struct parallel_sequence *sequence = argument;
    struct parallel_replay *parallel = sequence->parallel;
    if (sequence->has_previous)
        pthread_join(sequence->previous, NULL);
    while (!atomic_load(&parallel->open))
        sleep_on(&parallel->open, 0);
    if (parallel->order->checks)
        run_checking(sequence, &parallel->parts[sequence->part]);
    else
        run_touching(sequence, &parallel->parts[sequence->part]);
    add_sequence_times(sequence);
    start_next(sequence);
    return NULL;
}

static bool start_part(struct parallel_sequence *sequence)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    bool started = pthread_create(&sequence->thread, &attributes, do_part, sequence) == 0;
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
    return (size_t)(facts->sequence_slots + 1) * sizeof(struct replay_slot);
}

static size_t turns_size(const struct replay_facts *facts)
{
    return (size_t)(facts->sequence_slots + 1) * sizeof(uint32_t);
}

static size_t parts_size(const struct replay_facts *facts)
{
    return facts->parts * sizeof(struct replay_part);
}

/* The parts in the order of their sequences, each sequence's as recorded. */
static void sort_parts(struct parallel_replay *parallel)
{
    const struct replay_facts *facts = &parallel->script->facts;
    const struct replay_part *parts = parallel->script->part_array.items;
    uint32_t counts[REPLAY_MOST_SEQUENCES] = { 0 };
    uint32_t sum = 0;
    for (uint32_t i = 0; i < facts->parts; i++)
        counts[parts[i].sequence]++;
    for (uint32_t i = 0; i < facts->sequences; i++) {
        parallel->sequences[i].part = parallel->sequences[i].part_end = sum;
        sum += counts[i];
    }
    for (uint32_t i = 0; i < facts->parts; i++)
        parallel->parts[parallel->sequences[parts[i].sequence].part_end++] = parts[i];
}

/* Reads one byte of each page of the items, so that no thread is the first to touch them. */
static void touch_items(const struct parallel_replay *parallel)
{
    for (uint32_t i = 0; i < parallel->script->facts.parts; i++) {
        const struct replay_part *part = &parallel->parts[i];
        for (uint64_t at = 0; at < part->count; at += 4096 / sizeof *parallel->items)
            (void)*(const volatile uint32_t *)&parallel->items[part->first + at].slot;
    }
}

static bool open_parallel(struct parallel_replay *parallel)
{
    const struct replay_facts *facts = &parallel->script->facts;
    parallel->items = parallel->script->sequence_array.items;
    parallel->slots = map_filled(slots_size(facts));
    parallel->turns_memory = map_filled(turns_size(facts));
    parallel->turns = parallel->turns_memory;
    parallel->parts = map_filled(parts_size(facts));
    if (!parallel->slots || !parallel->turns || !parallel->parts)
        return false;
    sort_parts(parallel);
    touch_items(parallel);
    pthread_mutex_init(&parallel->lock, NULL);
    parallel->locks = parallel->instance->backend->type != REPLAY_SYSTEM;
    parallel->work_steps = work_steps(parallel->order->think_ns);
    return true;
}

static void close_parallel(struct parallel_replay *parallel)
{
    const struct replay_facts *facts = &parallel->script->facts;
    if (parallel->slots)
        munmap(parallel->slots, slots_size(facts));
    if (parallel->turns)
        munmap(parallel->turns_memory, turns_size(facts));
    if (parallel->parts)
        munmap(parallel->parts, parts_size(facts));
}

/* Starts the first thread of each sequence. @return sequences that have one. */
static uint32_t start_sequences(struct parallel_replay *parallel)
{
    uint32_t count = 0;
    for (; count < parallel->script->facts.sequences; count++) {
        struct parallel_sequence *sequence = &parallel->sequences[count];
        sequence->parallel = parallel;
        atomic_store(
            &sequence->position, parallel->items[parallel->parts[sequence->part].first].slot);
    }
    atomic_store(&parallel->running, count);
    for (count = 0; count < parallel->script->facts.sequences; count++)
        if (!start_part(&parallel->sequences[count]))
            break;
    return count;
}

/* Lanes without a thread have ended, and so has all. */
static void give_up(struct parallel_replay *parallel, uint32_t started)
{
    atomic_store(&parallel->no_thread, 1);
    stop_parallel(parallel);
    for (uint32_t i = started; i < parallel->script->facts.sequences; i++)
        end_sequence(&parallel->sequences[i]);
}

static void wait_for_sequences(struct parallel_replay *parallel)
{
    for (uint32_t running = 0; (running = atomic_load(&parallel->running)) != 0;)
        sleep_on(&parallel->running, running);
}

static void join_sequences(
    struct parallel_replay *parallel, uint32_t started, struct replay_threads_outcome *outcome)
{
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(parallel->sequences[i].thread, NULL);
        outcome->ops += parallel->sequences[i].ops;
        outcome->failed += parallel->sequences[i].failed;
    }
}

/* What is left live, checked first if it was stamped. */
static void free_rest(struct parallel_replay *parallel)
{
    for (uint64_t i = 0; i < parallel->script->facts.sequence_slots; i++) {
        const struct replay_slot *slot = &parallel->slots[i];
        if (!slot->ptr)
            continue;
        if (parallel->order->checks && !atomic_load(&parallel->faulted))
            check_stamp(parallel, slot, replay_slot_size(slot), (uint32_t)i, "at the end");
        replay_dealloc(parallel->instance, slot);
    }
}

static void run_parallel(struct parallel_replay *parallel, struct replay_threads_outcome *outcome)
{
    uint32_t started = start_sequences(parallel);
    if (started < parallel->script->facts.sequences)
        give_up(parallel, started);
    uint64_t busy = acre_clock_own_ns();
    uint64_t begun = acre_clock_ns();
    parallel->deadline = parallel->order->patience_ns ? begun + parallel->order->patience_ns : 0;
    atomic_store(&parallel->open, 1);
    wake_sleepers(&parallel->open);
    wait_for_sequences(parallel);
    outcome->took_ns = acre_clock_ns() - begun;
    outcome->busy_ns = acre_clock_own_ns() - busy;
    join_sequences(parallel, started, outcome);
    outcome->elapsed_ns = undisturbed(parallel, outcome);
}

bool replay_run_threads(const struct replay_script *script, const struct replay_instance *instance,
    const struct replay_threads_order *order, struct replay_threads_outcome *outcome)
{
    struct parallel_replay *parallel = map_filled(sizeof *parallel);
    memset(outcome, 0, sizeof *outcome);
    if (!parallel)
        return false;
    parallel->script = script;
    parallel->instance = instance;
    parallel->order = order;
    bool opened = open_parallel(parallel);
    if (opened) {
        run_parallel(parallel, outcome);
        if (!atomic_load(&parallel->faulted))
            free_rest(parallel);
        memcpy(outcome->fault, parallel->fault, sizeof outcome->fault);
    }
    bool done = opened && !atomic_load(&parallel->no_thread);
    close_parallel(parallel);
    munmap(parallel, sizeof *parallel);
    return done;
}
