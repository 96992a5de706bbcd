/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Programs with threads, as their malloc sees them. usage: threads PATTERN [THREADS [STEPS]]
 *   local      each thread allocates and frees blocks of its own
 *   exchange   blocks are handed from thread to thread: half of all frees are of another's blocks
 *   pairs      producers allocate, consumers free
 *   server     a working set is handed from each thread to its successor
 *   spawn      threads that live for a few hundred blocks each
 *   mixed      as local, with one block in a hundred of up to 1 MiB
 *   growth     buffers grow by realloc to 256 KiB, among small blocks
 * Sizes are 16 to 1,015 bytes, one in a hundred up to 50,000. Prints a sum that does not depend on
 * the malloc.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1024, QUEUE = 256, LIVES = 50, MOST_THREADS = 64 };

static size_t thread_count = 2;
static size_t step_count = 2000000;
static _Atomic(unsigned char *) shared[SLOTS];
static _Atomic uint64_t total;

static unsigned draw(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* A block that holds a number; the sum of all numbers is what the program prints. */
static unsigned char *make(unsigned *seed)
{
    unsigned number = draw(seed);
    size_t size = 16 + (number % 100 == 0 ? number % 50000 : number % 1000);
    unsigned char *block = malloc(size);
    if (block == NULL)
        abort();
    memcpy(block, &number, sizeof number);
    block[size - 1] = (unsigned char)number;
    return block;
}

static uint64_t end(unsigned char *block)
{
    unsigned number = 0;
    if (block == NULL)
        return 0;
    memcpy(&number, block, sizeof number);
    free(block);
    return number & 0xffff;
}

static void *local(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    unsigned char *own[SLOTS] = { NULL };
    uint64_t sum = 0;
    for (size_t i = 0; i < step_count; i++) {
        unsigned slot = draw(&seed) % SLOTS;
        sum += end(own[slot]);
        own[slot] = make(&seed);
    }
    for (size_t i = 0; i < SLOTS; i++)
        sum += end(own[i]);
    total += sum;
    return NULL;
}

static void *exchange(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    uint64_t sum = 0;
    for (size_t i = 0; i < step_count; i++) {
        unsigned slot = draw(&seed) % SLOTS;
        sum += end(atomic_exchange(&shared[slot], make(&seed)));
    }
    total += sum;
    return NULL;
}

/* A queue with one producer and one consumer. */
struct queue {
    _Atomic size_t head;
    char gap[64];
    _Atomic size_t tail;
    char gap2[64];
    unsigned char *blocks[QUEUE];
};

static struct queue queues[MOST_THREADS / 2];

static void produce(struct queue *queue, unsigned seed)
{
    for (size_t i = 0; i < step_count; i++) {
        while (i - atomic_load(&queue->tail) >= QUEUE)
            sched_yield();
        queue->blocks[i % QUEUE] = make(&seed);
        atomic_store(&queue->head, i + 1);
    }
}

static void consume(struct queue *queue)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < step_count; i++) {
        while (atomic_load(&queue->head) == i)
            sched_yield();
        sum += end(queue->blocks[i % QUEUE]);
        atomic_store(&queue->tail, i + 1);
    }
    total += sum;
}

static void *pairs(void *arg)
{
    size_t number = (uintptr_t)arg - 1;
    if (number % 2 == 0)
        produce(&queues[number / 2], (unsigned)number);
    else
        consume(&queues[number / 2]);
    return NULL;
}

struct life {
    unsigned char *set[SLOTS];
    unsigned seed;
    int lives;
};

static void *serve(void *arg)
{
    struct life *life = arg;
    uint64_t sum = 0;
    for (size_t i = 0; i < step_count / LIVES; i++) {
        unsigned slot = draw(&life->seed) % SLOTS;
        sum += end(life->set[slot]);
        life->set[slot] = make(&life->seed);
    }
    for (size_t i = 0; life->lives == 1 && i < SLOTS; i++)
        sum += end(life->set[i]);
    total += sum;
    return NULL;
}

/* Each life of the server is a thread of its own. */
static void *server(void *arg)
{
    struct life *life = calloc(1, sizeof *life);
    if (life == NULL)
        abort();
    life->seed = (unsigned)(uintptr_t)arg;
    for (life->lives = LIVES; life->lives > 0; life->lives--) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, life) != 0 || pthread_join(thread, NULL) != 0)
            abort();
    }
    free(life);
    return NULL;
}

/* A thread of a few hundred blocks. */
static void *live_shortly(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    unsigned char *own[64] = { NULL };
    uint64_t sum = 0;
    for (size_t i = 0; i < 400; i++) {
        unsigned slot = draw(&seed) % 64;
        sum += end(own[slot]);
        own[slot] = make(&seed);
    }
    for (size_t i = 0; i < 64; i++)
        sum += end(own[i]);
    total += sum;
    return NULL;
}

static void *spawn(void *arg)
{
    for (size_t i = 0; i < step_count / 400; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, live_shortly, (void *)((uintptr_t)arg + i * 64)) != 0 ||
            pthread_join(thread, NULL) != 0)
            abort();
    }
    return NULL;
}

/* One block in a hundred is large; every page of it is touched. */
static unsigned char *make_mixed(unsigned *seed)
{
    size_t size = 65536 + draw(seed) % (15 * 65536);
    if (draw(seed) % 100 != 0)
        return make(seed);
    unsigned char *block = malloc(size);
    if (block == NULL)
        abort();
    for (size_t i = 0; i + sizeof *seed <= size; i += 4096)
        memcpy(block + i, seed, sizeof *seed);
    return block;
}

static void *mixed(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    unsigned char *own[SLOTS / 8] = { NULL };
    uint64_t sum = 0;
    for (size_t i = 0; i < step_count / 4; i++) {
        unsigned slot = draw(&seed) % (SLOTS / 8);
        sum += end(own[slot]);
        own[slot] = make_mixed(&seed);
    }
    for (size_t i = 0; i < SLOTS / 8; i++)
        sum += end(own[i]);
    total += sum;
    return NULL;
}

/* A buffer that grows by an eighth and 64 bytes at a time. */
static uint64_t grow(unsigned *seed)
{
    unsigned char *buffer = make(seed);
    for (size_t size = 2048; size < 262144; size += size / 8 + 64) {
        free(malloc(draw(seed) % 500));
        buffer = realloc(buffer, size < 51200 ? 51200 : size);
        if (buffer == NULL)
            abort();
        buffer[size - 1] = 1;
    }
    return end(buffer);
}

static void *growth(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    uint64_t sum = 0;
    for (size_t i = 0; i < step_count / 200; i++)
        sum += grow(&seed);
    total += sum;
    return NULL;
}

static void run(void *(*pattern)(void *))
{
    pthread_t threads[MOST_THREADS];
    for (size_t i = 0; i < thread_count; i++)
        if (pthread_create(&threads[i], NULL, pattern, (void *)(i + 1)) != 0)
            abort();
    for (size_t i = 0; i < thread_count; i++)
        if (pthread_join(threads[i], NULL) != 0)
            abort();
    for (size_t i = 0; i < SLOTS; i++)
        total += end(shared[i]);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void *(*run)(void *);
    } patterns[] = { { "local", local }, { "exchange", exchange }, { "pairs", pairs },
        { "server", server }, { "spawn", spawn }, { "mixed", mixed }, { "growth", growth } };
    if (count > 2)
        thread_count = strtoul(arguments[2], NULL, 10);
    if (count > 3)
        step_count = strtoul(arguments[3], NULL, 10);
    for (size_t i = 0; count > 1 && i < sizeof patterns / sizeof *patterns; i++)
        if (strcmp(patterns[i].name, arguments[1]) == 0 && thread_count <= MOST_THREADS) {
            run(patterns[i].run);
            printf("%llu\n", (unsigned long long)total);
            return 0;
        }
    fprintf(stderr,
        "usage: threads local|exchange|pairs|server|spawn|mixed|growth [THREADS [STEPS]]\n");
    return 2;
}
