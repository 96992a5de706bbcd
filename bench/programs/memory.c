/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * How much memory goes back: MEBIBYTES of blocks of mixed sizes are allocated and touched, and
 * PERCENT of them freed in random order. usage: memory [MEBIBYTES [PERCENT]] Prints, in MiB: the
 * bytes that stay live; the resident size when all were live, after the last free, a second and
 * some small requests later, and after malloc_trim; and the floor: the pages with a live byte, if
 * all blocks lay end to end, by size, without a gap. What the program's own tables take is
 * subtracted.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 1 << 22, MIB = 1 << 20 };

static void *blocks[MOST];
static uint32_t sizes[MOST];
static unsigned seed = 1;

static unsigned draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static long resident(void)
{
    char line[128] = "";
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "%*s %ld", &pages);
    if (file != NULL)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024) / 1024;
}

static size_t draw_size(void)
{
    unsigned kind = draw() % 100;
    return kind < 90 ? 16 + draw() % 1000 : kind < 99 ? 1000 + draw() % 15000 : draw() % 200000;
}

static size_t fill(size_t bytes)
{
    size_t count = 0;
    for (size_t used = 0; used < bytes && count < MOST; count++) {
        sizes[count] = (uint32_t)draw_size();
        used += sizes[count];
        blocks[count] = malloc(sizes[count]);
        if (blocks[count] == NULL)
            abort();
        memset(blocks[count], 1, sizes[count]);
    }
    return count;
}

/* Frees so many in a hundred; what stays. */
static size_t free_some(size_t count, unsigned percent)
{
    size_t live = 0;
    for (size_t i = 0; i < count; i++) {
        size_t other = draw() % count;
        void *block = blocks[i];
        uint32_t size = sizes[i];
        blocks[i] = blocks[other];
        sizes[i] = sizes[other];
        blocks[other] = block;
        sizes[other] = size;
    }
    for (size_t i = 0; i < count; i++)
        if (i * 100 < count * percent)
            free(blocks[i]);
        else
            live += sizes[i];
    return live;
}

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

/* A malloc cannot know which blocks will be freed, and cannot move the others. Blocks of one size
 * share pages with as few others as possible when those are of the same size. */
static size_t floor_bytes(size_t count, unsigned percent)
{
    static uint64_t order[MOST]; /* size, chance, whether it is live */
    size_t pages = 0;
    size_t next = 0; /* the first page that is not counted */
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint64_t)sizes[i] << 32 | (uint64_t)draw() << 1 | (i * 100 >= count * percent);
    qsort(order, count, sizeof *order, compare);
    for (size_t i = 0, at = 0; i < count; i++) {
        size_t size = order[i] >> 32;
        size_t first = at / page > next ? at / page : next;
        at += size;
        if ((order[i] & 1) != 0 && (at - 1) / page + 1 > first) {
            next = (at - 1) / page + 1;
            pages += next - first;
        }
    }
    return pages * page;
}

int main(int argc, char **argv)
{
    size_t mebibytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
    unsigned percent = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 90;
    memset(blocks, 1, sizeof blocks);
    memset(sizes, 1, sizeof sizes);
    long own = resident();
    size_t count = fill(mebibytes * MIB);
    long full = resident() - own;
    size_t live = free_some(count, percent);
    long freed = resident() - own;
    for (int i = 0; i < 10; i++) {
        usleep(100000);
        free(malloc(100));
    }
    long later = resident() - own;
    malloc_trim(0);
    long trimmed = resident() - own;
    printf("%zu %ld %ld %ld %ld %zu\n", live / MIB, full, freed, later, trimmed,
        floor_bytes(count, percent) / MIB);
    return 0;
}
