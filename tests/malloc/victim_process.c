/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Calls at odd moments: before main, after exit, in thread-local destructors, around fork, from
 * signal handlers.
 */
#include "victim.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static char *before_main;
static char *before_libraries;

/* Runs before the constructors of libraries, the C library's own among them. */
static void construct_first(void)
{
    before_libraries = malloc(123456);
    if (before_libraries != NULL)
        victim_fill(before_libraries, 123456, 4);
}

__attribute__((section(".preinit_array"), used)) static void (*first)(void) = construct_first;

__attribute__((constructor)) static void construct(void)
{
    before_main = malloc(1000);
    if (before_main != NULL)
        victim_fill(before_main, 1000, 5);
}

/* Runs after main, behind the exit handlers: calls are served until the very end. */
__attribute__((destructor)) static void destruct(void)
{
    char *ptr = realloc(before_main, 5000);
    CHECK(ptr != NULL && (before_main == NULL || victim_holds(ptr, 1000, 5)));
    free(ptr);
    free(calloc(10, 10));
}

static char *until_exit;

static void at_exit(void)
{
    CHECK(victim_holds(until_exit, 300, 9));
    free(until_exit);
    free(malloc(100000));
}

static void constructors_and_exit(void)
{
    CHECK(before_main != NULL && victim_holds(before_main, 1000, 5));
    CHECK(before_libraries != NULL && victim_holds(before_libraries, 123456, 4));
    free(before_libraries);
    until_exit = malloc(300);
    victim_fill(until_exit, 300, 9);
    CHECK(atexit(at_exit) == 0);
}

/* A large thread-local block, so that the dynamic loader allocates for every thread. */
static _Thread_local char local[20000];
static pthread_key_t key;

static void destroy(void *value)
{
    CHECK(victim_holds(value, 500, 2));
    free(value);
    free(malloc(500));
}

static void *use_local(void *arg)
{
    char *value = malloc(500);
    victim_fill(value, 500, 2);
    memset(local, 1, sizeof local);
    CHECK(pthread_setspecific(key, value) == 0);
    if (arg != NULL)
        pthread_exit(NULL);
    return NULL;
}

static void thread_local_destructors(void)
{
    CHECK(pthread_key_create(&key, destroy) == 0);
    for (int i = 0; i < 50; i++) {
        pthread_t threads[4];
        for (int j = 0; j < 4; j++)
            CHECK(pthread_create(&threads[j], NULL, use_local, j % 2 ? &key : NULL) == 0);
        for (int j = 0; j < 4; j++)
            CHECK(pthread_join(threads[j], NULL) == 0);
    }
}

static void dynamic_loading(void)
{
    for (int i = 0; i < 20; i++) {
        void *library = dlopen("libm.so.6", RTLD_NOW);
        CHECK(library != NULL && dlsym(library, "cos") != NULL);
        CHECK(dlsym(library, "there_is_no_such_function") == NULL && dlerror() != NULL);
        CHECK(dlopen("there-is-no-such-library.so", RTLD_NOW) == NULL && dlerror() != NULL);
        CHECK(dlclose(library) == 0);
    }
}

/* The drop-in stays, whoever closes it. */
static void unloading_is_refused(void)
{
    Dl_info info;
    char *ptr = malloc(100);
    CHECK(dladdr(victim_symbol("malloc"), &info) != 0);
    for (int i = 0; i < 5; i++) {
        void *library = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
        CHECK(library != NULL && dlclose(library) == 0);
        (void)dlclose(library);
    }
    free(ptr);
    free(malloc(100));
}

static atomic_int stop;
static atomic_ulong turns;

static void *churn(void *arg)
{
    unsigned seed = (unsigned)(size_t)arg;
    void *slots[64] = { NULL };
    while (!atomic_load(&stop)) {
        seed = seed * 1103515245u + 12345u;
        void **slot = &slots[seed >> 16 & 63];
        free(*slot);
        *slot = malloc(1 + (seed >> 8 & 4095));
        atomic_fetch_add(&turns, 1);
    }
    for (int i = 0; i < 64; i++)
        free(slots[i]);
    return NULL;
}

static void use_heap_in_child(void)
{
    void *slots[200];
    for (int i = 0; i < 200; i++) {
        slots[i] = malloc((size_t)i * 50);
        CHECK(slots[i] != NULL);
    }
    for (int i = 0; i < 200; i++)
        free(slots[i]);
}

static void expect_success(pid_t child)
{
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void fork_many(int times)
{
    for (int i = 0; i < times; i++) {
        pid_t child = fork();
        if (child == 0) {
            use_heap_in_child();
            pthread_t thread;
            atomic_store(&stop, 1);
            CHECK(pthread_create(&thread, NULL, churn, NULL) == 0);
            CHECK(pthread_join(thread, NULL) == 0);
            _exit(0);
        }
        expect_success(child);
    }
}

static void with_threads(void (*act)(void))
{
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)) == 0);
    act();
    atomic_store(&stop, 1);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void fork_sixty_times(void)
{
    fork_many(60);
}

static void fork_with_threads(void)
{
    with_threads(fork_sixty_times);
}

static void allocate_in_handler(void)
{
    void *slots[20];
    for (int i = 0; i < 20; i++)
        slots[i] = malloc((size_t)i * 1000);
    for (int i = 0; i < 20; i++)
        free(slots[i]);
}

static void *flush_streams(void *argument)
{
    for (;;)
        fflush(NULL);
    return argument;
}

static void *read_lines(void *argument)
{
    for (;;) {
        FILE *file = fopen("/proc/self/maps", "r");
        char *line = NULL;
        size_t size = 0;
        while (file != NULL && getline(&line, &size, file) > 0) {
            free(line);
            line = NULL;
            size = 0;
        }
        free(line);
        if (file != NULL)
            fclose(file);
    }
    return argument;
}

/* The locks of streams, of the list of streams and of the heap have one order, in fork() too. */
static void fork_among_streams(void)
{
    pthread_t thread;
    alarm(60);
    CHECK(pthread_create(&thread, NULL, flush_streams, NULL) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&thread, NULL, read_lines, NULL) == 0);
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            FILE *file = fopen("/proc/self/maps", "r");
            free(malloc(100));
            _exit(file == NULL);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    _exit(0);
}

static void fork_handlers_that_allocate(void)
{
    for (int i = 0; i < 60; i++)
        CHECK(pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler) == 0);
    fork_many(3);
    with_threads(fork_sixty_times);
}

/* The other three threads stand still, but for a turn each that was taken and not yet counted. */
static void check_standstill(void)
{
    unsigned long before = atomic_load(&turns);
    usleep(5000);
    CHECK(atomic_load(&turns) <= before + 3);
}

/* Fork handlers that run while the drop-in holds its lock, as they were registered before its own.
 */
static void fork_inside_handlers(void)
{
    int (*calls)(void) = (int (*)(void))victim_symbol("early_calls");
    void (*set)(void (*)(void)) = (void (*)(void (*)(void)))victim_symbol("early_set_check");
    set(check_standstill);
    fork_many(3);
    CHECK(calls() == 6);
    with_threads(fork_sixty_times);
    CHECK(calls() == 126);
}

static void grandchildren(void)
{
    pid_t child = fork();
    if (child == 0) {
        with_threads(fork_sixty_times);
        _exit(0);
    }
    expect_success(child);
}

static void threads_exchange(void)
{
    enum { rounds = 200000 };
    static _Atomic(char *) mailbox[16];
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, churn, (void *)(i + 7)) == 0);
    for (unsigned i = 0; i < rounds; i++) {
        char *ptr = malloc(i % 500 + 1);
        *ptr = (char)i;
        free(atomic_exchange(&mailbox[i % 16], ptr));
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < 16; i++)
        free(mailbox[i]);
}

static sigjmp_buf away;

static void leave(int number)
{
    (void)number;
    siglongjmp(away, 1);
}

/* Leaving a handler with longjmp is safe while the interrupted code is not inside the allocator. */
static void handler_that_leaves(void)
{
    CHECK(signal(SIGUSR1, leave) != SIG_ERR);
    for (int i = 0; i < 1000; i++) {
        void *ptr = malloc(100);
        if (sigsetjmp(away, 1) == 0)
            raise(SIGUSR1);
        free(ptr);
    }
}

static volatile sig_atomic_t forks;

static void fork_in_handler(int number)
{
    (void)number;
    pid_t child = fork(); /* NOLINT(bugprone-signal-handler,cert-sig30-c): POSIX allows it */
    if (child == 0)
        _exit(0);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        _exit(1);
    forks++;
}

/* Of so many ticks some fall into the allocator; the interrupted call then finds its lock again. */
static void fork_from_ticks(void)
{
    enum { ticks = 200 };
    struct itimerval often = { .it_interval = { 0, 100 }, .it_value = { 0, 100 } };
    struct itimerval never = { .it_value = { 0, 0 } };
    forks = 0;
    CHECK(signal(SIGPROF, fork_in_handler) != SIG_ERR);
    CHECK(setitimer(ITIMER_PROF, &often, NULL) == 0);
    while (forks < ticks)
        free(malloc(1000));
    CHECK(setitimer(ITIMER_PROF, &never, NULL) == 0);
}

static void fork_inside_malloc(void)
{
    fork_from_ticks();
    fork_many(3);
}

/* ---- the limit on mappings ---- */

enum { SMALL = 20000, LARGE = 200, MOST_MAPPINGS = 70000 };

static const size_t large_size = 1500000;
static char *small_blocks[SMALL], *large_blocks[LARGE];

/* Takes every mapping that the system allows; false: it allows more than are tried. */
static int take_mappings(void)
{
    for (int i = 0; i < MOST_MAPPINGS; i++)
        if (mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
            MAP_FAILED)
            return 1;
    return 0;
}

/* Requests are served or refused, blocks keep their bytes, and free does not fail. */
static void no_more_mappings(void)
{
    for (int i = 0; i < LARGE; i++)
        CHECK((large_blocks[i] = malloc(large_size)) != NULL);
    for (int i = 0; i < SMALL; i++)
        CHECK((small_blocks[i] = malloc((size_t)i % 3000 + 1)) != NULL);
    if (!take_mappings())
        return;
    for (int i = 0; i < LARGE; i += 2)
        free(large_blocks[i]);
    for (int i = 1; i < LARGE; i += 2) {
        large_blocks[i][large_size - 1] = (char)i;
        char *ptr = realloc(large_blocks[i], 2 * large_size);
        CHECK(ptr != NULL || errno == ENOMEM);
        large_blocks[i] = ptr != NULL ? ptr : large_blocks[i];
        CHECK(large_blocks[i][large_size - 1] == (char)i);
        large_blocks[i - 1] = malloc(large_size);
        CHECK(large_blocks[i - 1] != NULL || errno == ENOMEM);
    }
    for (int i = 0; i < SMALL; i++) {
        free(small_blocks[i]);
        small_blocks[i] = malloc(2000);
        CHECK(small_blocks[i] != NULL || errno == ENOMEM);
    }
    for (int i = 0; i < LARGE; i++)
        free(large_blocks[i]);
    for (int i = 0; i < SMALL; i++)
        free(small_blocks[i]);
}

/* Ended threads leave blocks behind: 4,000 of 1,000 bytes. */
static void *leave_blocks(void *argument)
{
    for (int i = 0; i < 1000; i++)
        CHECK(victim_hide(malloc(1000)) != NULL);
    return argument;
}

static void threads_leave_blocks(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, leave_blocks, NULL) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

const struct victim_case victim_process[] = {
    { "constructors_and_exit", constructors_and_exit },
    { "thread_local_destructors", thread_local_destructors },
    { "dynamic_loading", dynamic_loading },
    { "unloading_is_refused", unloading_is_refused },
    { "fork_with_threads", fork_with_threads },
    { "fork_among_streams", fork_among_streams },
    { "fork_handlers_that_allocate", fork_handlers_that_allocate },
    { "fork_inside_handlers", fork_inside_handlers },
    { "fork_inside_malloc", fork_inside_malloc },
    { "grandchildren", grandchildren },
    { "threads_exchange", threads_exchange },
    { "handler_that_leaves", handler_that_leaves },
    { "no_more_mappings", no_more_mappings },
    { "threads_leave_blocks", threads_leave_blocks },
    { NULL, NULL },
};
