/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Scenarios of programs: a game, a database, a service that parses documents. */
#include "tool/compare/scenarios.h"

/* ---- game-frame ----
 *
 * A level's assets are large and live until the next level, of which a quarter are shared. Each
 * frame takes scratch blocks, freed together at its end in reverse, and some entities and bursts of
 * particles, which die at random after tens or hundreds of frames.
 */
enum { LEVELS = 4, FRAMES = 600, ASSETS = 160, ENTITIES = 3000, SCRATCH = 40 };

static void level_load(struct scenario_run *run, scenario_block *assets)
{
    for (size_t i = 0; i < ASSETS; i++) {
        if (assets[i] != SCENARIO_NONE && scenario_once_in(run, 4))
            continue;
        scenario_give(run, &assets[i]);
        assets[i] = scenario_take_aligned(run, scenario_size(run, 4096, 2097152), 64);
    }
}

static void entities_step(struct scenario_run *run, scenario_block *entities)
{
    enum { PARTICLE = 48 };
    bool burst = scenario_once_in(run, 20);
    for (uint32_t i = burst ? 100 : 10; i; i--) {
        scenario_block *entity = &entities[scenario_below(run, ENTITIES)];
        if (*entity == SCENARIO_NONE)
            *entity = scenario_take(run, burst ? PARTICLE : scenario_size(run, 96, 1536));
        else if (scenario_once_in(run, 2))
            scenario_give(run, entity);
    }
}

static void frame(struct scenario_run *run, scenario_block *entities)
{
    scenario_block scratch[SCRATCH];
    size_t count = 10 + scenario_below(run, SCRATCH - 10);
    for (size_t i = 0; i < count; i++)
        scratch[i] = scenario_take(run, scenario_size(run, 64, 65536));
    entities_step(run, entities);
    while (count)
        scenario_give(run, &scratch[--count]);
}

void scenario_game_frame(struct scenario_run *run)
{
    static scenario_block assets[ASSETS];
    static scenario_block entities[ENTITIES];
    scenario_clear(assets, ASSETS);
    scenario_clear(entities, ENTITIES);
    for (int level = 0; level < LEVELS; level++) {
        level_load(run, assets);
        for (int i = 0; i < FRAMES; i++)
            frame(run, entities);
        scenario_give_all(run, entities, ENTITIES);
    }
}

/* ---- database ----
 *
 * A cache of pages, 4 KiB at a multiple of that, is filled and then evicts at random. Statements
 * are parsed into many small blocks; some stay in a cache of statements. Running one takes rows,
 * and one in ten a sort buffer that grows by doubling. Connections hold a few blocks for long.
 */
enum { PAGES = 2000, STATEMENTS = 120, NODES = 60, CONNECTIONS = 50, QUERIES = 4000, PAGE = 4096 };

struct statement {
    scenario_block nodes[NODES];
};

static void parse(struct scenario_run *run, struct statement *statement)
{
    size_t count = 12 + scenario_below(run, NODES - 12);
    scenario_clear(statement->nodes, NODES);
    for (size_t i = 0; i < count; i++)
        statement->nodes[i] = scenario_take(run, scenario_size(run, 24, 512));
}

static void touch_pages(struct scenario_run *run, scenario_block *pages)
{
    for (uint32_t i = 1 + scenario_below(run, 8); i; i--) {
        scenario_block *page = &pages[scenario_below(run, PAGES)];
        if (*page != SCENARIO_NONE && !scenario_once_in(run, 3))
            continue;
        scenario_give(run, page);
        *page = scenario_take_aligned(run, PAGE, PAGE);
    }
}

static void sort(struct scenario_run *run)
{
    uint64_t size = 1024;
    scenario_block buffer = scenario_take(run, size);
    while (size < 262144 && !scenario_once_in(run, 8)) {
        size *= 2;
        scenario_resize(run, &buffer, size);
        scenario_block key = scenario_take(run, scenario_size(run, 16, 256));
        scenario_give(run, &key);
    }
    scenario_give(run, &buffer);
}

static void query(struct scenario_run *run, scenario_block *pages)
{
    enum { ROWS = 24 };
    scenario_block rows[ROWS];
    size_t count = 1 + scenario_below(run, ROWS - 1);
    touch_pages(run, pages);
    for (size_t i = 0; i < count; i++)
        rows[i] = scenario_take(run, scenario_size(run, 40, 2048));
    if (scenario_once_in(run, 10))
        sort(run);
    scenario_give_all(run, rows, count);
}

void scenario_database(struct scenario_run *run)
{
    static scenario_block pages[PAGES];
    static struct statement cache[STATEMENTS];
    static scenario_block connections[CONNECTIONS];
    scenario_clear(pages, PAGES);
    scenario_clear(connections, CONNECTIONS);
    for (size_t i = 0; i < STATEMENTS; i++)
        scenario_clear(cache[i].nodes, NODES);
    for (int i = 0; i < QUERIES; i++) {
        struct statement *statement = &cache[scenario_below(run, STATEMENTS)];
        scenario_block *connection = &connections[scenario_below(run, CONNECTIONS)];
        if (statement->nodes[0] == SCENARIO_NONE || scenario_once_in(run, 3)) {
            scenario_give_all(run, statement->nodes, NODES);
            parse(run, statement);
        }
        query(run, pages);
        if (scenario_once_in(run, 30)) {
            scenario_give(run, connection);
            *connection = scenario_take(run, 8192 + scenario_below(run, 8192));
        }
    }
}

/* ---- json ----
 *
 * A document is read into a buffer that grows, then made into a tree: a node for each value, a
 * string for most, arrays that grow as they are filled. Its answer is printed into another buffer.
 * Most documents are then freed in the order of the tree, one in six stays in a cache for a while.
 */
enum { DOCUMENTS = 150, CACHE = 12, VALUES = 1200 };

struct document {
    scenario_block nodes[VALUES];
    scenario_block strings[VALUES];
    scenario_block array;
};

static void grow_buffer(struct scenario_run *run, scenario_block *buffer, uint64_t size)
{
    uint64_t room = 256;
    *buffer = scenario_take(run, room);
    while (room < size) {
        room *= 2;
        scenario_resize(run, buffer, room);
    }
}

static void build_tree(struct scenario_run *run, struct document *document, size_t count)
{
    enum { NODE = 64, FIRST_ROOM = 4 };
    uint64_t room = FIRST_ROOM;
    document->array = scenario_take(run, room * sizeof(uint64_t));
    for (size_t i = 0; i < count; i++) {
        document->nodes[i] = scenario_take(run, NODE);
        if (!scenario_once_in(run, 4))
            document->strings[i] = scenario_take(run, 1 + scenario_size(run, 4, 200));
        if (i == room) {
            room *= 2;
            scenario_resize(run, &document->array, room * sizeof(uint64_t));
        }
    }
}

static void drop_tree(struct scenario_run *run, struct document *document)
{
    for (size_t i = 0; i < VALUES; i++) {
        scenario_give(run, &document->strings[i]);
        scenario_give(run, &document->nodes[i]);
    }
    scenario_give(run, &document->array);
}

static void clear_document(struct document *document)
{
    scenario_clear(document->nodes, VALUES);
    scenario_clear(document->strings, VALUES);
    document->array = SCENARIO_NONE;
}

static void serve_requests(struct scenario_run *run, struct document *document)
{
    size_t count = (size_t)scenario_size(run, 100, VALUES);
    scenario_block text;
    scenario_block answer;
    grow_buffer(run, &text, count * 24);
    build_tree(run, document, count);
    scenario_give(run, &text);
    grow_buffer(run, &answer, count * 20);
    scenario_give(run, &answer);
}

void scenario_json(struct scenario_run *run)
{
    static struct document cache[CACHE];
    static struct document one;
    clear_document(&one);
    for (size_t i = 0; i < CACHE; i++)
        clear_document(&cache[i]);
    for (int i = 0; i < DOCUMENTS; i++) {
        struct document *kept = &cache[scenario_below(run, CACHE)];
        bool keep = scenario_once_in(run, 6);
        if (keep)
            drop_tree(run, kept);
        serve_requests(run, keep ? kept : &one);
        if (!keep)
            drop_tree(run, &one);
    }
}
