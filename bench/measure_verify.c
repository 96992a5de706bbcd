/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Runs the script twice with every block filled by a pattern of its own and checked before it is
 * given up, so that what is timed later is known to work; and notes how far resident memory grew.
 */
#include "clock.h"
#include "measures.h"

#include <stdio.h>
#include <string.h>

/* A page's worth at each end is filled, and a byte on every page between. */
enum { WHOLE = 4096 };

/* The second time shows that a pass leaves the allocator as fit as it was. */
enum { PASSES = 2 };

/* Contestants that need longer would hold up the run for all. */
static const uint64_t patience_ns = 20000000000;

static uint8_t stamp_of(uint32_t slot)
{
    return (uint8_t)(slot * 37u + 11u);
}

static void stamp(uint8_t *block, size_t size, uint8_t byte)
{
    size_t whole = size < WHOLE ? size : WHOLE;
    memset(block, byte, whole);
    memset(block + size - whole, byte, whole);
    for (size_t at = WHOLE; at < size; at += WHOLE)
        block[at] = byte;
}

/* `size` is at most WHOLE. The first byte is the pattern's, and each other one as the one before.
 */
static bool all_are(const uint8_t *bytes, size_t size, uint8_t byte)
{
    return bytes[0] == byte && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Whether the first `size` bytes, stamped with `stamped` of them there, still hold the pattern. */
static bool intact(const uint8_t *block, size_t size, size_t stamped, uint8_t byte)
{
    size_t whole = size < WHOLE ? size : WHOLE;
    if (!all_are(block, whole, byte))
        return false;
    for (size_t at = WHOLE; at < size; at += WHOLE)
        if (block[at] != byte)
            return false;
    return size != stamped || all_are(block + size - whole, whole, byte);
}

static void complain(struct bench_result *result, const char *what, size_t index)
{
    result->outcome = BENCH_BROKEN;
    snprintf(result->text, sizeof result->text, "%s (operation %zu)", what, index);
}

static bool check_new(
    const struct bench_child *child, size_t index, void *block, struct bench_result *result)
{
    if (!block)
        bench_refused(child, index, result);
    else if ((uintptr_t)block % bench_how_align(bench_hows(child->script)[index]))
        complain(result, "a block is not aligned as asked for", index);
    return result->outcome == BENCH_DONE;
}

static bool verify_alloc(
    const struct bench_child *child, void *self, size_t i, struct bench_result *result)
{
    struct bench_op op = bench_ops(child->script)[i];
    size_t align = bench_how_align(bench_hows(child->script)[i]);
    void *block = child->bound.table->alloc(self, op.size, align);
    if (!check_new(child, i, block, result))
        return false;
    stamp(block, op.size, stamp_of(op.slot));
    child->slots[op.slot] = block;
    return true;
}

static bool verify_dealloc(
    const struct bench_child *child, void *self, size_t i, struct bench_result *result)
{
    struct bench_op op = bench_ops(child->script)[i];
    void *block = child->slots[op.slot];
    if (!intact(block, op.size, op.size, stamp_of(op.slot))) {
        complain(result, "a live block was overwritten", i);
        return false;
    }
    child->bound.table->dealloc(
        self, block, op.size, bench_how_align(bench_hows(child->script)[i]));
    child->slots[op.slot] = NULL;
    return true;
}

static bool verify_realloc(
    const struct bench_child *child, void *self, size_t i, struct bench_result *result)
{
    struct bench_op op = bench_ops(child->script)[i];
    size_t old = bench_olds(child->script)[i];
    size_t align = bench_how_align(bench_hows(child->script)[i]);
    void *block = child->bound.table->realloc(self, child->slots[op.slot], old, op.size, align);
    if (!check_new(child, i, block, result))
        return false;
    if (!intact(block, old < op.size ? old : op.size, old, stamp_of(op.slot))) {
        complain(result, "resizing lost contents", i);
        return false;
    }
    stamp(block, op.size, stamp_of(op.slot));
    child->slots[op.slot] = block;
    return true;
}

static bool verify_op(
    const struct bench_child *child, void *self, size_t i, struct bench_result *result)
{
    switch (bench_how_kind(bench_hows(child->script)[i])) {
    case BENCH_ALLOC:
        return verify_alloc(child, self, i, result);
    case BENCH_DEALLOC:
        return verify_dealloc(child, self, i, result);
    default:
        return verify_realloc(child, self, i, result);
    }
}

/* A figure of this process's memory from the kernel's table, in bytes. */
static double status_bytes(const char *field)
{
    char line[256];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            sscanf(line + strlen(field), ": %lf", &kib);
    if (file)
        fclose(file);
    return kib * 1024;
}

/* Asked from time to time, by processor time. */
static bool out_of_patience(size_t i, uint64_t since, struct bench_result *result)
{
    if (i % 1024 || acre_clock_own_ns() - since < patience_ns)
        return false;
    result->outcome = BENCH_CANNOT;
    snprintf(result->text, sizeof result->text,
        "left out of this workload: verifying it takes more than %d s",
        (int)(patience_ns / 1000000000));
    return true;
}

void bench_measure_verify(const struct bench_child *child, struct bench_result *result)
{
    void *self = bench_instance(child, result);
    double before = status_bytes("VmRSS");
    uint64_t since = acre_clock_own_ns();
    for (int pass = 0; self && pass < PASSES; pass++)
        for (size_t i = 0; i < child->script->count; i++)
            if (out_of_patience(i, since, result) || !verify_op(child, self, i, result))
                return;
    result->value[0] = status_bytes("VmHWM") - before;
}
