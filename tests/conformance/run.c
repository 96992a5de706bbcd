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

static void add_scenes(
    const struct kind *kind, const struct scene *scene, size_t turn, size_t every)
{
    for (; scene->name != NULL; scene++, turn++) {
        if (turn % every != 0)
            continue;
        struct part *part = &parts[count];
        part->kind = kind;
        part->scene = scene;
        snprintf(part->name, NAME, "%s: %s", kind->name, scene->name);
        tests[count++] = (struct CMUnitTest){ part->name, run_part, NULL, NULL, part };
    }
}

static void add_kind(const struct kind *kind, const struct scene *const *lists, size_t list_count,
    size_t turn, size_t every)
{
    for (size_t i = 0; i < list_count; i++)
        add_scenes(kind, lists[i], turn, every);
}

/* All kinds. Under valgrind, where all takes fifty times as long, a kind has every eighth scene,
 * the next kind the ones behind those. */
static void add_kinds(const struct scene *const *lists, size_t list_count)
{
    size_t every = getenv("ACRE_VALGRIND") != NULL ? 8 : 1;
    for (size_t i = 0; kinds[i] != NULL; i++)
        add_kind(kinds[i], lists, list_count, i, every);
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
        add_kind(only, lists, list_count, 0, 1);
    else
        add_kinds(lists, list_count);
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    if (bad_pointers_left_out > 0)
        print_message("%zu bad pointers left out: %s\n", bad_pointers_left_out, NOT_EXACT);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
