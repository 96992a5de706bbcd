/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A bump allocator whose smallest pool can be told on paper: 64 bytes, and each request rounded up
 * to 16. A freed block is lost unless it was the last. ACRE_TEST_FAULT in the environment makes it
 * misbehave in one of the ways below.
 */
#include <acre/plugin.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROL_SIZE 64u

struct bump {
    uintptr_t next;
    uintptr_t end;
    uintptr_t last;
    unsigned long allocs;
    const char *fault;
};

static int has_fault(const struct bump *bump, const char *name)
{
    return bump->fault && strcmp(bump->fault, name) == 0;
}

static void *create(void *pool, size_t size)
{
    struct bump *bump = pool;
    if (size < CONTROL_SIZE)
        return NULL;
    *bump = (struct bump){ (uintptr_t)pool + CONTROL_SIZE, (uintptr_t)pool + size, 0, 0,
        getenv("ACRE_TEST_FAULT") };
    return bump;
}

/* Says so on the FIFO that ACRE_TEST_HANGS names, if there is one, and stays. */
static void hang(void)
{
    const char *path = getenv("ACRE_TEST_HANGS");
    int fifo = path != NULL ? open(path, O_WRONLY) : -1;
    if (fifo >= 0 && write(fifo, "", 1) == 1)
        close(fifo);
    for (;;)
        pause();
}

/* What a faulty allocator returns in place of the block at `start`. */
static void *spoil(const struct bump *bump, uintptr_t start, size_t align)
{
    if (bump->allocs < 50)
        return (void *)start;
    if (has_fault(bump, "overlap"))
        return (void *)(start - align);
    if (has_fault(bump, "misaligned"))
        return (void *)(start + 8);
    if (has_fault(bump, "outside"))
        return (void *)((bump->end + 4095) & ~(uintptr_t)4095);
    if (has_fault(bump, "crash"))
        abort();
    if (has_fault(bump, "hang"))
        hang();
    return (void *)start;
}

static void *alloc(void *self, size_t size, size_t align)
{
    struct bump *bump = self;
    uintptr_t start = (bump->next + align - 1) & ~(uintptr_t)(align - 1);
    size_t rounded = (size + 15) & ~(size_t)15;
    if (has_fault(bump, "refuse") || start > bump->end || rounded > bump->end - start)
        return NULL;
    bump->allocs++;
    bump->next = start + rounded;
    bump->last = start;
    return spoil(bump, start, align);
}

static void dealloc(void *self, void *ptr, size_t size, size_t align)
{
    struct bump *bump = self;
    (void)align;
    if (has_fault(bump, "scribble"))
        memset((char *)ptr - 16, 0, size + 16);
    if ((uintptr_t)ptr == bump->last)
        bump->next = bump->last;
}

static void *resize(void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    struct bump *bump = self;
    void *moved = alloc(self, new_size, align);
    size_t kept = old_size < new_size ? old_size : new_size;
    if (moved && !has_fault(bump, "forget"))
        memmove(moved, ptr, kept);
    return moved;
}

ACRE_PLUGIN_EXPORT const struct acre_plugin acre_plugin = {
    .abi = ACRE_PLUGIN_ABI,
    .name = "bump",
    .version = "1",
    .create = create,
    .alloc = alloc,
    .dealloc = dealloc,
    .realloc = resize,
};
