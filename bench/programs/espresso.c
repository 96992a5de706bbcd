/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A program that lives off malloc as the classic espresso does: it complements covers of logic
 * functions by Shannon's expansion, as two-level minimisers do (Brayton et al., 1984), with cubes
 * and lists of cubes of many sizes that live for a call or two.
 * usage: espresso [ROUNDS]    prints a checksum; every complement is proven on random points
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { variables = 24 };

/* A product of literals: bit v of `may[b]` says that variable v may have the value b. */
struct cube {
    uint32_t may[2];
    char name[]; /* As minimisers print it; its length varies. */
};

struct cover {
    size_t count, room;
    struct cube **cubes;
};

static uint64_t state = 1;

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static void *must(void *ptr)
{
    if (ptr == NULL)
        exit(1);
    return ptr;
}

static struct cube *make(uint32_t may0, uint32_t may1)
{
    size_t length = variables;
    while (length > 0 && (may0 & may1) >> (length - 1) & 1)
        length--;
    struct cube *cube = must(malloc(sizeof *cube + length + 1));
    cube->may[0] = may0;
    cube->may[1] = may1;
    for (size_t v = 0; v < length; v++)
        cube->name[v] = "x01-"[(may0 >> v & 1) + 2 * (may1 >> v & 1)];
    cube->name[length] = '\0';
    return cube;
}

static void append(struct cover *cover, struct cube *cube)
{
    if (cover->count == cover->room) {
        cover->room = cover->room != 0 ? cover->room * 2 : 4;
        cover->cubes = must(realloc(cover->cubes, cover->room * sizeof(struct cube *)));
    }
    cover->cubes[cover->count++] = cube;
}

static void discard(struct cover *cover)
{
    for (size_t i = 0; i < cover->count; i++)
        free(cover->cubes[i]);
    free(cover->cubes);
    free(cover);
}

static struct cover *empty(void)
{
    return must(calloc(1, sizeof(struct cover)));
}

static const uint32_t all = (1u << variables) - 1;

/* What the cover is where a variable has a value. */
static struct cover *cofactor(const struct cover *cover, int variable, int value)
{
    struct cover *half = empty();
    uint32_t bit = 1u << variable;
    for (size_t i = 0; i < cover->count; i++) {
        const struct cube *cube = cover->cubes[i];
        if (cube->may[value] & bit)
            append(half, make(cube->may[0] | bit, cube->may[1] | bit));
    }
    return half;
}

/* The variable that most cubes depend on; -1 when a cube depends on none. */
static int splitter(const struct cover *cover)
{
    int best = -1;
    size_t most = 0;
    for (int v = 0; v < variables; v++) {
        size_t found = 0;
        for (size_t i = 0; i < cover->count; i++)
            found += (cover->cubes[i]->may[0] & cover->cubes[i]->may[1]) >> v & 1 ? 0 : 1;
        if (found > most) {
            most = found;
            best = v;
        }
    }
    return best;
}

static int covers_all(const struct cover *cover)
{
    for (size_t i = 0; i < cover->count; i++)
        if ((cover->cubes[i]->may[0] & cover->cubes[i]->may[1]) == all)
            return 1;
    return 0;
}

/* The cubes of a half, bound to the value, join the whole. */
static void merge(struct cover *whole, const struct cover *half, int variable, int value)
{
    uint32_t not_bit = ~(1u << variable);
    for (size_t i = 0; i < half->count; i++) {
        uint32_t may[2] = { half->cubes[i]->may[0], half->cubes[i]->may[1] };
        may[!value] &= not_bit;
        append(whole, make(may[0], may[1]));
    }
}

static struct cover *complement(const struct cover *cover)
{
    struct cover *whole = empty();
    if (covers_all(cover))
        return whole;
    if (cover->count == 0) {
        append(whole, make(all, all));
        return whole;
    }
    int variable = splitter(cover);
    for (int value = 0; value < 2; value++) {
        struct cover *half = cofactor(cover, variable, value);
        struct cover *opposite = complement(half);
        merge(whole, opposite, variable, value);
        discard(half);
        discard(opposite);
    }
    return whole;
}

static int holds(const struct cover *cover, uint32_t point)
{
    for (size_t i = 0; i < cover->count; i++)
        if (((cover->cubes[i]->may[1] | ~point) & (cover->cubes[i]->may[0] | point) & all) == all)
            return 1;
    return 0;
}

static struct cover *random_cover(size_t count)
{
    struct cover *cover = empty();
    while (count-- > 0) {
        uint32_t may[2] = { all, all };
        for (uint32_t literals = 3 + draw(6); literals > 0; literals--)
            may[draw(2)] &= ~(1u << draw(variables));
        append(cover, make(may[0], may[1]));
    }
    return cover;
}

int main(int count, char **arguments)
{
    long rounds = count > 1 ? strtol(arguments[1], NULL, 10) : 60;
    size_t sum = 0;
    for (long i = 0; i < rounds; i++) {
        struct cover *cover = random_cover(10 + draw(15));
        struct cover *opposite = complement(cover);
        for (int n = 0; n < 1000; n++) {
            uint32_t point = draw(1u << variables);
            if (holds(cover, point) == holds(opposite, point)) {
                fputs("espresso: a point in both or in none\n", stderr);
                return 1;
            }
        }
        sum = sum * 31 + opposite->count;
        discard(cover);
        discard(opposite);
    }
    printf("%ld covers, checksum %zx\n", rounds, sum);
    return 0;
}
