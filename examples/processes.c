/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A heap in memory that two processes share: allocator, lock and count lie in the mapping itself.
 * Both build a list at once, the parent takes both down; each drops its reference. */
#include <acre/lock_pthread.h>
#include <acre/shared.h>
#include <acre/tlsf.h>

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1 << 20, NODES = 1000 };

struct node {
    struct node *next;
    int number;
};

/* The first bytes of the mapping; both processes have it at the same address. */
struct segment {
    pthread_mutex_t mutex;
    struct acre_tlsf tlsf;
    struct acre_shared shared;
    struct node *lists[2];
};

static void unmap(void *arg, void *pool, size_t size, size_t live_blocks)
{
    (void)arg, (void)live_blocks;
    munmap(pool, size);
}

static enum acre_status set_up(struct segment *segment)
{
    const struct acre_shared_pool pool = { segment, SIZE, unmap, NULL };
    pthread_mutexattr_t across;
    pthread_mutexattr_init(&across);
    pthread_mutexattr_setpshared(&across, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&segment->mutex, &across);
    if (acre_tlsf_init(&segment->tlsf, segment + 1, SIZE - sizeof *segment) != ACRE_OK)
        return ACRE_NO_MEMORY;
    return acre_shared_make_threadsafe(&segment->shared, acre_tlsf_bytes(&segment->tlsf), pool,
        acre_locker_pthread(&segment->mutex));
}

static void build(struct acre_bytes heap, struct node **list)
{
    struct node *node;
    for (int i = 0; i < NODES && (node = ACRE_NEW(heap, struct node)); i++) {
        *node = (struct node){ *list, i };
        *list = node;
    }
}

int main(void)
{
    int status, sum = 0;
    struct segment *segment =
        mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (segment == MAP_FAILED || set_up(segment) != ACRE_OK)
        return 1;
    struct acre_bytes heap = acre_shared_bytes(&segment->shared);
    pid_t child = acre_shared_clone(&segment->shared) == ACRE_OK ? fork() : -1;
    build(heap, &segment->lists[child == 0]);
    if (child == 0)
        _exit(acre_shared_drop(&segment->shared).status != ACRE_OK);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        return 1;
    for (int i = 0; i < 2; i++)
        for (struct node *node = segment->lists[i], *next; node != NULL; node = next) {
            next = node->next;
            sum += node->number;
            acre_dealloc(heap, node);
        }
    struct acre_drop last = acre_shared_drop(&segment->shared);
    printf("two lists add up to %d; %zu blocks are left\n", sum, last.live_blocks);
    return sum == NODES * (NODES - 1) && last.count == 0 && last.live_blocks == 0 ? 0 : 1;
}
