/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/report/report.h"

#include "tool/compare/print.h"
#include "tool/report/page.h"

#include <stdlib.h>

static bool add_map(cJSON *maps, struct map_track *track, const char *name)
{
    track->name = name;
    cJSON *object = track->refused ? NULL : map_track_json(track);
    map_track_free(track);
    return !object || cJSON_AddItemToArray(maps, object);
}

cJSON *report_maps(const struct compare_field *field, const struct replay_script *script,
    struct acre_progress *progress)
{
    cJSON *maps = cJSON_CreateArray();
    for (size_t i = 0; maps && i < field->count && !acre_interrupted(); i++) {
        const struct compare_candidate *candidate = &field->candidates[i];
        if (!replay_backend_has_pool(&field->backends[i]) || candidate->fault[0] ||
            !candidate->survey.count || !candidate->survey.pool)
            continue;
        struct map_plan plan = map_plan_for(&script->facts, candidate->survey.pool);
        struct map_track *track = map_track(script, &field->backends[i], &plan, progress);
        if (track && !add_map(maps, track, candidate->name))
            break;
    }
    return maps;
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
        cJSON_AddItemToObject(root, "maps", maps);
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
