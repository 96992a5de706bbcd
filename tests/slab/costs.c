/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What single calls cost in instructions, by event: `build/tests/slab.costs` prints a table with
 * the targets, of which it fails none. A child makes the calls; the parent steps through each one
 * and counts the instructions that run while the stack is deeper than at the call.
 */
#if defined(__linux__) && defined(__x86_64__)
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#endif

#include "slab/slab_tables.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__linux__) && defined(__x86_64__) && !defined(ACRE_SANITIZED)

enum { MIB = 1 << 20, SLOTS = 2000, WARM = 500, TOGGLES = 2400, CALLS = 3200, EVENTS = 8 };

enum event { ALLOC, REFILL, NEW_SLAB, NEW_RUN, FREE, UNFULL, SLAB_RETURNED, RUN_RETURNED };

static const char *const names[EVENTS] = { "alloc, current slab",
    "alloc, refill from a partial slab", "alloc, new slab", "alloc, whole pages", "free",
    "free into a full slab", "free, slab returned", "free, whole pages" };

/* The targets: of the median for the usual alloc and free, else of the worst; 0: there is none. */
static const size_t targets[EVENTS] = { 34, 0, 250, 0, 30, 0, 100, 0 };

/* At most so many instructions per event, in optimised builds. */
static const size_t bounds[EVENTS] = { 40, 200, 300, 260, 40, 90, 150, 200 };

struct shared {
    size_t made;
    unsigned char events[CALLS];
};

static _Alignas(4096) unsigned char memory[16 * MIB];
static struct acre_slab slab;
static void *blocks[SLOTS];
static struct shared *shared;
static uint64_t seed = 88172645463325252u;

static size_t draw(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed >> 11) % below;
}

/* 16 bytes to 16 KiB, as often in each octave. */
static size_t draw_size(void)
{
    size_t octave = (size_t)16 << draw(10);
    return octave + draw(octave);
}

static struct acre_slab_page *page_of(const void *block)
{
    return slab.page_map[((uintptr_t)block - slab.base) >> slab.page_log2];
}

/* The call to be counted is the only one between two traps. */
static void trap(bool count)
{
    if (count)
        __asm__ volatile("int3" ::: "memory");
}

static ACRE_NOINLINE void *counted_alloc(size_t size, bool count)
{
    trap(count);
    void *block = acre_slab_alloc(&slab, acre_layout(size, 1)).ptr;
    trap(count);
    return block;
}

static ACRE_NOINLINE void counted_dealloc(void *block, bool count)
{
    trap(count);
    acre_slab_dealloc(&slab, block);
    trap(count);
}

static enum event alloc_in(size_t slot, bool count)
{
    size_t size = draw_size();
    bool small = size <= slab_largest_object(&slab);
    const struct acre_slab_page *before =
        small ? slab.current[slab_class_of(&slab, size)] : &slab.no_slab;
    blocks[slot] = counted_alloc(size, count);
    assert_non_null(blocks[slot]);
    const struct acre_slab_page *page = page_of(blocks[slot]);
    if (!small)
        return NEW_RUN;
    if (page == before)
        return ALLOC;
    return slab_live_objects(page) == 1 ? NEW_SLAB : REFILL;
}

static enum event free_in(size_t slot, bool count)
{
    const struct acre_slab_page *page = page_of(blocks[slot]);
    bool run = page->state == SLAB_RUN;
    bool full = page->reciprocal == 0;
    counted_dealloc(blocks[slot], count);
    blocks[slot] = NULL;
    if (run)
        return RUN_RETURNED;
    return !slab_is_slab(page) ? SLAB_RETURNED : full ? UNFULL : FREE;
}

static enum event toggle(bool count)
{
    size_t slot = draw(SLOTS);
    return blocks[slot] == NULL ? alloc_in(slot, count) : free_in(slot, count);
}

/* Frees the blocks in the order of their slots. */
static enum event free_next(bool count)
{
    static size_t slot;
    while (blocks[slot] == NULL)
        slot++;
    return free_in(slot, count);
}

static void make_calls(void)
{
    for (size_t i = 0; i < WARM; i++)
        toggle(false);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
        _exit(1);
    for (size_t i = 0; i < CALLS; i++) {
        enum event event = i < TOGGLES ? toggle(true) : free_next(true);
        shared->events[i] = (unsigned char)event;
        shared->made = i + 1;
    }
    _exit(0);
}

/* Lets the child run until a trap, or for one instruction; false when it has ended. */
static bool resume(pid_t child, enum __ptrace_request how, bool *trapped)
{
    int status;
    siginfo_t info;
    if (ptrace(how, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child ||
        !WIFSTOPPED(status) || ptrace(PTRACE_GETSIGINFO, child, NULL, &info) != 0)
        return false;
    *trapped = info.si_code != TRAP_TRACE;
    return true;
}

static uintptr_t stack_of(pid_t child)
{
    return (uintptr_t)ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, regs.rsp), NULL);
}

/* Counts the instructions of the call between two traps; false when the child has ended. Some
 * virtual machines lose a step, after which the child runs on to the second trap: 0 if it was the
 * first one. */
static bool count_call(pid_t child, size_t *count)
{
    bool trapped;
    *count = 0;
    if (!resume(child, PTRACE_CONT, &trapped))
        return false;
    uintptr_t stack = stack_of(child);
    for (trapped = false; !trapped;) {
        *count += stack_of(child) < stack;
        if (!resume(child, PTRACE_SINGLESTEP, &trapped))
            return false;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    size_t left = *(const size_t *)a;
    size_t right = *(const size_t *)b;
    return (left > right) - (left < right);
}

static void print_head(void)
{
    print_message(
        "| %-32s | calls | median | worst | target | verdict |\n", "instructions of a call");
    print_message(
        "|----------------------------------|------:|-------:|------:|-------:|--------:|\n");
}

static void print_row(enum event event, size_t calls, size_t median, size_t worst)
{
    bool usual = event == ALLOC || event == FREE;
    const char *verdict = (usual ? median : worst) <= targets[event] ? "met" : "not met";
    print_message("| %-32s | %5zu | %6zu | %5zu |", names[event], calls, median, worst);
    if (targets[event] != 0)
        print_message(" %6zu | %7s |\n", targets[event], verdict);
    else
        print_message(" %6s | %7s |\n", "-", "-");
}

static void report(size_t *counts, size_t made, enum event event)
{
    static size_t own[CALLS];
    size_t calls = 0;
    for (size_t i = 0; i < made; i++)
        if (shared->events[i] == event && counts[i] != 0)
            own[calls++] = counts[i];
    if (calls == 0)
        return;
    qsort(own, calls, sizeof own[0], compare);
    print_row(event, calls, own[calls / 2], own[calls - 1]);
#if defined(__OPTIMIZE__) && !ACRE_ASSERTS
    assert_in_range(own[calls - 1], 1, bounds[event]);
#else
    (void)bounds;
#endif
}

static void calls_are_counted(void **state)
{
    static size_t counts[CALLS];
    int status;
    (void)state;
    slab = (struct acre_slab){ 0 };
    assert_int_equal(acre_slab_init(&slab, memory, sizeof memory), ACRE_OK);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    pid_t child = fork();
    if (child == 0)
        make_calls();
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
        print_message("processes may not be traced here\n");
        skip();
    }
    size_t made = 0;
    size_t lost = 0;
    while (made < CALLS && count_call(child, &counts[made]))
        lost += counts[made++] == 0;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_int_equal(made, CALLS);
    if (lost > CALLS / 10) {
        print_message("this machine loses steps: %zu of %d calls were not counted\n", lost, CALLS);
        skip();
    }
    made = shared->made;
    print_head();
    for (enum event event = ALLOC; event <= RUN_RETURNED; event++)
        report(counts, made, event);
    munmap(shared, sizeof *shared);
}
#else
static void calls_are_counted(void **state)
{
    (void)state;
    print_message("instructions are not counted in this build\n");
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted),
    };
    return cmocka_run_group_tests_name("slab costs", tests, NULL, NULL);
}
