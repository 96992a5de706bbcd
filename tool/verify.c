/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre verify: runs acre's test suites on any allocator. */
#include "cli/options.h"
#include "plugin/plugin_load.h"
#include "tool/command.h"
#include "tool/verify/card.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct verify_command {
    const char *with;
    const char *only;
    size_t seconds, runs, seed;
    bool json;
    cJSON *card; /* with --json */
    bool failed; /* no memory for the card */
};

static const char *const usage_text =
    "Runs the test suites of acre's own allocators on another allocator: conformance,\n"
    "misuse, injected faults, and random operations compared with a model. FILE is a\n"
    "plugin (acre/plugin.h), or exports an acre_subject, which claims the whole\n"
    "contract of acre/bytes.h (acre/conformance.h). Each rule runs in a process of its\n"
    "own and prints one line: passed, broken (with a short sequence of operations\n"
    "that breaks it) or not claimed. Exits with 0 if no rule is broken.";

static bool tell_rule(void *arg, const struct acre_rule_result *result)
{
    struct verify_command *command = arg;
    if (command->json)
        command->failed = command->failed || !card_json_rule(command->card, result);
    else
        card_print_rule(result);
    return !command->failed;
}

static struct acre_verify_options options_of(struct verify_command *command)
{
    return (struct acre_verify_options){ .seconds = (unsigned)command->seconds,
        .runs = (unsigned)command->runs,
        .seed = (unsigned)command->seed,
        .only = command->only,
        .tell = tell_rule,
        .arg = command };
}

static int finish_card(struct verify_command *command, const struct acre_verify_counts *counts)
{
    unsigned rules = counts->passed + counts->broken + counts->not_claimed + counts->not_run;
    if (command->json) {
        card_json_counts(command->card, counts);
        char *text = command->failed ? NULL : cJSON_Print(command->card);
        if (text != NULL)
            puts(text);
        command->failed = text == NULL;
        cJSON_free(text);
        cJSON_Delete(command->card);
    } else {
        card_print_end(counts);
    }
    if (command->failed)
        acre_complain("verify", "no memory for the report");
    else if (rules == 0)
        acre_complain("verify", "no rule or suite has '%s' in its name", command->only);
    bool good = !command->failed && rules > 0 && counts->broken == 0 && counts->not_run == 0;
    return good ? ACRE_EXIT_OK : ACRE_EXIT_FAILED;
}

static bool begin_card(struct verify_command *command, const struct card_subject *about)
{
    if (!command->json)
        card_print_head(about);
    command->card = command->json ? card_json(about) : NULL;
    command->failed = command->json && command->card == NULL;
    if (command->failed)
        acre_complain("verify", "no memory for the report");
    return !command->failed;
}

static int verify_subject(struct verify_command *command, const struct acre_subject *subject)
{
    struct acre_verify_options options = options_of(command);
    struct card_subject about = { subject->name, "unknown", command->with, false };
    if (!begin_card(command, &about))
        return ACRE_EXIT_FAILED;
    struct acre_verify_counts counts = acre_verify(subject, &options);
    return finish_card(command, &counts);
}

static int verify_plugin(struct verify_command *command)
{
    char error[512];
    struct acre_plugin_file file;
    struct acre_verify_options options = options_of(command);
    if (!acre_plugin_load(&file, command->with, error, sizeof error)) {
        acre_complain("verify", "%s", error);
        return ACRE_EXIT_FAILED;
    }
    struct card_subject about = { file.table->name,
        file.table->version != NULL ? file.table->version : "unknown", command->with, true };
    if (!begin_card(command, &about))
        return ACRE_EXIT_FAILED;
    struct acre_verify_counts counts = acre_verify_plugin(file.table, &options);
    int code = finish_card(command, &counts);
    acre_plugin_unload(&file);
    return code;
}

static int verify_file(struct verify_command *command)
{
    char error[512];
    const struct acre_subject *subject = acre_subject_load(command->with, error, sizeof error);
    if (subject != NULL)
        return verify_subject(command, subject);
    if (error[0] == '\0')
        return verify_plugin(command);
    acre_complain("verify", "%s", error);
    return ACRE_EXIT_FAILED;
}

int acre_cmd_verify(int argc, char **argv)
{
    struct verify_command command = { .seconds = 5, .runs = 12, .seed = 1 };
    const struct acre_option options[] = {
        { "with", 'w', ACRE_OPTION_TEXT, "FILE", "the shared object with the allocator",
            &command.with },
        { "only", 'o', ACRE_OPTION_TEXT, "TEXT",
            "only rules with this text in their name\nor in that of their suite", &command.only },
        { "runs", 'r', ACRE_OPTION_COUNT, "N", "random runs of 1,000 operations (default: 12)",
            &command.runs },
        { "seed", 's', ACRE_OPTION_COUNT, "N", "seed of the first random run (default: 1)",
            &command.seed },
        { "seconds", 't', ACRE_OPTION_COUNT, "N",
            "processor seconds after which a rule counts\nas an endless loop (default: 5)",
            &command.seconds },
        { "json", 'j', ACRE_OPTION_FLAG, NULL, "print JSON instead of a table", &command.json },
        { .name = NULL },
    };
    const struct acre_usage usage = { "verify", "", usage_text, options, false };
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    if (argc > 0)
        return acre_usage_error(&usage, "unexpected argument '%s'", argv[0]);
    if (command.with == NULL)
        return acre_usage_error(&usage, "no allocator given: --with=FILE");
    if (command.seconds > UINT_MAX / 100 || command.runs > UINT_MAX || command.seed > UINT_MAX)
        return acre_usage_error(&usage, "a number is too large");
    return verify_file(&command);
}
