/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The program that the tests of `acre record` record: one mode for each way to allocate, to have
 * threads and children, and to end. It uses no stdio, so that it makes no other calls.
 */
#include "record/sequence.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, THREAD_STEPS = 20000 };

/* Keeps the compiler from removing calls whose result is not used. */
static void *volatile sink;

static char *self;

static void require(bool truth)
{
    if (!truth)
        _exit(99);
}

static void *make(size_t size)
{
    void *block = malloc(size);

    require(block != NULL);
    return block;
}

static void make_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        memset(make(i % 1000 + 1), 1, i % 1000 + 1);
}

static void run_step(void **blocks, const struct step *step)
{
    void **block = &blocks[step->block];

    if (step->call == STEP_MALLOC)
        *block = malloc(step->size);
    else if (step->call == STEP_CALLOC)
        *block = calloc(1, step->size);
    else if (step->call == STEP_ALIGNED)
        require(posix_memalign(block, step->align, step->size) == 0);
    else if (step->call == STEP_REALLOC)
        *block = realloc(*block, step->size);
    else
        free(*block);
}

static void run_sequence(uint64_t seed, unsigned steps)
{
    static struct sequence sequence;
    static void *blocks[SEQUENCE_BLOCKS];
    void *mark = make(SEQUENCE_MARK);

    sequence = (struct sequence){ .seed = seed };
    for (unsigned i = 0; i < steps; i++) {
        struct step step = sequence_next(&sequence);

        run_step(blocks, &step);
        require(step.call == STEP_FREE || blocks[step.block]);
    }
    free(mark);
}

static int mode_sequence(void)
{
    run_sequence(1, 100000);
    return 0;
}

static int mode_short(void)
{
    run_sequence(2, 1000);
    return 0;
}

static int mode_nothing(void)
{
    return 3;
}

/* ---- threads ---- */

/* Each thread frees what the one before it made, as well as what it made itself. */
static void *hand[THREADS];

static void *thread_main(void *argument)
{
    const unsigned self_number = (unsigned)(uintptr_t)argument;

    for (unsigned i = 0; i < THREAD_STEPS; i++) {
        void *mine = make(1000 * (self_number + 1) + i % 100);

        mine = __atomic_exchange_n(&hand[i % THREADS], mine, __ATOMIC_ACQ_REL);
        free(mine);
    }
    return NULL;
}

static int mode_threads(void)
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, thread_main, (void *)i) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < THREADS; i++)
        free(hand[i]);
    return 0;
}

/* ---- children ---- */

static int wait_for(pid_t pid)
{
    int status = 0;

    require(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WEXITSTATUS(status);
}

/* Ten blocks before the fork; the child frees the first five and makes three, the parent the rest.
 */
static int fork_by(pid_t (*fork_it)(void))
{
    void *blocks[10];
    pid_t pid;

    for (size_t i = 0; i < 10; i++)
        blocks[i] = make(7001 + i);
    pid = fork_it();
    for (size_t i = pid == 0 ? 0 : 5; i < (pid == 0 ? 5u : 10u); i++)
        free(blocks[i]);
    if (pid == 0) {
        for (size_t i = 0; i < 3; i++)
            make(8001 + i);
        _exit(0);
    }
    return wait_for(pid);
}

static int mode_fork(void)
{
    return fork_by(fork);
}

static pid_t raw_fork(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int mode_raw_fork(void)
{
    return fork_by(raw_fork);
}

static _Noreturn void become(const char *mode)
{
    execl(self, self, mode, (char *)NULL);
    _exit(98);
}

static int mode_exec(void)
{
    make(7001);
    become("short");
}

static int mode_vfork(void)
{
    pid_t pid = vfork();

    if (pid == 0)
        become("short");
    make(7001);
    return wait_for(pid);
}

static int mode_spawn(void)
{
    char mode[] = "short";
    char *arguments[] = { self, mode, NULL };
    pid_t pid;

    make(7001);
    require(posix_spawn(&pid, self, NULL, NULL, arguments, environ) == 0);
    return wait_for(pid);
}

/* A hundred children that allocate while the parent's threads do. */
static int mode_fork_many(void)
{
    pthread_t thread;

    require(pthread_create(&thread, NULL, thread_main, NULL) == 0);
    for (int i = 0; i < 100; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            free(make(7001));
            _exit(0);
        }
        require(wait_for(pid) == 0);
    }
    pthread_join(thread, NULL);
    return 0;
}

/* The command ends at once; its child goes on. */
static int mode_orphan(void)
{
    if (fork() != 0)
        return 0;
    nanosleep(&(struct timespec){ 0, 300000000 }, NULL);
    make_many(1000);
    make(SEQUENCE_MARK);
    return 0;
}

/* ---- ends ---- */

static int mode_exit(void)
{
    make_many(5000);
    _exit(7);
}

static int mode_abort(void)
{
    const struct rlimit no_core = { 0, 0 };

    setrlimit(RLIMIT_CORE, &no_core);
    make_many(5000);
    abort();
}

/* Says that it is there, and waits for a signal. */
static int mode_pause(void)
{
    make_many(5000);
    require(write(STDERR_FILENO, "here\n", 5) == 5);
    pause();
    return 0;
}

/* Three processes with calls in turn; then each says that it is there, and waits for a signal. */
static int mode_family(void)
{
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            break;
    run_sequence(2, 20000);
    require(write(STDERR_FILENO, "here\n", 5) == 5);
    pause();
    return 0;
}

static int mode_kill(void)
{
    make_many(5000);
    raise(SIGKILL);
    return 0;
}

/* ---- odd calls ---- */

/* Sizes that no machine has, hidden from the compiler. */
static volatile size_t huge = PTRDIFF_MAX;

static int mode_failed(void)
{
    void *block = make(SEQUENCE_MARK);
    void *other = &other;

    errno = 0;
    require(!malloc(huge) && errno == ENOMEM);
    require(!calloc(huge, 4) && errno == ENOMEM);
    require(!realloc(block, huge) && errno == ENOMEM);
    errno = 0;
    require(!reallocarray(block, huge, 4) && errno == ENOMEM);
    require(posix_memalign(&other, 24, 8) == EINVAL && other == (void *)&other);
    require(posix_memalign(&other, 64, huge) == ENOMEM);
    errno = 77;
    free(block);
    require(errno == 77);
    free(NULL);
    return 0;
}

static int mode_kinds(void)
{
    void *block = make(SEQUENCE_MARK);

    free(realloc(NULL, 11));
    free(calloc(3, 4));
    free(aligned_alloc(64, 128));
    free(sink = valloc(13));
    free(reallocarray(malloc(1), 7, 2));
    sink = malloc(15);
    sink = realloc(sink, 0);
    free(sink);
    free(block);
    return 0;
}

/* Many more calls than a ring has room for at first, and a child's. */
static void go_on_calling(void)
{
    pid_t pid;

    for (int i = 0; i < 100000; i++)
        free(make(200));
    pid = fork();
    if (pid == 0) {
        make_many(1000);
        _exit(0);
    }
    require(wait_for(pid) == 0);
}

/* As root: becomes another user, as daemons do. */
static int mode_drop(void)
{
    make_many(1000);
    require(setgid(65534) == 0 && setuid(65534) == 0);
    go_on_calling();
    return 0;
}

/* As root: moves where the spool's folder is not. */
static int mode_jail(void)
{
    make_many(1000);
    require(chroot("/dev") == 0 && chdir("/") == 0);
    go_on_calling();
    return 0;
}

/* No descriptor stays open, and the folder is another, as in a daemon. */
static int mode_closed(void)
{
    for (int fd = 0; fd < 256; fd++)
        close(fd);
    require(chdir("/") == 0);
    run_sequence(2, 1000);
    make_many(20000);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} modes[] = {
    { "sequence", mode_sequence },
    { "short", mode_short },
    { "nothing", mode_nothing },
    { "threads", mode_threads },
    { "fork", mode_fork },
    { "raw-fork", mode_raw_fork },
    { "fork-many", mode_fork_many },
    { "exec", mode_exec },
    { "vfork", mode_vfork },
    { "spawn", mode_spawn },
    { "orphan", mode_orphan },
    { "exit", mode_exit },
    { "abort", mode_abort },
    { "family", mode_family },
    { "kill", mode_kill },
    { "pause", mode_pause },
    { "drop", mode_drop },
    { "jail", mode_jail },
    { "failed", mode_failed },
    { "kinds", mode_kinds },
    { "closed", mode_closed },
};

int main(int argc, char **argv)
{
    self = argv[0];
    for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].name, argv[1]) == 0)
            return modes[i].run();
    return 97;
}
