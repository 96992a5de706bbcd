/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Whom misuse messages name as the owner of a block.
 */
#include "victim.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static jmp_buf carry_on;
static char words[1024];

static void take_words(const char *line)
{
    strncpy(words, line, sizeof words - 1);
    longjmp(carry_on, 1);
}

/* Whether the line about an address names a thread as the block's owner. */
static int names(void *ptr, long thread)
{
    char owner[64];
    snprintf(owner, sizeof owner, "; allocated by thread %ld", thread);
    memset(words, 0, sizeof words);
    if (setjmp(carry_on) == 0)
        free(victim_hide(ptr));
    const char *found = strstr(words, owner);
    return found != NULL && strchr(";", found[strlen(owner)]) != NULL;
}

struct owned {
    void *ptr;
    long thread;
    pthread_barrier_t made, seen;
};

static void *allocate_one(void *arg)
{
    struct owned *owned = arg;
    owned->ptr = malloc(100);
    owned->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&owned->made);
    pthread_barrier_wait(&owned->seen);
    return NULL;
}

static void owner_of_freed(long self)
{
    char *before = malloc(100), *ptr = malloc(100), *after = malloc(100);
    CHECK(before != after);
    free(ptr);
    CHECK(names(ptr, self));
}

static void owner_among_threads(void)
{
    struct owned owned;
    pthread_t thread;
    CHECK(pthread_barrier_init(&owned.made, NULL, 2) == 0);
    CHECK(pthread_barrier_init(&owned.seen, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, allocate_one, &owned) == 0);
    pthread_barrier_wait(&owned.made);
    CHECK(owned.thread != syscall(SYS_gettid));
    CHECK(names((char *)owned.ptr + 1, owned.thread));
    pthread_barrier_wait(&owned.seen);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Blocks of every kind: objects, runs of pages, mappings of their own, moved ones; live or freed. */
static void owner_is_named(void)
{
    typedef void hook_fn(const char *line);
    hook_fn *(*set)(hook_fn *) = (hook_fn * (*)(hook_fn *)) victim_symbol("acre_malloc_on_misuse");
    CHECK(set(take_words) == NULL);
    long self = syscall(SYS_gettid);
    static const size_t sizes[] = { 1, 100, 2000, 30000, 100000, 900000, 5000000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *ptr = malloc(sizes[i]);
        CHECK(names(ptr + 1, self) && names(ptr + sizes[i] / 2 + 1, self));
        ptr = realloc(ptr, 2 * sizes[i]);
        CHECK(names(ptr + 1, self));
        free(ptr);
    }
    owner_among_threads();
    owner_of_freed(self);
    char *kept = malloc(100);
    pid_t child = fork();
    if (child == 0)
        _exit(names(kept + 1, syscall(SYS_gettid)) ? 0 : 1);
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(names(kept + 1, self));
}

const struct victim_case victim_owner[] = {
    { "owner_is_named", owner_is_named },
    { NULL, NULL },
};
