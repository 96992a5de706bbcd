/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "registry/nearest.h"

#include <string.h>

#define LONGEST 31
#define FAR_APART 99

static size_t smaller_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment; row[i][j] is the distance from a's first i letters to b's first j. */
size_t acre_edit_distance(const char *a, const char *b)
{
    size_t row[LONGEST + 1][LONGEST + 1];
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    if (a_size > LONGEST || b_size > LONGEST)
        return FAR_APART;
    for (size_t i = 0; i <= a_size; i++) {
        for (size_t j = 0; j <= b_size; j++) {
            if (i == 0 || j == 0) {
                row[i][j] = i + j;
                continue;
            }
            size_t best = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = smaller_of(best, smaller_of(row[i - 1][j], row[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = smaller_of(best, row[i - 2][j - 2] + 1);
            row[i][j] = best;
        }
    }
    return row[a_size][b_size];
}

const char *acre_nearest(const char *word, const char *const *words)
{
    const char *nearest = NULL;
    size_t nearest_distance = 3;
    for (; *words; words++) {
        size_t distance = acre_edit_distance(word, *words);
        if (distance < nearest_distance && 2 * distance < strlen(*words)) {
            nearest = *words;
            nearest_distance = distance;
        }
    }
    return nearest;
}
