/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: regress.replay FOLDER-OR-FILE...
 * Replays each .ops file, named or in a folder named, over every backend beside the oracle. A fault
 * that was found becomes a file there; the format is described in support/ops.h.
 */
#include "support/trial.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { MOST_OPS = 1 << 16, MOST_TESTS = 4096, NAME = 256 };

struct replay {
    const char *path;
    const struct acre_subject *backend;
    char name[NAME];
};

static struct replay replays[MOST_TESTS];
static struct CMUnitTest tests[MOST_TESTS];
static size_t count;

static size_t read_ops(const char *path, struct op *ops)
{
    size_t line;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    size_t got = ops_read(file, ops, MOST_OPS, &line);
    fclose(file);
    if (got == SIZE_MAX)
        fail_msg("%s:%zu: not an operation", path, line);
    if (got == 0)
        fail_msg("%s: no operation", path);
    return got;
}

static void replays_without_fault(void **state)
{
    const struct replay *replay = *state;
    struct op *ops = malloc(MOST_OPS * sizeof *ops);
    struct trial trial;
    assert_non_null(ops);
    size_t got = read_ops(replay->path, ops);
    if (!trial_run(replay->backend, ops, got, &trial)) {
        char text[OP_TEXT] = "the end";
        if (trial.done < got)
            op_print(text, &ops[trial.done]);
        fail_msg("operation %zu, %s: %s", trial.done + 1, text, trial.failure);
    }
    free(ops);
}

static void add_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; backends[i] != NULL && count < MOST_TESTS; i++) {
        struct replay *replay = &replays[count];
        replay->path = path;
        replay->backend = backends[i];
        snprintf(replay->name, NAME, "%s: %s", backends[i]->name, slash != NULL ? slash + 1 : path);
        tests[count++] =
            (struct CMUnitTest){ replay->name, replays_without_fault, NULL, NULL, replay };
    }
}

static void add_folder(const char *folder, glob_t *found)
{
    char pattern[4096];
    snprintf(pattern, sizeof pattern, "%s/*.ops", folder);
    if (glob(pattern, 0, NULL, found) != 0)
        return;
    for (size_t i = 0; i < found->gl_pathc; i++)
        add_file(found->gl_pathv[i]);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        static glob_t found[16];
        struct stat about;
        if (i < 16 && stat(argv[i], &about) == 0 && S_ISDIR(about.st_mode))
            add_folder(argv[i], &found[i]);
        else
            add_file(argv[i]);
    }
    if (count == 0) {
        fprintf(stderr, "usage: %s FOLDER-OR-FILE... (no .ops file was found)\n", argv[0]);
        return 2;
    }
    return _cmocka_run_group_tests("replay", tests, count, NULL, NULL);
}
