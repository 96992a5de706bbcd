/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre replay: a trace on every allocator, compared. */
#include "cli/options.h"
#include "number/number.h"
#include "plugin/plugin_load.h"
#include "replay/explain.h"
#include "replay/load.h"
#include "tool/allocators.h"
#include "tool/command.h"
#include "tool/import/foreign.h"
#include "tool/replay/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BACKENDS 128

struct replay_command {
    /* As the options give them. */
    struct acre_text_list allocators;
    struct acre_text_list with;
    const char *process;
    const char *output;
    size_t pool;
    size_t repeat;
    size_t hold;
    bool no_pool_search;
    bool explain;
    bool json;
    const char *given; /* the trace */
    /* What they select, and the state of the run. */
    const struct acre_plugin *plugins[ACRE_TEXT_LIST_MOST]; /* one for each of `with` */
    struct replay_backend backends[MOST_BACKENDS];
    struct replay_backend served[MOST_BACKENDS]; /* as the drop-in malloc gives them to threads */
    size_t count;
    cJSON *processes; /* the array of results, for --json and --output */
    bool broken;      /* an allocator failed verification */
    size_t replayed;  /* processes that had operations */
    size_t explained; /* allocators whose failure was looked for */
    bool interrupted;
    struct replay_notes notes;
    struct acre_progress progress;
};

static const char *const usage_text =
    "Replays the trace FILE ('-': standard input) on the system's malloc and on every\n"
    "built-in allocator, on one thread in the recorded order; a trace with threads on\n"
    "threads as well. Prints for each the time per operation, its 99.9th percentile\n"
    "and maximum, the instructions, the smallest pool in which the trace completes,\n"
    "also relative to the peak of live bytes, and the failed operations. Each\n"
    "allocator is verified first.";

static bool add_wanted(struct replay_command *command, struct replay_backend backend)
{
    for (size_t i = 0; i < command->count; i++) {
        if (strcmp(command->backends[i].name, backend.name) != 0)
            continue;
        acre_complain("replay", "two allocators are called '%s'", backend.name);
        return false;
    }
    if (command->count == MOST_BACKENDS) {
        acre_complain("replay", "more than %d allocators", MOST_BACKENDS);
        return false;
    }
    command->backends[command->count++] = backend;
    return true;
}

static bool add_builtin(struct replay_command *command, const struct acre_backend *backend)
{
    return add_wanted(
        command, (struct replay_backend){
                     .type = REPLAY_BUILTIN, .name = backend->name, .builtin = backend });
}

static bool add_all(struct replay_command *command)
{
    struct replay_backend system;
    acre_find_malloc(&system, REPLAY_SYSTEM_NAME);
    bool added = add_wanted(command, system);
    for (const struct acre_backend *backend = acre_backends; added && backend->name; backend++)
        if (!backend->setting[0])
            added = add_builtin(command, backend);
    return added;
}

static bool is_plugin(const struct replay_command *command, const char *name)
{
    for (size_t i = 0; i < command->with.count; i++)
        if (strcmp(command->plugins[i]->name, name) == 0)
            return true;
    return false;
}

static int unknown_in_replay(
    const struct replay_command *command, const struct acre_usage *usage, const char *name)
{
    const char *given[ACRE_TEXT_LIST_MOST + 1] = { NULL };
    for (size_t i = 0; i < command->with.count; i++)
        given[i] = command->plugins[i]->name;
    return acre_unknown_allocator(usage, name, true, given);
}

/* Adds those that --allocator names; plugins take part anyway. @return ACRE_EXIT_OK, or the exit
 * code after a message. */
static int add_named(struct replay_command *command, const struct acre_usage *usage)
{
    for (size_t i = 0; i < command->allocators.count; i++) {
        const char *name = command->allocators.items[i];
        const struct acre_backend *builtin = acre_backend_find(name);
        struct replay_backend backend = { .name = name };
        if (!builtin && is_plugin(command, name))
            continue;
        enum acre_malloc_found found =
            builtin ? ACRE_MALLOC_FOUND : acre_find_malloc(&backend, name);
        if (found == ACRE_MALLOC_UNKNOWN)
            return unknown_in_replay(command, usage, name);
        if (found == ACRE_MALLOC_ABSENT)
            return acre_absent_malloc("replay", name);
        if (!(builtin ? add_builtin(command, builtin) : add_wanted(command, backend)))
            return ACRE_EXIT_USAGE;
    }
    return ACRE_EXIT_OK;
}

/* Loads the plugins, which stay loaded for good. */
static bool load_plugins(struct replay_command *command)
{
    for (size_t i = 0; i < command->with.count; i++) {
        struct acre_plugin_file file;
        char error[512];
        if (!acre_plugin_load(&file, command->with.items[i], error, sizeof error)) {
            acre_complain("replay", "%s", error);
            return false;
        }
        command->plugins[i] = file.table;
    }
    return true;
}

static bool add_wanted_plugins(struct replay_command *command)
{
    bool added = true;
    for (size_t i = 0; added && i < command->with.count; i++)
        added = add_wanted(command, (struct replay_backend){ .type = REPLAY_PLUGIN,
                                        .name = command->plugins[i]->name,
                                        .plugin = command->plugins[i] });
    return added;
}

static bool show_table(struct replay_command *command, const struct replay_table *table)
{
    cJSON *object = replay_report_json(table);
    if (!object || !cJSON_AddItemToArray(command->processes, object))
        return false;
    if (command->json)
        return true;
    if (command->replayed)
        putchar('\n');
    replay_report_text(stdout, table, &command->notes);
    fflush(stdout);
    return true;
}

/* On threads an allocator for one thread is measured as the drop-in malloc serves it: behind a
 * lock. */
static void find_served(struct replay_command *command)
{
    for (size_t i = 0; i < command->count; i++)
        if (command->backends[i].type == REPLAY_BUILTIN &&
            acre_find_served(&command->served[i], command->backends[i].name) == ACRE_MALLOC_FOUND)
            command->backends[i].served = &command->served[i];
}

/* Measures one script and shows the result. @return the exit code so far. */
static int measure_script(
    struct replay_command *command, const struct replay_script *script, bool largest_only)
{
    struct replay_row rows[MOST_BACKENDS] = { 0 };
    struct replay_table table = {
        .script = script, .rows = rows, .count = command->count, .largest_only = largest_only
    };
    table.plan = (struct replay_plan){ .rounds = command->repeat,
        .pool = command->pool,
        .pool_search = !command->no_pool_search,
        .threads = true };
    if (script->facts.sequences)
        find_served(command);
    for (size_t i = 0; i < command->count; i++)
        rows[i].backend = &command->backends[i];
    if (!replay_measure(&table, &command->progress) || !show_table(command, &table)) {
        acre_complain("replay", "cannot replay: %s", strerror(errno));
        return ACRE_EXIT_FAILED;
    }
    command->replayed++;
    for (size_t i = 0; i < command->count; i++)
        command->broken |= rows[i].fault[0] != '\0';
    command->interrupted |= table.interrupted;
    return ACRE_EXIT_OK;
}

/* @return false */
static bool explain_ended(const struct replay_backend *backend)
{
    if (!acre_interrupted())
        acre_complain("replay", "%s: its process ended early", backend->name);
    return false;
}

/* @return false */
static bool no_memory_to_explain(const struct replay_backend *backend)
{
    acre_complain("replay", "%s: there is not enough memory to explain it", backend->name);
    return false;
}

/* Explains what keeps one allocator from completing. @return false, having complained unless
 * interrupted. */
static bool explain_one(struct replay_command *command, const struct replay_script *script,
    const struct replay_backend *backend, const char *path)
{
    struct replay_explanation explanation;
    if (!replay_explain_apart(&explanation, script, backend, command->pool, &command->progress))
        return explain_ended(backend);
    if (explanation.no_memory)
        return no_memory_to_explain(backend);
    if (explanation.failed && strcmp(path, "-") != 0)
        replay_find_threads(&explanation, path, script->facts.process);
    if (!command->json)
        replay_explain_print(stdout, &explanation, &script->facts, backend->name, command->pool);
    cJSON *object = replay_explain_json(&explanation, backend->name, command->pool);
    bool added = object && cJSON_AddItemToArray(command->processes, object);
    return added || no_memory_to_explain(backend);
}

static int explain(
    struct replay_command *command, const struct replay_script *script, const char *path)
{
    if (!command->json)
        replay_report_facts(stdout, &script->facts);
    for (size_t i = 0; i < command->count && !acre_interrupted(); i++) {
        const struct replay_backend *backend = &command->backends[i];
        if (backend->type != REPLAY_BUILTIN)
            continue;
        if (!explain_one(command, script, backend, path) && !acre_interrupted())
            return ACRE_EXIT_FAILED;
        command->explained++;
    }
    command->interrupted |= acre_interrupted() != 0;
    return ACRE_EXIT_OK;
}

/* A trace without the process that was asked for. */
static int no_such_process(const char *path, uint32_t process, uint32_t processes)
{
    if (processes == 0)
        acre_complain("replay", "%s: the trace has no process", path);
    else
        acre_complain("replay", "%s: the trace has no process %u (choose from 0 to %u)", path,
            (unsigned)process, (unsigned)processes - 1);
    return ACRE_EXIT_FAILED;
}

/* Reads one process and measures it. `*processes` receives how many there are. */
static int replay_process(
    struct replay_command *command, const char *path, uint32_t process, uint32_t *processes)
{
    struct replay_script script;
    char message[REPLAY_MESSAGE_ROOM] = "";
    int code = ACRE_EXIT_OK;
    enum replay_load_status status = replay_load(&script, path,
        (struct replay_wanted){ process, NULL }, command->hold, &command->progress, message);
    if (status == REPLAY_LOAD_INTERRUPTED) {
        command->interrupted = true;
        return ACRE_EXIT_FAILED;
    }
    if (status == REPLAY_LOAD_FAILED) {
        acre_complain("replay", "%s", message);
        return ACRE_EXIT_FAILED;
    }
    *processes = script.facts.processes;
    if (status == REPLAY_NO_SUCH_PROCESS)
        return no_such_process(path, process, *processes);
    if (script.facts.ops && command->explain)
        code = explain(command, &script, path);
    else if (script.facts.ops)
        code = measure_script(command, &script, process == REPLAY_LARGEST);
    replay_script_close(&script);
    return code;
}

static int replay_all(struct replay_command *command, const char *path)
{
    uint32_t processes = 1;
    for (uint32_t process = 0; process < processes && !command->interrupted; process++) {
        int code = replay_process(command, path, process, &processes);
        if (code != ACRE_EXIT_OK)
            return code;
    }
    return ACRE_EXIT_OK;
}

static int replay_wanted(struct replay_command *command, const char *path)
{
    uint32_t processes = 0;
    size_t index = REPLAY_LARGEST;
    if (command->process && strcmp(command->process, "all") == 0)
        return replay_all(command, path);
    if (command->process)
        acre_parse_count(command->process, &index);
    return replay_process(command, path, (uint32_t)index, &processes);
}

/* The JSON, which has all processes in one object; the caller frees it. Null: no memory. */
static char *make_json(struct replay_command *command)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "acre", ACRE_VERSION);
    cJSON_AddStringToObject(root, "trace", command->given);
    cJSON_AddBoolToObject(root, "interrupted", command->interrupted);
    cJSON_AddItemToObject(
        root, command->explain ? "explanations" : "processes", command->processes);
    command->processes = NULL;
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    bool written = fprintf(file, "%s\n", text) > 0;
    return fclose(file) == 0 && written;
}

/* Prints the JSON and writes it to a file, as asked. @return the exit code. */
static int show_json(struct replay_command *command)
{
    char *text = make_json(command);
    int code = ACRE_EXIT_OK;
    if (text && command->json)
        puts(text);
    if (!text) {
        acre_complain("replay", "not enough memory to print the result");
        code = ACRE_EXIT_FAILED;
    } else if (command->output && !write_file(command->output, text)) {
        acre_complain("replay", "cannot write '%s': %s", command->output, strerror(errno));
        code = ACRE_EXIT_FAILED;
    }
    free(text);
    return code;
}

/* Replays the trace and prints all results. @return the exit code. */
static int replay(struct replay_command *command, const char *path)
{
    acre_progress_open(&command->progress);
    acre_catch_interrupts();
    command->processes = cJSON_CreateArray();
    int code = replay_wanted(command, path);
    if (command->replayed && !command->json)
        replay_report_notes(stdout, &command->notes);
    if (code == ACRE_EXIT_OK && !command->replayed && !command->explained &&
        !command->interrupted) {
        acre_complain("replay", "%s: nothing to replay: no allocation was recorded", path);
        code = ACRE_EXIT_FAILED;
    }
    if ((command->replayed || command->explained) && show_json(command) != ACRE_EXIT_OK)
        code = ACRE_EXIT_FAILED;
    if (command->interrupted)
        acre_die_interrupted();
    return code == ACRE_EXIT_OK && command->broken ? ACRE_EXIT_FAILED : code;
}

/* What the option table cannot check. */
static int check_options(
    const struct replay_command *command, const struct acre_usage *usage, const char *path)
{
    size_t index = 0;
    bool all = command->process && strcmp(command->process, "all") == 0;
    if (command->repeat > REPLAY_MOST_ROUNDS)
        return acre_usage_error(usage, "--repeat: at most %d", REPLAY_MOST_ROUNDS);
    if (command->process && !all &&
        (acre_parse_count(command->process, &index) != ACRE_NUMBER_OK || index >= UINT32_MAX))
        return acre_usage_error(
            usage, "invalid --process '%s' (expected a number or 'all')", command->process);
    if (command->explain && !command->pool)
        return acre_usage_error(usage, "--explain: needs --pool=SIZE");
    if (all && strcmp(path, "-") == 0)
        return acre_usage_error(usage, "--process=all: standard input can be read only once");
    return ACRE_EXIT_OK;
}

static int prepare_and_replay(
    struct replay_command *command, const struct acre_usage *usage, int argc, char **argv)
{
    if (argc != 1)
        return acre_usage_error(usage, argc ? "more than one trace given" : "no trace given");
    int code = check_options(command, usage, argv[0]);
    if (code == ACRE_EXIT_OK && !load_plugins(command))
        return ACRE_EXIT_FAILED;
    if (code == ACRE_EXIT_OK && command->allocators.count)
        code = add_named(command, usage);
    else if (code == ACRE_EXIT_OK && !add_all(command))
        code = ACRE_EXIT_FAILED;
    if (code == ACRE_EXIT_OK && !add_wanted_plugins(command))
        code = ACRE_EXIT_FAILED;
    char room[FOREIGN_PATH_ROOM];
    command->given = argv[0];
    const char *path = code == ACRE_EXIT_OK ? foreign_open("replay", argv[0], room) : NULL;
    if (code == ACRE_EXIT_OK && !path)
        return ACRE_EXIT_FAILED;
    return path ? replay(command, path) : code;
}

int acre_cmd_replay(int argc, char **argv)
{
    static struct replay_command command = { .repeat = 5, .hold = REPLAY_HOLD };
    const struct acre_option options[] = {
        { "allocator", 'a', ACRE_OPTION_LIST, "NAME",
            "replay on this allocator only ('system': the system's\nmalloc); may be repeated",
            &command.allocators },
        { "with", 'w', ACRE_OPTION_LIST, "FILE", "also replay on the plugin FILE; may be repeated",
            &command.with },
        { "process", 0, ACRE_OPTION_TEXT, "N",
            "process N of the trace, from 0, or 'all' (default: the\nprocess with the highest "
            "peak of live bytes)",
            &command.process },
        { "pool", 'p', ACRE_OPTION_SIZE, "SIZE",
            "pool size for timing (default: twice the peak of live\n"
            "bytes plus 1 MiB)",
            &command.pool },
        { "no-pool-search", 0, ACRE_OPTION_FLAG, NULL, "do not search for the smallest pool",
            &command.no_pool_search },
        { "explain", 0, ACRE_OPTION_FLAG, NULL,
            "explain why an allocator does not complete in the\npool, instead of measuring",
            &command.explain },
        { "repeat", 'r', ACRE_OPTION_COUNT, "N", "number of timed replays (default: 5)",
            &command.repeat },
        { "hold", 0, ACRE_OPTION_SIZE, "SIZE",
            "memory for the trace, 8 bytes per operation\n(default: 256M); a longer trace is kept "
            "in TMPDIR",
            &command.hold },
        { "json", 'j', ACRE_OPTION_FLAG, NULL, "print JSON instead of a table", &command.json },
        { "output", 'o', ACRE_OPTION_TEXT, "FILE", "also write the JSON to FILE", &command.output },
        { .name = NULL },
    };
    const struct acre_usage usage = { "replay", "FILE", usage_text, options, false };
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    return prepare_and_replay(&command, &usage, argc, argv);
}
