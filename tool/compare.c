/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre compare: which allocator suits a program, with what pool size, and why. */
#include "cli/options.h"
#include "number/number.h"
#include "replay/load.h"
#include "replay/served_pool.h"
#include "tool/allocators.h"
#include "tool/command.h"
#include "tool/compare/advise.h"
#include "tool/compare/gather.h"
#include "tool/compare/print.h"
#include "tool/compare/recording_cost.h"
#include "tool/compare/scenario.h"
#include "tool/compare/source.h"
#include "tool/compare/verdict.h"
#include "tool/compare/verification.h"
#include "tool/import/foreign.h"
#include "tool/record/launch.h"
#include "tool/report/report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Operations replayed for the first verdict, which is to come within seconds. */
#define FIRST_OPS 500000u
/* Runs of the real program on each candidate. */
#define TRIALS 5u

struct compare_command {
    /* The options. */
    struct acre_text_list allocators;
    struct acre_text_list with;
    const char *process;
    const char *goal;
    const char *scenario_name;
    const char *output;
    const char *report;
    const char *trace;
    size_t repeat;
    size_t hold;
    bool json;
    bool emit_config;
    bool why;
    bool verify;
    size_t runs; /* of each candidate, with `verify` */
    /* Derived from the options. */
    char **program;                          /* the command to record, or null */
    const struct compare_scenario *scenario; /* the synthetic workload, or null */
    enum compare_goal wanted;
    const char *given;                  /* the trace named on the command line, or null */
    char imported[FOREIGN_PATH_ROOM];   /* the trace made of another tool's file, or "" */
    const char *path;                   /* of the trace to read */
    struct compare_source source_trace; /* the trace that is recorded or generated */
    char source[512];                   /* the trace, command or workload, for messages */
    struct acre_progress progress;
    struct trial_runner runner; /* of the program, with `verify` */
    struct compare_program_time time;
};

static const char *const usage_text =
    "Recommends an allocator and a pool size, with reasons. Replays the trace FILE\n"
    "('-': standard input), the allocations of COMMAND, or a synthetic workload on\n"
    "the system's malloc, the built-in allocators at several settings, and other\n"
    "mallocs found on this machine. Recommends one each for least memory, highest\n"
    "speed, lowest worst case, and a balance of the three.";

static struct compare_result result;
static struct compare_candidates candidates = { .items = result.candidates };

/* ---- the trace ---- */

static void add_word(char *text, size_t room, const char *word)
{
    size_t used = strlen(text);
    snprintf(text + used, room - used, "%s%s", used ? " " : "", word);
}

static int prepare_trace(struct compare_command *command)
{
    command->path = command->given ? command->given : command->trace;
    if ((!command->program && !command->scenario) || command->given)
        return ACRE_EXIT_OK;
    command->source_trace = (struct compare_source){
        .program = command->program, .scenario = command->scenario, .path = command->trace
    };
    int code = compare_make_trace(&command->source_trace);
    command->path = command->source_trace.path;
    return code;
}

/* ---- the comparison ---- */

static bool add_files(struct compare_command *command)
{
    char error[512];
    for (size_t i = 0; i < command->with.count; i++) {
        if (compare_add_file(&candidates, command->with.items[i], error, sizeof error))
            continue;
        acre_complain("compare", "%s", error);
        return false;
    }
    return true;
}

/* The name of the trace in messages; for a temporary one, what it was made from. */
static const char *trace_name(const struct compare_command *command)
{
    bool named = !command->source_trace.made[0] && !command->imported[0];
    return named ? command->path : command->source;
}

/* The name of the command's program as the kernel knows it; null: there is no command. */
static const char *program_name(const struct compare_command *command)
{
    const char *slash = command->program ? strrchr(command->program[0], '/') : NULL;
    return slash ? slash + 1 : command->program ? command->program[0] : NULL;
}

static bool load(struct compare_command *command, struct replay_script *script)
{
    char message[REPLAY_MESSAGE_ROOM] = "";
    size_t process = REPLAY_LARGEST;
    if (command->process)
        acre_parse_count(command->process, &process);
    const struct replay_wanted wanted = { (uint32_t)process, program_name(command) };
    enum replay_load_status status =
        replay_load(script, command->path, wanted, command->hold, &command->progress, message);
    bool silent = status == REPLAY_LOADED && script->facts.silent && !command->process;
    if (status == REPLAY_LOADED && script->facts.ops && !silent)
        return true;
    if (silent) {
        acre_complain("compare",
            "%s: '%s' itself recorded no allocation, so there is nothing to advise; it may have a "
            "malloc of its own (--process=N compares another process, acre info lists them)",
            trace_name(command), program_name(command));
        replay_script_close(script);
        return false;
    }
    if (status == REPLAY_LOADED)
        replay_script_close(script);
    if (status == REPLAY_LOAD_FAILED)
        acre_complain("compare", "%s", message);
    else if (status == REPLAY_NO_SUCH_PROCESS && command->process)
        acre_complain(
            "compare", "%s: the trace has no process %s", trace_name(command), command->process);
    else if (status != REPLAY_LOAD_INTERRUPTED)
        acre_complain(
            "compare", "%s: nothing to compare: no allocation was recorded", trace_name(command));
    return false;
}

static bool write_json(FILE *out)
{
    cJSON *object = compare_json(&result);
    char *text = cJSON_Print(object);
    bool written = text && fprintf(out, "%s\n", text) > 0;
    cJSON_free(text);
    cJSON_Delete(object);
    return written;
}

static bool write_output(const struct compare_command *command)
{
    if (!command->output)
        return true;
    FILE *file = fopen(command->output, "w");
    bool written = file && write_json(file);
    if (file && fclose(file) != 0)
        written = false;
    if (!written)
        acre_complain("compare", "cannot write '%s': %s", command->output, strerror(errno));
    return written;
}

static bool write_report(const struct compare_command *command, cJSON *maps)
{
    if (!command->report)
        return true;
    FILE *file = fopen(command->report, "w");
    bool written = file && report_write(file, &result, maps);
    if (!file)
        cJSON_Delete(maps);
    if (file && fclose(file) != 0)
        written = false;
    if (!written)
        acre_complain("compare", "cannot write '%s': %s", command->report, strerror(errno));
    return written;
}

static int emit_config(const struct compare_command *command)
{
    const char *name = NULL;
    enum compare_goal goal = command->wanted == COMPARE_GOALS ? COMPARE_BALANCED : command->wanted;
    if (compare_emit_config(stdout, &result, candidates.builtins, goal, &name))
        return ACRE_EXIT_OK;
    if (name)
        acre_complain("compare", "--emit-config has no C code for %s", name);
    else
        acre_complain("compare", "no built-in allocator completes the trace");
    return ACRE_EXIT_FAILED;
}

/* With --verify, runs the program on the best candidates. @return false: it could not be run. */
static bool verify_advice(struct compare_command *command)
{
    const struct compare_trials_plan plan = { .runs = command->runs ? command->runs : TRIALS,
        .all = command->allocators.count > 0 };
    char error[COMPARE_TEXT_ROOM] = "";
    if (!command->verify || acre_interrupted())
        return true;
    if (compare_verify(&result, &candidates, &command->runner, &plan, &command->progress, error))
        return true;
    acre_complain("compare", "cannot verify: %s", error);
    return false;
}

/* Whether no candidate had a fault, and the program ended the same way on all those tried. */
static bool all_sound(void)
{
    for (size_t i = 0; i < result.count; i++)
        if (result.candidates[i].fault[0])
            return false;
    for (size_t i = 0; i < result.verification.count; i++)
        if (result.verification.trials[i].failed)
            return false;
    return true;
}

/* Prints text as soon as it is known: the comparison before the runs that verify it. */
static int show_result(struct compare_command *command, cJSON *maps)
{
    int code = ACRE_EXIT_OK;
    bool text = !command->emit_config && !command->json;
    if (text)
        compare_print(stdout, &result, command->wanted, command->why, command->verify);
    fflush(stdout);
    bool verified = verify_advice(command);
    if (command->emit_config)
        code = emit_config(command);
    else if (command->json)
        write_json(stdout);
    else
        compare_print_verification(stdout, &result);
    bool reported = write_report(command, maps);
    if (!write_output(command) || !reported || !verified || !all_sound())
        code = ACRE_EXIT_FAILED;
    return code;
}

/* The malloc that the recorded program is linked to; null: the system's, or no candidate. */
static const char *linked_malloc(const struct compare_command *command, const char *name)
{
    char **program = command->program;
    const char *slash = program ? strrchr(program[0], '/') : NULL;
    bool same = slash && strcmp(slash + 1, name) == 0;
    const char *linked = name[0] ? launch_linked_malloc(same ? program[0] : name) : NULL;
    for (size_t i = 0; linked && i < candidates.count; i++)
        if (strcmp(candidates.items[i].name, linked) == 0)
            return linked;
    return NULL;
}

/* Tells all backends which malloc the program is linked to: every run of the program loads it and
 * sets it up, whichever malloc serves it. */
static void load_linked_malloc(const char *name)
{
    const char *library = NULL;
    for (size_t i = 0; name && i < candidates.count; i++)
        if (strcmp(candidates.items[i].name, name) == 0)
            library = candidates.backends[i].preload;
    for (size_t i = 0; library && i < candidates.count; i++) {
        candidates.served[i].linked = library;
        if (strcmp(candidates.items[i].name, name) != 0)
            candidates.backends[i].linked = library;
    }
}

/* Prints a first verdict on the terminal while the rest is measured. */
static void show_first(void *argument, const struct replay_table *table)
{
    static struct compare_result first;
    const struct compare_command *command = argument;
    char text[COMPARE_REASON_ROOM];
    compare_gather_first(&first, &candidates, table);
    first.today = linked_malloc(command, first.facts.name);
    compare_verdict(&first, text);
    fprintf(stderr, "first result (one replay of each): %s\n", text);
}

/* Computes the advice, and the smallest --pool for a run on the allocator advised. */
static void judge(struct compare_command *command, const struct replay_script *script)
{
    result.source = command->source;
    compare_correct_duration(&result, &command->time);
    compare_advise(&result);
    int advised = compare_advised(&result);
    if (advised < 0 || !candidates.backends[advised].served || !script->facts.pid)
        return;
    result.run_pool = replay_served_pool(script, candidates.backends[advised].served,
        result.candidates[advised].smallest_pool, &command->progress);
}

/* Times a run of the program. With --verify, one with threads is run once without recording. */
static void time_program(
    struct compare_command *command, struct replay_plan *plan, uint64_t threads)
{
    const struct acre_served today = { .library = NULL };
    struct compare_program_time *time = &command->time;
    time->recorded_ns = command->source_trace.busy_ns;
    if (threads > 1 || time->recorded_ns > 0.0)
        time->recording_ns = compare_recording_cost(threads > 1 ? 2 : 1);
    plan->run_ns = time->recorded_ns;
    plan->run_recorded = true;
    plan->recording_ns = time->recording_ns;
    if (!command->verify || threads <= 1 ||
        !trial_run(&command->runner, &today, 0.0, &command->progress) ||
        command->runner.shared->outcome.error)
        return;
    const struct trial_outcome *outcome = &command->runner.shared->outcome;
    plan->run_ns = outcome->processor * 1e9;
    plan->run_recorded = false;
    time->unrecorded_ns = outcome->elapsed * 1e9;
}

static int compare(struct compare_command *command)
{
    struct replay_script script;
    struct replay_plan plan = {
        .pool_search = true, .touching = true, .survey = true, .threads = true, .imitates = true
    };
    if (!load(command, &script))
        return ACRE_EXIT_FAILED;
    compare_plan_rounds(&plan, &script.facts, command->repeat);
    if (command->progress.shown) {
        plan.first = show_first;
        plan.first_argument = command;
        plan.first_ops = FIRST_OPS;
    }
    result.today = linked_malloc(command, script.facts.name);
    load_linked_malloc(result.today);
    time_program(command, &plan, script.facts.threads);
    command->progress.time_left = true;
    command->progress.begun_at = 0.0;
    bool measured = compare_gather(&result, &candidates, &script, &plan, &command->progress);
    int error = errno;
    cJSON *maps = NULL;
    if (measured && command->report)
        maps = report_maps(&candidates, &script, command->path, &command->progress);
    if (measured)
        judge(command, &script);
    replay_script_close(&script);
    if (!measured) {
        acre_complain("compare", "cannot replay: %s", strerror(error));
        return ACRE_EXIT_FAILED;
    }
    return show_result(command, maps);
}

static int prepare_and_compare(struct compare_command *command)
{
    acre_progress_open(&command->progress);
    if (command->verify && !trial_open(&command->runner, command->program)) {
        acre_complain("compare", "cannot start a process: %s", strerror(errno));
        return ACRE_EXIT_FAILED;
    }
    int code = prepare_trace(command);
    if (code == ACRE_EXIT_OK) {
        acre_catch_interrupts();
        code = compare(command);
    }
    trial_close(&command->runner);
    if (command->source_trace.made[0])
        unlink(command->source_trace.made);
    if (acre_interrupted())
        acre_die_interrupted();
    return code;
}

/* ---- the command line ---- */

static bool parse_goal(struct compare_command *command)
{
    command->wanted = COMPARE_GOALS;
    for (int i = 0; command->goal && i < COMPARE_GOALS; i++)
        if (strcmp(command->goal, compare_goal_name((enum compare_goal)i)) == 0)
            command->wanted = (enum compare_goal)i;
    return !command->goal || command->wanted != COMPARE_GOALS;
}

/* Checks that one of a trace, a command and a scenario is given, and the options for it. */
static int check_source(struct compare_command *command, const struct acre_usage *usage, int argc)
{
    int given = (command->program != NULL) + (command->scenario_name != NULL) + (argc != 0);
    bool both = command->verify && command->program && argc && !command->scenario_name;
    if (argc > 1)
        return acre_usage_error(usage, "more than one trace given");
    if (command->verify && !command->program)
        return acre_usage_error(usage, "--verify: no command given after --");
    if (command->runs && !command->verify)
        return acre_usage_error(usage, "--runs: only with --verify");
    if (given > 1 && !both)
        return acre_usage_error(usage, "give only one of a trace, a command and a scenario");
    if (given == 0)
        return acre_usage_error(usage, "no trace, command or scenario given");
    if (argc && command->trace)
        return acre_usage_error(usage, "--trace: there is no command to record");
    return ACRE_EXIT_OK;
}

static int unknown_scenario(const struct acre_usage *usage, const char *name)
{
    const char *names[16] = { NULL };
    size_t count = 0;
    for (const struct compare_scenario *each = compare_scenarios; each->name; each++)
        if (count + 1 < sizeof names / sizeof *names)
            names[count++] = each->name;
    return acre_usage_invalid(usage, "scenario", name, names);
}

static int unknown_goal(const struct acre_usage *usage, const char *name)
{
    const char *names[COMPARE_GOALS + 1] = { NULL };
    for (int i = 0; i < COMPARE_GOALS; i++)
        names[i] = compare_goal_name((enum compare_goal)i);
    return acre_usage_invalid(usage, "goal", name, names);
}

static int check_compare(struct compare_command *command, const struct acre_usage *usage, int argc)
{
    size_t process = 0;
    int code = check_source(command, usage, argc);
    if (code != ACRE_EXIT_OK)
        return code;
    if (command->scenario_name)
        command->scenario = compare_scenario_find(command->scenario_name);
    if (command->scenario_name && !command->scenario)
        return unknown_scenario(usage, command->scenario_name);
    if (!parse_goal(command))
        return unknown_goal(usage, command->goal);
    if (command->repeat > REPLAY_MOST_ROUNDS)
        return acre_usage_error(usage, "--repeat: at most %d", REPLAY_MOST_ROUNDS);
    if (command->runs > COMPARE_MOST_RUNS)
        return acre_usage_error(usage, "--runs: at most %d", COMPARE_MOST_RUNS);
    if (command->process &&
        (acre_parse_count(command->process, &process) != ACRE_NUMBER_OK || process >= UINT32_MAX))
        return acre_usage_error(
            usage, "invalid --process '%s' (expected a number)", command->process);
    return ACRE_EXIT_OK;
}

/* Lists the plugins that were given too. */
static int unknown_in_compare(const struct acre_usage *usage, const char *name)
{
    const char *given[COMPARE_MOST_CANDIDATES + 1] = { NULL };
    size_t count = 0;
    for (size_t i = 0; i < candidates.count; i++)
        if (candidates.items[i].origin == COMPARE_PLUGIN)
            given[count++] = candidates.items[i].name;
    return acre_unknown_allocator(usage, name, true, given);
}

static int find_candidates(struct compare_command *command, const struct acre_usage *usage)
{
    struct compare_choice choice = { .names = command->allocators.items,
        .name_count = command->allocators.count };
    compare_find_candidates(&candidates, &choice);
    if (!add_files(command))
        return ACRE_EXIT_FAILED;
    const char *unknown = compare_find_unknown(&candidates, &choice);
    return unknown ? unknown_in_compare(usage, unknown) : ACRE_EXIT_OK;
}

/* Keeps the command after "--". @return the number of arguments before it. */
static int split_command(struct compare_command *command, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") != 0)
            continue;
        argv[i] = NULL;
        command->program = &argv[i + 1];
        for (char **word = command->program; *word; word++)
            add_word(command->source, sizeof command->source, *word);
        return i;
    }
    return argc;
}

static int run_compare(
    struct compare_command *command, const struct acre_usage *usage, int argc, char **argv)
{
    if (command->program && !command->program[0])
        return acre_usage_error(usage, "no command given after --");
    int code = check_compare(command, usage, argc);
    if (code != ACRE_EXIT_OK)
        return code;
    if (command->scenario) {
        snprintf(command->source, sizeof command->source, "%s: %s", command->scenario->name,
            command->scenario->text);
    } else if (argc) {
        if (access(argv[0], F_OK) != 0 && acre_is_command(argv[0]))
            return acre_usage_error(usage,
                "there is no trace '%s'; acre compare -- %s records and compares the command",
                argv[0], argv[0]);
        snprintf(command->source, sizeof command->source, "%s",
            strcmp(argv[0], "-") == 0 ? "standard input" : argv[0]);
        command->given = foreign_open("compare", argv[0], command->imported);
        if (!command->given)
            return ACRE_EXIT_FAILED;
    }
    code = find_candidates(command, usage);
    return code == ACRE_EXIT_OK ? prepare_and_compare(command) : code;
}

int acre_cmd_compare(int argc, char **argv)
{
    static struct compare_command command = { .hold = REPLAY_HOLD };
    const struct acre_option options[] = {
        { "goal", 'g', ACRE_OPTION_TEXT, "GOAL",
            "recommend for this goal only: memory, speed, worst or\nbalanced", &command.goal },
        { "scenario", 's', ACRE_OPTION_TEXT, "NAME",
            "compare on a synthetic workload: kernel, game-frame,\ndatabase, packet-buffers, json "
            "or "
            "fragmenter",
            &command.scenario_name },
        { "allocator", 'a', ACRE_OPTION_LIST, "NAME",
            "compare only this allocator (system, jemalloc, slab,\nbuddy/16, or heap/ for all "
            "heaps); may be repeated",
            &command.allocators },
        { "with", 'w', ACRE_OPTION_LIST, "FILE",
            "also compare the plugin or malloc library FILE; may be\nrepeated", &command.with },
        { "process", 0, ACRE_OPTION_TEXT, "N",
            "process N of the trace, from 0 (default: COMMAND's own,\nelse the one with the "
            "highest peak of live bytes)",
            &command.process },
        { "repeat", 'r', ACRE_OPTION_COUNT, "N",
            "number of timed replays (default: 5; more for a short\ntrace, 3 from 6 million "
            "operations)",
            &command.repeat },
        { "hold", 0, ACRE_OPTION_SIZE, "SIZE",
            "memory for the trace, 8 bytes per operation\n(default: 256M); a longer trace is kept "
            "in TMPDIR",
            &command.hold },
        { "emit-config", 'e', ACRE_OPTION_FLAG, NULL,
            "print C code that sets up the best built-in allocator\nfor the goal, with a pool of "
            "the right size",
            &command.emit_config },
        { "why", 'W', ACRE_OPTION_FLAG, NULL,
            "also print all tables, what they mean, and the reasons\nfor each goal", &command.why },
        { "verify", 'V', ACRE_OPTION_FLAG, NULL,
            "then run COMMAND on its own malloc and the best candidates\n(of those that "
            "--allocator names), and print predicted and\nmeasured times",
            &command.verify },
        { "runs", 'n', ACRE_OPTION_COUNT, "N", "runs of each with --verify (default: 5)",
            &command.runs },
        { "json", 'j', ACRE_OPTION_FLAG, NULL, "print JSON instead of text", &command.json },
        { "output", 'o', ACRE_OPTION_TEXT, "FILE", "also write the JSON to FILE", &command.output },
        { "report", 'R', ACRE_OPTION_TEXT, "FILE",
            "also write an HTML page with tables, charts and heap\nmaps to FILE", &command.report },
        { "trace", 't', ACRE_OPTION_TEXT, "FILE",
            "keep the trace of COMMAND or the workload in FILE", &command.trace },
        { .name = NULL },
    };
    const struct acre_usage usage = { "compare", "FILE | --scenario=NAME | -- COMMAND...",
        usage_text, options, false };
    argc = split_command(&command, argc, argv);
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    return run_compare(&command, &usage, argc, argv);
}
