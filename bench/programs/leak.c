/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A cache that is never emptied, as its malloc sees it. usage: leak [REQUESTS]
 * Every request makes an entry and a temporary block; one entry in four stays for good. Prints a
 * sum that does not depend on the malloc.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

struct entry {
    struct entry *next;
    unsigned key;
    size_t size;
    unsigned char *name, *value;
};

static struct entry *buckets[BUCKETS];
static uint64_t state = 1;

static unsigned draw(unsigned bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % bound;
}

static void *take(size_t size)
{
    unsigned char *block = malloc(size);
    if (block == NULL)
        abort();
    memset(block, (int)size & 0xFF, size);
    return block;
}

static struct entry *make_entry(unsigned key)
{
    struct entry *made = take(sizeof *made);
    made->key = key;
    made->size = 32 + draw(400);
    made->name = take(8 + draw(24));
    made->value = take(made->size);
    return made;
}

static void drop_entry(struct entry *gone)
{
    free(gone->name);
    free(gone->value);
    free(gone);
}

static uint64_t look_up(unsigned key)
{
    const struct entry *at = buckets[key % BUCKETS];
    for (int steps = 0; at != NULL && steps < 8; steps++, at = at->next)
        if (at->key == key)
            return at->value[at->size - 1];
    return 0;
}

int main(int argc, char **argv)
{
    long requests = argc > 1 ? atol(argv[1]) : 500000;
    uint64_t sum = 0;
    for (long i = 0; i < requests; i++) {
        unsigned key = draw(1u << 20);
        struct entry *made = make_entry(key);
        unsigned char *scratch = take(64 + draw(512));
        sum += scratch[7] + look_up(draw(1u << 20));
        free(scratch);
        if (draw(4) != 0) {
            drop_entry(made);
            continue;
        }
        made->next = buckets[key % BUCKETS];
        buckets[key % BUCKETS] = made;
    }
    printf("%llu\n", (unsigned long long)sum);
    return 0;
}
