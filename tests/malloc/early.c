/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Preloaded behind the drop-in malloc and initialised before it, as only one object of a process
 * can be: its fork handlers stand outside those of the drop-in, which holds its lock while they
 * run.
 */
#include <pthread.h>
#include <stdlib.h>

int early_calls(void);
void early_set_check(void (*new_check)(void));

static int calls;
static void (*check)(void);

/* Sets what is called before each fork, after memory was allocated and freed there. */
void early_set_check(void (*new_check)(void))
{
    check = new_check;
}

/* How often a fork handler has run. */
int early_calls(void)
{
    return calls;
}

static void allocate(void)
{
    void *volatile slots[50];
    calls++;
    for (size_t i = 0; i < 50; i++)
        slots[i] = malloc(i * 300);
    for (size_t i = 0; i < 50; i++)
        free(slots[i]);
    free(realloc(calloc(10, 100), 50000));
}

static void before_fork(void)
{
    allocate();
    if (check != NULL)
        check();
}

__attribute__((constructor)) static void start(void)
{
    allocate();
    if (pthread_atfork(before_fork, allocate, allocate) != 0)
        abort();
    calls = 0;
}
