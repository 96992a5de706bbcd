/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What calls of the drop-in malloc cost in instructions, entry points included:
 * `build/tests/malloc.costs build/libacre-malloc.so` prints a table with the targets. A child, into
 * which the object is preloaded, makes the calls, with one thread and then with a second one. The
 * parent steps through each, counts the instructions, and looks at them: none may lock the bus,
 * call through a pointer or move the stack pointer. (The counts and frames that it insists on are
 * gcc's.)
 */
#if defined(__linux__) && defined(__x86_64__)
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#endif

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *self;
static const char *dropin;

#if defined(__linux__) && defined(__x86_64__) && !defined(ACRE_SANITIZED)

enum { REPEATS = 8, THREADS = 2, PAIRS = 16 };

enum call { MALLOC, CALLOC, ALIGNED, MEMALIGN, STAY, MOVE, FREE, SIZED, PAIR };

/* A call, and the most instructions that it may take; 0: no target. PAIR: malloc and free in a
 * loop, as a program calls them, with what the loop and the linker's jumps take. */
static const struct row {
    const char *name;
    enum call call;
    size_t size, target;
} rows[] = {
    { "malloc(16)", MALLOC, 16, 20 },
    { "malloc(64)", MALLOC, 64, 20 },
    { "malloc(1000)", MALLOC, 1000, 20 },
    { "malloc(20000)", MALLOC, 20000, 0 },
    { "calloc(1, 16)", CALLOC, 16, 0 },
    { "calloc(1, 64)", CALLOC, 64, 0 },
    { "aligned_alloc(16, 64)", ALIGNED, 64, 0 },
    { "posix_memalign(64)", MEMALIGN, 64, 0 },
    { "realloc, 64 to 60", STAY, 64, 0 },
    { "realloc, 64 to 128", MOVE, 64, 0 },
    { "free of 16 bytes", FREE, 16, 32 },
    { "free of 64 bytes", FREE, 64, 32 },
    { "free of 1000 bytes", FREE, 1000, 32 },
    { "free of 20000 bytes", FREE, 20000, 32 },
    { "free_sized of 64 bytes", SIZED, 64, 0 },
    { "pair of 64, loop, PLT", PAIR, 64, 55 },
};

enum { ROWS = sizeof rows / sizeof *rows };

void free_sized(void *ptr, size_t size) __attribute__((weak));

/* ---- the child ---- */

/* The call to be counted is the only one between a trap that nop follows, at which a register
 * tells what it is, and one that another instruction follows. */
#define COUNTED(what)                                                                              \
    do {                                                                                           \
        __asm__ volatile("int3; nop" : : "a"(number) : "memory");                                  \
        what;                                                                                      \
        __asm__ volatile("int3; xchg %%ax, %%ax" : : : "memory");                                  \
    } while (0)

/* Through pointers that are known, as after the first call through a table of the linker's. */
static struct {
    void *(*alloc)(size_t size);
    void *(*zeroed)(size_t count, size_t size);
    void *(*aligned)(size_t align, size_t size);
    int (*into)(void **ptr, size_t align, size_t size);
    void *(*change)(void *ptr, size_t size);
    void (*release)(void *ptr);
    void (*release_sized)(void *ptr, size_t size);
} volatile calls;

/* So many calls of each, for which no compiler knows what they do. */
static __attribute__((noinline)) void make_pairs(size_t size, size_t number)
{
    size_t count = PAIRS;
    COUNTED(do {
        void *ptr = malloc(size);
        __asm__ volatile("" : "+r"(ptr));
        free(ptr);
    } while (--count != 0));
}

/* The call of a row; `number` is the row, or so many more. */
static void make_call(const struct row *row, size_t number)
{
    if (row->call == PAIR) {
        make_pairs(row->size, number);
        return;
    }
    void *ptr = row->call >= STAY ? calls.alloc(row->size) : NULL;
    switch (row->call) {
    case MALLOC:
        COUNTED(ptr = calls.alloc(row->size));
        break;
    case CALLOC:
        COUNTED(ptr = calls.zeroed(1, row->size));
        break;
    case ALIGNED:
        COUNTED(ptr = calls.aligned(16, row->size));
        break;
    case MEMALIGN:
        COUNTED((void)calls.into(&ptr, 64, row->size));
        break;
    case STAY:
        COUNTED(ptr = calls.change(ptr, row->size - 4));
        break;
    case MOVE:
        COUNTED(ptr = calls.change(ptr, 2 * row->size));
        break;
    case FREE:
        COUNTED(calls.release(ptr));
        return;
    default:
        COUNTED(calls.release_sized(ptr, row->size));
        return;
    }
    calls.release(ptr);
}

static _Noreturn void *wait_for_ever(void *arg)
{
    (void)arg;
    for (;;)
        pause();
}

static int make_calls(void)
{
    pthread_t thread;
    calls.alloc = malloc;
    calls.zeroed = calloc;
    calls.aligned = aligned_alloc;
    calls.into = posix_memalign;
    calls.change = realloc;
    calls.release = free;
    calls.release_sized = free_sized;
    for (size_t i = 0; i < ROWS; i++)
        calls.release(calls.alloc(rows[i].size));
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
        return 1;
    for (size_t threads = 0; threads < THREADS; threads++) {
        if (threads != 0 && pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
            return 1;
        for (size_t i = 0; i < ROWS; i++)
            for (size_t k = 0; k < REPEATS; k++)
                make_call(&rows[i], threads * ROWS + i);
    }
    _exit(0);
}

/* ---- the parent ---- */

/* What the instructions of a call did, and how many the caller made meanwhile. */
struct seen {
    size_t count, around;
    bool locks, calls_indirectly, has_frame;
};

static bool is_prefix(unsigned char byte)
{
    return byte == 0x66 || byte == 0x67 || byte == 0xf2 || byte == 0xf3 || byte == 0x2e ||
           byte == 0x3e || byte == 0x64 || byte == 0x65 || byte == 0xf0;
}

/* The opcode and the byte behind it tell: xchg with memory locks too. */
static void look_at(struct seen *seen, const unsigned char *code)
{
    for (; is_prefix(*code); code++)
        seen->locks |= *code == 0xf0;
    if ((*code & 0xf0) == 0x40)
        code++;
    unsigned reg = code[1] >> 3 & 7;
    seen->locks |= (code[0] == 0x86 || code[0] == 0x87) && code[1] < 0xc0;
    seen->calls_indirectly |= code[0] == 0xff && (reg == 2 || reg == 3);
}

static void look_at_step(pid_t child, struct seen *seen, uintptr_t stack)
{
    struct user_regs_struct registers;
    unsigned char code[2 * sizeof(long)];
    if (ptrace(PTRACE_GETREGS, child, NULL, &registers) != 0)
        return;
    if (registers.rsp >= stack) {
        seen->around++;
        return;
    }
    for (size_t i = 0; i < sizeof code; i += sizeof(long)) {
        long word = ptrace(PTRACE_PEEKTEXT, child, (void *)(registers.rip + i), NULL);
        memcpy(code + i, &word, sizeof word);
    }
    seen->count++;
    seen->has_frame |= registers.rsp < stack - sizeof(void *);
    look_at(seen, code);
}

/* Lets the child run until it stops, or for one instruction; false when it has ended. */
static bool resume(pid_t child, enum __ptrace_request how)
{
    int status;
    return ptrace(how, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status);
}

enum mark { NONE, START, END };

/* The trap that the child has just run into, by the instructions on both sides. */
static enum mark mark_at(pid_t child, struct user_regs_struct *registers)
{
    unsigned char code[sizeof(long)];
    if (ptrace(PTRACE_GETREGS, child, NULL, registers) != 0)
        return NONE;
    long word = ptrace(PTRACE_PEEKTEXT, child, (void *)(registers->rip - 1), NULL);
    memcpy(code, &word, sizeof word);
    if (code[0] != 0xcc)
        return NONE;
    return code[1] == 0x90 ? START : code[1] == 0x66 && code[2] == 0x90 ? END : NONE;
}

/* The instructions of the next call, and its number; false when the child has ended. */
static bool count_call(pid_t child, struct seen *seen, size_t *number)
{
    struct user_regs_struct registers;
    enum mark mark = NONE;
    while (mark != START) {
        if (!resume(child, PTRACE_CONT))
            return false;
        mark = mark_at(child, &registers);
    }
    *seen = (struct seen){ 0 };
    *number = registers.rax;
    uintptr_t stack = registers.rsp;
    while (mark != END) {
        look_at_step(child, seen, stack);
        if (!resume(child, PTRACE_SINGLESTEP))
            return false;
        mark = mark_at(child, &registers);
    }
    return true;
}

/* Of a loop: what a pair takes of it. */
static void count_pair(struct seen *seen, const struct row *row)
{
    if (row->call == PAIR)
        seen->count = (seen->count + seen->around) / PAIRS;
}

static void print_row(const struct row *row, const struct seen *one, const struct seen *two)
{
    size_t worst = one->count > two->count ? one->count : two->count;
    print_message("| %-22s | %10zu | %11zu |", row->name, one->count, two->count);
    if (row->target != 0)
        print_message(" %6zu | %7s |\n", row->target, worst <= row->target ? "met" : "not met");
    else
        print_message(" %6s | %7s |\n", "-", "-");
}

static void check_row(const struct row *row, const struct seen *seen)
{
    assert_true(seen->count != 0);
    if (row->target == 0)
        return;
#if defined(__OPTIMIZE__) && !ACRE_ASSERTS
    assert_false(seen->locks || seen->calls_indirectly);
#if !defined(__clang__)
    assert_false(seen->has_frame);
    assert_in_range(seen->count, 1, row->target);
#endif
#endif
}

static pid_t start(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        setenv("LD_PRELOAD", dropin, 1);
        execl(self, self, "--calls", (char *)NULL);
        _exit(127);
    }
    assert_true(child > 0);
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
        print_message("processes may not be traced here\n");
        skip();
    }
    return child;
}

/* Some virtual machines lose steps, so the most of all repetitions counts. */
static void calls_are_counted(void **state)
{
    static struct seen most[THREADS * ROWS];
    struct seen seen;
    size_t number;
    (void)state;
    pid_t child = start();
    while (count_call(child, &seen, &number)) {
        assert_true(number < THREADS * ROWS);
        count_pair(&seen, &rows[number % ROWS]);
        if (seen.count > most[number].count)
            most[number] = seen;
    }
    print_message("| instructions of a call | one thread | two threads | target | verdict |\n"
                  "|------------------------|-----------:|------------:|-------:|--------:|\n");
    for (size_t i = 0; i < ROWS; i++)
        print_row(&rows[i], &most[i], &most[ROWS + i]);
    for (size_t i = 0; i < THREADS * ROWS; i++)
        check_row(&rows[i % ROWS], &most[i]);
}
#else
static int make_calls(void)
{
    return 1;
}

static void calls_are_counted(void **state)
{
    (void)state;
    print_message("instructions are not counted in this build\n");
    skip();
}
#endif

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted),
    };
    if (count == 2 && strcmp(arguments[1], "--calls") == 0)
        return make_calls();
    self = arguments[0];
    dropin = count == 2 ? arguments[1] : "build/libacre-malloc.so";
    return cmocka_run_group_tests_name("malloc costs", tests, NULL, NULL);
}
