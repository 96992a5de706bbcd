/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_TESTS = 2048, NAME = 128 };

struct part {
    const struct kind *kind;
    const struct scene *scene;
    char name[NAME];
};

static struct part parts[MOST_TESTS];
static struct CMUnitTest tests[MOST_TESTS];
static size_t count;

static void run_part(void **state)
{
    const struct part *part = *state;
    if ((part->kind->caps & part->scene->needs) != part->scene->needs) {
        print_message("%s: %s\n", part->name, part->scene->why);
        skip();
    }
    if (part->scene->arena > part->kind->arena_most) {
        print_message("%s: it has no room for that region's metadata\n", part->name);
        skip();
    }
    struct bed bed = { .kind = part->kind };
    size_t arena = scaled(&bed, part->scene->arena);
    if (!arena_fits(arena, arena)) {
        print_message("%s: this machine has not so much memory\n", part->name);
        skip();
    }
    bed_open(&bed, part->kind, arena, arena);
    part->scene->run(&bed);
    bed_close(&bed);
}

/* Under valgrind, where all takes fifty times as long, a kind has every eighth scene, the next kind
 * the ones behind those. */
static bool is_left_out(size_t turn)
{
    return getenv("ACRE_VALGRIND") != NULL && turn % 8 != 0;
}

static void add_scenes(const struct kind *kind, const struct scene *scene, size_t turn)
{
    for (; scene->name != NULL; scene++, turn++) {
        if (is_left_out(turn))
            continue;
        struct part *part = &parts[count];
        part->kind = kind;
        part->scene = scene;
        snprintf(part->name, NAME, "%s: %s", kind->name, scene->name);
        tests[count++] = (struct CMUnitTest){ part->name, run_part, NULL, NULL, part };
    }
}

static void add_kind(
    const struct kind *kind, const struct scene *const *lists, size_t list_count, size_t turn)
{
    for (size_t i = 0; i < list_count; i++)
        add_scenes(kind, lists[i], turn);
}

int run_scenes(
    const char *group, const struct scene *const *lists, size_t list_count, int argc, char **argv)
{
    const struct kind *only = argc == 2 ? kind_find(argv[1]) : NULL;
    if (argc > 2 || (argc == 2 && only == NULL)) {
        fprintf(stderr, "usage: %s [KIND]\n", argv[0]);
        return 2;
    }
    count = 0;
    if (only != NULL)
        add_kind(only, lists, list_count, 0);
    for (size_t i = 0; only == NULL && kinds[i] != NULL; i++)
        add_kind(kinds[i], lists, list_count, i);
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    if (bad_pointers_left_out > 0)
        print_message("%zu bad pointers left out: %s\n", bad_pointers_left_out, NOT_EXACT);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
