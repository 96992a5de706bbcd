/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* One rule in a process of its own, and the shortest way to break it. */
#include "verify/kit.h"

#include "support/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 5, SHRINKING = 10, RUNS = 12, RUN_OPS = 1000 };

/* What parent and child share. */
struct kit_shared {
    bool ended; /* the rule came to its end */
    bool held;
    struct finding finding;
    struct kit_log log;
};

static void not_run(struct kit_verdict *verdict, const char *why)
{
    verdict->outcome = ACRE_RULE_NOT_RUN;
    snprintf(verdict->text, sizeof verdict->text, "%s", why);
}

static void set_limits(size_t arena, unsigned seconds)
{
    trial_limits.arena = arena;
    trial_limits.seconds = seconds > 0 ? seconds : SECONDS;
    trial_limits.shrinking = SHRINKING;
    trial_limits.silent = true;
}

/* A file of the kit from the project's root on, wherever it was compiled. */
static const char *place_of(const char *file)
{
    static const char *const roots[] = { "/tests/", "/verify/" };
    for (size_t i = 0; i < 2; i++) {
        const char *from = strstr(file, roots[i]);
        if (from != NULL)
            return from + 1;
    }
    return file;
}

void kit_print_ops(char *text, size_t room, const struct op *ops, size_t count)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char line[OP_TEXT];
        op_print(line, &ops[i]);
        int size = snprintf(text + used, room - used, "%s\n", line);
        if (size < 0 || (size_t)size >= room - used) {
            text[used] = '\0';
            return;
        }
        used += (size_t)size;
    }
}

/* An expectation quotes its source after kit_names.h was applied to it. */
static void copy_text(char *text, size_t room, const char *from)
{
    static const char mark[] = "acre_kit_";
    size_t used = 0;
    while (*from != '\0' && used + 1 < room) {
        if (strncmp(from, mark, sizeof mark - 1) == 0)
            from += sizeof mark - 1;
        else
            text[used++] = *from++;
    }
    text[used] = '\0';
}

/* ---- a test case ---- */

static void run_in_child(struct kit_shared *shared, const struct acre_subject *subject,
    const struct test_case *test_case)
{
    struct fixture fixture = { .backend = subject };
    size_t arena = scaled(&fixture, test_case->arena);
    trial_limit(&trial_limits);
    shared->held = case_run(kit_logged(subject, &shared->log, arena), test_case, &shared->finding);
    shared->ended = true;
    _exit(EXIT_SUCCESS);
}

/* The rule's own calls, run beside the model and shortened while the model finds a fault in them. */
static bool shorten(
    struct kit_verdict *verdict, const struct acre_subject *subject, const struct kit_log *log)
{
    struct op *ops = malloc(KIT_CALLS * sizeof *ops);
    struct trial trial = { .failure = "" };
    size_t count = ops != NULL ? kit_calls_to_ops(log, ops, KIT_CALLS) : 0;
    bool plain = (subject->caps & ACRE_SUBJECT_PLAIN) != 0;
    trial_limits.arena = log->arena_size * (plain ? 2 : 1);
    bool fails = count > 0 && !trial_run(subject, ops, count, &trial);
    if (fails) {
        count = trial_shrink(subject, ops, count, &trial);
        kit_print_ops(verdict->operations, sizeof verdict->operations, ops, count);
        size_t used = strlen(verdict->operations);
        snprintf(verdict->operations + used, sizeof verdict->operations - used, "# %.200s\n",
            trial.failure);
    }
    free(ops);
    return fails;
}

static void judge(struct kit_verdict *verdict, const struct acre_subject *subject,
    struct kit_shared *shared, int how)
{
    const struct finding *finding = &shared->finding;
    if (shared->ended && shared->held)
        return;
    verdict->outcome = ACRE_RULE_BROKEN;
    if (shared->ended) {
        copy_text(verdict->text, sizeof verdict->text, finding->text);
        snprintf(
            verdict->where, sizeof verdict->where, "%s:%d", place_of(finding->file), finding->line);
    } else {
        trial_ending(verdict->text, sizeof verdict->text, how);
    }
    if (!shorten(verdict, subject, &shared->log))
        kit_calls_print(verdict->operations, sizeof verdict->operations, &shared->log);
}

void kit_case(struct kit_verdict *verdict, const struct acre_subject *subject,
    const struct test_case *test_case, unsigned seconds)
{
    int how = 0;
    memset(verdict, 0, sizeof *verdict);
    struct kit_shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED) {
        not_run(verdict, "no memory to run it in");
        return;
    }
    set_limits(TRIAL_ARENA, seconds);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        run_in_child(shared, subject, test_case);
    if (child < 0 || waitpid(child, &how, 0) != child)
        not_run(verdict, "no process to run it in");
    else
        judge(verdict, subject, shared, how);
    munmap(shared, sizeof *shared);
}

/* ---- the model ---- */

/* A plugin's one region is half of the arena. */
static size_t model_arena(const struct acre_subject *subject)
{
    size_t arena = TRIAL_ARENA;
    if ((subject->caps & ACRE_SUBJECT_PLAIN) != 0)
        arena *= 2 * (subject->arena_scale > 0 ? subject->arena_scale : 1) / 4 + 1;
    size_t power = TRIAL_ARENA;
    while (power < arena)
        power *= 2;
    return power;
}

static void report_run(struct kit_verdict *verdict, const struct acre_subject *subject,
    struct op *ops, size_t count, struct trial *trial)
{
    char first[sizeof trial->failure];
    verdict->outcome = ACRE_RULE_BROKEN;
    memcpy(first, trial->failure, sizeof first);
    count = trial_shrink(subject, ops, count, trial);
    kit_print_ops(verdict->operations, sizeof verdict->operations, ops, count);
    const char *failure = trial->failure[0] != '\0' ? trial->failure : first;
    snprintf(verdict->text, sizeof verdict->text, "%s", failure);
}

void kit_model(struct kit_verdict *verdict, const struct acre_subject *subject,
    const struct acre_verify_options *options)
{
    unsigned runs = options->runs > 0 ? options->runs : RUNS;
    uint64_t seed = options->seed > 0 ? options->seed : 1;
    struct op *ops = malloc(RUN_OPS * sizeof *ops);
    memset(verdict, 0, sizeof *verdict);
    set_limits(model_arena(subject), options->seconds);
    if (ops == NULL)
        not_run(verdict, "no memory to run it in");
    for (unsigned i = 0; ops != NULL && i < runs && verdict->outcome == ACRE_RULE_PASSED; i++) {
        struct trial trial;
        trial_ops(seed + i, ops, RUN_OPS);
        if (!trial_run(subject, ops, RUN_OPS, &trial))
            report_run(
                verdict, subject, ops, trial.done < RUN_OPS ? trial.done + 1 : RUN_OPS, &trial);
    }
    free(ops);
}
