/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * Finding the functions behind this library, and serving the dynamic linker meanwhile: dlsym may
 * allocate before it can say where malloc is.
 */
#include "record_real.h"

#include <dlfcn.h>
#include <sched.h>
#include <stdatomic.h>

enum { EARLY_SIZE = 16384, EARLY_ALIGN = 16 };

struct record_real record_real;

static _Alignas(EARLY_ALIGN) unsigned char early[EARLY_SIZE];
static _Atomic size_t early_used;

enum finding { NOT_FOUND, FINDING, FOUND };

static _Atomic int finding;

void *record_early_alloc(size_t size)
{
    size_t rounded = (size + EARLY_ALIGN - 1) & ~(size_t)(EARLY_ALIGN - 1);
    size_t at;

    if (size > EARLY_SIZE)
        return NULL;
    if (rounded == 0)
        rounded = EARLY_ALIGN;
    at = atomic_fetch_add(&early_used, rounded);
    return at <= EARLY_SIZE - rounded ? early + at : NULL;
}

bool record_is_early(const void *block)
{
    return (uintptr_t)block - (uintptr_t)early < EARLY_SIZE;
}

size_t record_early_room(const void *block)
{
    return (size_t)(early + EARLY_SIZE - (const unsigned char *)block);
}

/* dlsym returns an object pointer; POSIX lets it be copied into a function pointer's bytes. */
#define FIND(name) *(void **)&record_real.name = dlsym(RTLD_NEXT, #name)

static void look_up(void)
{
    FIND(calloc);
    FIND(realloc);
    FIND(free);
    FIND(memalign);
    FIND(aligned_alloc);
    FIND(posix_memalign);
    FIND(valloc);
    FIND(pvalloc);
    FIND(malloc);
}

RECORD_COLD bool record_find_real(void)
{
    int expected = NOT_FOUND;

    if (record_self.finding)
        return false;
    if (atomic_compare_exchange_strong(&finding, &expected, FINDING)) {
        record_self.finding = true;
        look_up();
        record_self.finding = false;
        atomic_store(&finding, FOUND);
    }
    while (atomic_load(&finding) != FOUND)
        sched_yield();
    return true;
}
