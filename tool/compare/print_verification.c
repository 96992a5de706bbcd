/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Predictions beside real runs: as text, as JSON. */
#include "cli/size.h"
#include "cli/table.h"
#include "replay/json.h"
#include "replay/statistics.h"
#include "tool/compare/print.h"
#include "tool/compare/verification.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME,
    SECONDS,
    PREDICTED,
    OTHER_SECONDS,
    CHANGE,
    BOUNDS,
    PREDICTED_CHANGE,
    PREDICTED_BOUNDS,
    MEMORY,
    PREDICTED_MEMORY,
    COLUMNS
};

static void write_titles(struct acre_table_row head[2], bool elapsed)
{
    static const char *const first[COLUMNS] = { "on", "real", "predicted", "real", "change",
        "bounds", "predicted", "bounds", "memory", "predicted" };
    for (int i = 0; i < COLUMNS; i++)
        strcpy(head[0].cells[i], first[i]);
    strcpy(head[1].cells[SECONDS], elapsed ? "elapsed s" : "cpu s");
    strcpy(head[1].cells[OTHER_SECONDS], elapsed ? "cpu s" : "elapsed s");
    strcpy(head[1].cells[CHANGE], "%");
    strcpy(head[1].cells[BOUNDS], "95 %");
    strcpy(head[1].cells[PREDICTED_CHANGE], "%");
    strcpy(head[1].cells[PREDICTED_BOUNDS], "%");
    strcpy(head[1].cells[MEMORY], "peak RSS");
}

static void write_number(char cell[ACRE_CELL_ROOM], bool known, const char *format, double number)
{
    if (!known)
        strcpy(cell, "-");
    else
        snprintf(cell, ACRE_CELL_ROOM, format[0] == '+' ? "%+.1f" : "%.3f", number);
}

/* Median of the runs by the clock that does not count. */
static double other_seconds(const struct compare_result *result, const struct compare_trial *trial)
{
    double seconds[COMPARE_MOST_RUNS];
    const double *from = result->verification.elapsed ? trial->processor : trial->elapsed;
    memcpy(seconds, from, trial->runs * sizeof *seconds);
    return replay_median(seconds, trial->runs);
}

static void write_trial(struct acre_table_row *row, const struct compare_result *result,
    const struct compare_trial *trial)
{
    double today = result->verification.trials[0].seconds;
    bool ran = trial->runs > 0 && !trial->failed;
    bool other = ran && trial != &result->verification.trials[0];
    snprintf(row->cells[NAME], ACRE_CELL_ROOM, "%.40s", result->candidates[trial->candidate].name);
    write_number(row->cells[SECONDS], ran, "", trial->seconds);
    write_number(row->cells[PREDICTED], other && trial->predicted, "", trial->predicted_seconds);
    write_number(row->cells[OTHER_SECONDS], ran, "", ran ? other_seconds(result, trial) : 0.0);
    write_number(row->cells[CHANGE], other, "+", (trial->ratio - 1.0) * 100.0);
    strcpy(row->cells[BOUNDS], "-");
    if (other)
        snprintf(row->cells[BOUNDS], ACRE_CELL_ROOM, "%+.1f to %+.1f",
            (trial->ratio_low - 1.0) * 100.0, (trial->ratio_high - 1.0) * 100.0);
    write_number(row->cells[PREDICTED_CHANGE], other && trial->predicted && today > 0.0, "+",
        (trial->predicted_seconds / today - 1.0) * 100.0);
    strcpy(row->cells[PREDICTED_BOUNDS], "-");
    if (other && trial->predicted_high > 0.0 && today > 0.0)
        snprintf(row->cells[PREDICTED_BOUNDS], ACRE_CELL_ROOM, "%+.1f to %+.1f",
            (trial->predicted_low / today - 1.0) * 100.0,
            (trial->predicted_high / today - 1.0) * 100.0);
    strcpy(row->cells[MEMORY], "-");
    strcpy(row->cells[PREDICTED_MEMORY], "-");
    if (ran)
        acre_format_bytes(row->cells[MEMORY], (size_t)trial->resident);
    if (other && trial->predicted_memory)
        acre_format_bytes(row->cells[PREDICTED_MEMORY], (size_t)trial->predicted_resident);
}

static void print_failures(FILE *out, const struct compare_result *result)
{
    const struct compare_verification *verification = &result->verification;
    for (size_t i = 0; i < verification->count; i++)
        if (verification->trials[i].failed)
            fprintf(out, "%s: the program ended with code %d\n",
                result->candidates[verification->trials[i].candidate].name,
                verification->trials[i].code);
}

void compare_print_verification(FILE *out, const struct compare_result *result)
{
    const struct compare_verification *verification = &result->verification;
    struct acre_table_row rows[COMPARE_MOST_TRIED + 2];
    char text[COMPARE_REASON_ROOM];
    memset(rows, 0, sizeof rows);
    if (!verification->runs)
        return;
    write_titles(rows, verification->elapsed);
    for (size_t i = 0; i < verification->count; i++)
        write_trial(&rows[i + 2], result, &verification->trials[i]);
    compare_verification_verdict(result, text);
    fprintf(out, "\n%s\n\n", text);
    acre_table_print(out, rows, verification->count + 2, COLUMNS);
    print_failures(out, result);
}

static void add_runs(cJSON *object, const char *name, const double *seconds, size_t runs)
{
    cJSON *array = cJSON_AddArrayToObject(object, name);
    for (size_t i = 0; i < runs; i++)
        cJSON_AddItemToArray(array, cJSON_CreateNumber(seconds[i]));
}

static cJSON *trial_json(const struct compare_result *result, const struct compare_trial *trial)
{
    cJSON *object = cJSON_CreateObject();
    bool ran = trial->runs > 0 && !trial->failed;
    cJSON_AddStringToObject(object, "allocator", result->candidates[trial->candidate].name);
    cJSON_AddNumberToObject(object, "exit_code", trial->code);
    cJSON_AddBoolToObject(object, "failed", trial->failed);
    replay_json_count(object, "runs", trial->runs);
    replay_json_known(object, "seconds", ran, trial->seconds);
    replay_json_known(object, "seconds_least", ran, trial->least);
    replay_json_known(object, "seconds_most", ran, trial->most);
    replay_json_known(object, "ratio", ran, trial->ratio);
    replay_json_known(object, "ratio_low", ran, trial->ratio_low);
    replay_json_known(object, "ratio_high", ran, trial->ratio_high);
    replay_json_known(
        object, "advised_ratio", ran && trial->advised_ratio > 0.0, trial->advised_ratio);
    replay_json_known(
        object, "advised_ratio_low", ran && trial->advised_ratio > 0.0, trial->advised_low);
    replay_json_known(
        object, "advised_ratio_high", ran && trial->advised_ratio > 0.0, trial->advised_high);
    add_runs(object, "processor_seconds", trial->processor, trial->runs);
    add_runs(object, "elapsed_seconds", trial->elapsed, trial->runs);
    replay_json_known(object, "resident_bytes", ran, (double)trial->resident);
    replay_json_known(
        object, "predicted_seconds", ran && trial->predicted, trial->predicted_seconds);
    replay_json_known(
        object, "predicted_seconds_low", ran && trial->predicted_high > 0.0, trial->predicted_low);
    replay_json_known(object, "predicted_seconds_high", ran && trial->predicted_high > 0.0,
        trial->predicted_high);
    replay_json_known(object, "predicted_resident_bytes", ran && trial->predicted_memory,
        (double)trial->predicted_resident);
    return object;
}

void compare_add_verification(cJSON *root, const struct compare_result *result)
{
    const struct compare_verification *verification = &result->verification;
    char text[COMPARE_REASON_ROOM];
    if (!verification->runs) {
        cJSON_AddNullToObject(root, "verification");
        return;
    }
    int advised = compare_advised(result);
    cJSON *object = cJSON_AddObjectToObject(root, "verification");
    compare_verification_verdict(result, text);
    cJSON_AddStringToObject(object, "verdict", text);
    cJSON_AddBoolToObject(object, "holds", compare_advice_held(result) == COMPARE_CONFIRMED);
    cJSON_AddBoolToObject(object, "undecided", compare_advice_held(result) == COMPARE_UNDECIDED);
    cJSON_AddStringToObject(object, "clock", verification->elapsed ? "elapsed" : "processor");
    replay_json_count(object, "runs", verification->runs);
    if (advised < 0)
        cJSON_AddNullToObject(object, "advised");
    else
        cJSON_AddStringToObject(object, "advised", result->candidates[advised].name);
    cJSON *rows = cJSON_AddArrayToObject(object, "trials");
    for (size_t i = 0; i < verification->count; i++)
        cJSON_AddItemToArray(rows, trial_json(result, &verification->trials[i]));
}
