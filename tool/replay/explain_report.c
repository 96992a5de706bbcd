/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "cli/table.h"
#include "replay/explain.h"
#include "replay/json.h"

#include <inttypes.h>
#include <string.h>

/* A number with commas, in one of a few places that take turns. */
static const char *commas(uint64_t number)
{
    static char cells[8][ACRE_CELL_ROOM];
    static size_t next;
    char *cell = cells[next++ % 8];
    acre_cell_number(cell, number);
    return cell;
}

static void print_request(FILE *out, const struct replay_explanation *found, uint64_t ops)
{
    fprintf(out, "operation %s of %s is refused: ", commas(found->op + 1), commas(ops));
    if (found->old_size)
        fprintf(
            out, "resize a block of %s bytes to %s", commas(found->old_size), commas(found->size));
    else
        fprintf(out, "allocate %s bytes", commas(found->size));
    if (found->align > 16)
        fprintf(out, " aligned to %s", commas(found->align));
    fputc('\n', out);
}

static void print_pool(FILE *out, const struct replay_explanation *found)
{
    fprintf(out, "live: %s bytes requested in %s %s, which take %s; metadata takes %s\n",
        commas(found->live), commas(found->blocks), acre_plural(found->blocks, "block", "blocks"),
        commas(found->used), commas(found->metadata));
    fprintf(out,
        "free: %s bytes in %s %s, the longest %s; no request above %s bytes can be served\n",
        commas(found->available), commas(found->runs), acre_plural(found->runs, "run", "runs"),
        commas(found->largest_run), commas(found->largest_free));
}

static void print_verdict(FILE *out, const struct replay_explanation *found)
{
    if (found->available < found->size) {
        fputs("even in one piece the free bytes would not be enough: the pool is too small\n", out);
    } else {
        fputs("in one piece the free bytes would be enough: the pool is fragmented\n", out);
    }
    if (!found->possible) {
        fputs("even if it were empty, this pool could not hold the request\n", out);
        return;
    }
    fprintf(out, "fewest bytes to free for the request to succeed: %s, in %s %s%s\n",
        commas(found->least_bytes), commas(found->least_blocks),
        acre_plural(found->least_blocks, "block", "blocks"), found->least_blocks ? ":" : "");
}

static void put_block(struct acre_table_row *row, size_t column,
    const struct replay_named_block *block, bool with_size)
{
    if (with_size)
        acre_cell_number(row->cells[column++], block->size);
    acre_cell_number(row->cells[column++], block->age);
    if (block->has_thread)
        snprintf(row->cells[column++], ACRE_CELL_ROOM, "%" PRIu32, block->thread);
    else
        strcpy(row->cells[column++], "-");
    acre_cell_number(row->cells[column], block->offset);
}

static void put_titles(struct acre_table_row *row, const char *const *titles, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strcpy(row->cells[i], titles[i]);
}

static void print_least(FILE *out, const struct replay_explanation *found)
{
    static const char *const titles[] = { "", "bytes", "age", "thread", "offset" };
    struct acre_table_row rows[REPLAY_NAMED + 1] = { 0 };
    size_t count = found->least_blocks < REPLAY_NAMED ? (size_t)found->least_blocks : REPLAY_NAMED;
    if (!found->possible || !count)
        return;
    put_titles(&rows[0], titles, 5);
    for (size_t i = 0; i < count; i++)
        put_block(&rows[i + 1], 1, &found->least[i], true);
    acre_table_print(out, rows, count + 1, 5);
    if (found->least_blocks > count)
        fprintf(out, "  and %s more\n", commas(found->least_blocks - count));
}

static void print_splits(FILE *out, const struct replay_explanation *found)
{
    static const char *const titles[] = { "", "free before", "live", "blocks", "free after",
        "newest: age", "thread", "offset" };
    struct acre_table_row rows[REPLAY_NAMED + 1] = { 0 };
    size_t count = found->splits < REPLAY_NAMED ? (size_t)found->splits : REPLAY_NAMED;
    if (!count)
        return;
    fprintf(out,
        "%s %s of live blocks with free space on both sides; those that keep most apart:\n",
        commas(found->splits), acre_plural(found->splits, "group", "groups"));
    put_titles(&rows[0], titles, 8);
    for (size_t i = 0; i < count; i++) {
        const struct replay_split *split = &found->worst[i];
        acre_cell_number(rows[i + 1].cells[1], split->before);
        acre_cell_number(rows[i + 1].cells[2], split->between);
        acre_cell_number(rows[i + 1].cells[3], split->blocks);
        acre_cell_number(rows[i + 1].cells[4], split->after);
        put_block(&rows[i + 1], 5, &split->last, false);
    }
    acre_table_print(out, rows, count + 1, 8);
}

void replay_explain_print(FILE *out, const struct replay_explanation *explanation,
    const struct replay_facts *facts, const char *name, size_t pool)
{
    fprintf(out, "\n%s in a pool of %s bytes: ", name, commas(pool));
    if (explanation->refused) {
        fputs("it cannot work in so small a pool\n", out);
        return;
    }
    if (!explanation->failed) {
        fputs("it completes\n", out);
        return;
    }
    print_request(out, explanation, facts->ops);
    print_pool(out, explanation);
    print_verdict(out, explanation);
    print_least(out, explanation);
    print_splits(out, explanation);
}

/* ---- JSON ---- */

static cJSON *block_json(const struct replay_named_block *block)
{
    cJSON *object = cJSON_CreateObject();
    replay_json_count(object, "bytes", block->size);
    replay_json_count(object, "offset", block->offset);
    replay_json_count(object, "allocated_by_operation", block->born);
    replay_json_count(object, "age_operations", block->age);
    if (block->has_thread)
        replay_json_count(object, "thread", block->thread);
    else
        cJSON_AddNullToObject(object, "thread");
    return object;
}

static void add_failure(cJSON *object, const struct replay_explanation *found)
{
    static const char *const verbs[] = { "allocate", "free", "resize" };
    replay_json_count(object, "operation", found->op);
    cJSON_AddStringToObject(object, "verb", verbs[found->verb]);
    replay_json_count(object, "bytes", found->size);
    replay_json_count(object, "align", found->align);
    replay_json_count(object, "live_bytes", found->live);
    replay_json_count(object, "live_blocks", found->blocks);
    replay_json_count(object, "used_bytes", found->used);
    replay_json_count(object, "metadata_bytes", found->metadata);
    replay_json_count(object, "free_bytes", found->available);
    replay_json_count(object, "free_runs", found->runs);
    replay_json_count(object, "longest_free_run", found->largest_run);
    replay_json_count(object, "largest_request_served", found->largest_free);
}

static void add_blocks(cJSON *object, const struct replay_explanation *found)
{
    cJSON *least = cJSON_AddObjectToObject(object, "fewest_bytes_to_free");
    if (found->possible) {
        replay_json_count(least, "bytes", found->least_bytes);
        replay_json_count(least, "blocks", found->least_blocks);
    }
    cJSON *named = cJSON_AddArrayToObject(least, "first_blocks");
    for (size_t i = 0; i < REPLAY_NAMED && i < found->least_blocks; i++)
        cJSON_AddItemToArray(named, block_json(&found->least[i]));
    replay_json_count(object, "splits", found->splits);
    cJSON *splits = cJSON_AddArrayToObject(object, "worst_splits");
    for (size_t i = 0; i < REPLAY_NAMED && i < found->splits; i++) {
        cJSON *split = cJSON_CreateObject();
        replay_json_count(split, "free_before", found->worst[i].before);
        replay_json_count(split, "live_between", found->worst[i].between);
        replay_json_count(split, "blocks", found->worst[i].blocks);
        replay_json_count(split, "free_after", found->worst[i].after);
        cJSON_AddItemToObject(split, "newest_block", block_json(&found->worst[i].last));
        cJSON_AddItemToArray(splits, split);
    }
}

cJSON *replay_explain_json(
    const struct replay_explanation *explanation, const char *name, size_t pool)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", name);
    replay_json_count(object, "pool_bytes", pool);
    cJSON_AddBoolToObject(object, "completes", !explanation->refused && !explanation->failed);
    cJSON *failure = explanation->failed ? cJSON_AddObjectToObject(object, "failure") : NULL;
    if (!failure)
        return object;
    add_failure(failure, explanation);
    add_blocks(failure, explanation);
    return object;
}
