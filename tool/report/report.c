/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/report/report.h"

#include "replay/explain.h"
#include "tool/compare/print.h"
#include "tool/report/page.h"

#include <stdlib.h>

#define REPORT_CELLS 1024

static bool add_map(cJSON *maps, struct map_track *track, const char *name)
{
    track->name = name;
    cJSON *object = track->refused ? NULL : map_track_json(track);
    map_track_free(track);
    return !object || cJSON_AddItemToArray(maps, object);
}

static void add_maps(cJSON *maps, const struct compare_candidates *candidates,
    const struct replay_script *script, const struct map_history *history,
    struct acre_progress *progress)
{
    for (size_t i = 0; i < candidates->count && !acre_interrupted(); i++) {
        const struct compare_candidate *candidate = &candidates->items[i];
        size_t pool = candidate->survey.pool;
        if (!replay_backend_has_pool(&candidates->backends[i]) || candidate->fault[0] ||
            !candidate->survey.count || !pool)
            continue;
        struct map_track *track =
            map_track(script, &candidates->backends[i], history, pool, REPORT_CELLS, progress);
        if (track && !add_map(maps, track, candidate->name))
            break;
    }
}

cJSON *report_maps(const struct compare_candidates *candidates, const struct replay_script *script,
    const char *path, struct acre_progress *progress)
{
    struct map_history history;
    struct map_plan plan = map_plan_for(&script->facts);
    uint8_t *threads = replay_op_threads(path, &script->facts);
    cJSON *object = NULL;
    if (map_history_make(&history, script, &plan, threads)) {
        object = map_history_json(&history);
        add_maps(cJSON_AddArrayToObject(object, "maps"), candidates, script, &history, progress);
        map_history_free(&history);
    }
    free(threads);
    return object;
}

/* Nothing in the text can end the element that it stands in. */
static void write_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<' || *text == '>' || *text == '&')
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, out);
    }
}

bool report_write(FILE *out, const struct compare_result *result, cJSON *maps)
{
    cJSON *root = compare_json(result);
    if (root && maps)
        cJSON_AddItemToObject(root, "heap", maps);
    else
        cJSON_Delete(maps);
    char *text = root ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    if (!text)
        return false;
    fwrite(report_page_head, 1, report_page_head_size, out);
    write_escaped(out, text);
    fwrite(report_page_tail, 1, report_page_tail_size, out);
    cJSON_free(text);
    return !ferror(out);
}
