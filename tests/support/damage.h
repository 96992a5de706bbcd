/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Damages metadata in many ways, one at a time. Whatever a checker finds, it must return; what it
 * must name is named; and once the damage is undone, all is sound.
 */
#ifndef ACRE_TESTS_DAMAGE_H
#define ACRE_TESTS_DAMAGE_H

#include <acre/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct damage {
    struct acre_check_result (*check)(void);
    void (*seal)(void); /* after each change: makes checksums those of the fields; null: none */
    bool all;           /* each change breaks an invariant */
    size_t named;       /* changes that did */
};

/* Writes a value over a field, expects what there is to expect, and undoes it. */
static inline void damage_with(
    struct damage *damage, void *field, const void *value, size_t size, size_t at)
{
    unsigned char was[sizeof(uint64_t)];
    memcpy(was, field, size);
    if (memcmp(was, value, size) == 0)
        return;
    memcpy(field, value, size);
    if (damage->seal != NULL)
        damage->seal();
    struct acre_check_result found = damage->check();
    memcpy(field, was, size);
    if (damage->seal != NULL)
        damage->seal();
    if (found.invariant == NULL && damage->all)
        fail_msg("change %zu of a field of %zu bytes is not named", at, size);
    damage->named += found.invariant != NULL;
    found = damage->check();
    if (found.invariant != NULL)
        fail_msg("%s, though the damage is undone", found.invariant);
}

static inline void damage_with_number(
    struct damage *damage, void *field, uint64_t value, size_t size)
{
    uint32_t word = (uint32_t)value;
    uint16_t half = (uint16_t)value;
    uint8_t byte = (uint8_t)value;
    const void *from = size == sizeof byte   ? (const void *)&byte
                       : size == sizeof half ? (const void *)&half
                       : size == sizeof word ? (const void *)&word
                                             : (const void *)&value;
    damage_with(damage, field, from, size, (size_t)value);
}

static inline uint64_t damage_number_in(const void *field, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) { /* in the machine's own order */
        const uint16_t one = 1;
        bool little = *(const unsigned char *)&one == 1;
        value |= (uint64_t)((const unsigned char *)field)[little ? i : size - 1 - i] << (8 * i);
    }
    return value;
}

/* A number: small ones, the largest, those beside it, each bit flipped. */
static inline void damage_number(struct damage *damage, void *field, size_t size)
{
    uint64_t was = damage_number_in(field, size);
    const uint64_t values[] = { 0, 1, 2, 3, ~(uint64_t)0, ~(uint64_t)0 / 2, was + 1, was - 1,
        was * 2, was / 2, 0 - was };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        damage_with_number(damage, field, values[i], size);
    for (unsigned bit = 0; bit < 8 * size; bit++)
        damage_with_number(damage, field, was ^ (uint64_t)1 << bit, size);
}

/* A pointer: each of the others. */
static inline void damage_link(struct damage *damage, void *field, void *const *links, size_t count)
{
    for (size_t i = 0; i < count; i++)
        damage_with(damage, field, &links[i], sizeof(void *), i);
}

#define DAMAGE_NUMBER(damage, field) damage_number(damage, &(field), sizeof(field))
#define DAMAGE_LINK(damage, field, links)                                                          \
    damage_link(damage, &(field), links, sizeof(links) / sizeof *(links))

#endif
