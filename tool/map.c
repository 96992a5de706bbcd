/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre map: where the blocks of a trace lie at one moment. */
#include "cli/options.h"
#include "cli/table.h"
#include "number/number.h"
#include "replay/execute.h"
#include "replay/explain.h"
#include "replay/load.h"
#include "tool/allocators.h"
#include "tool/command.h"
#include "tool/compare/candidates.h"
#include "tool/import/foreign.h"
#include "tool/map/draw.h"
#include "tool/map_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct map_command {
    const char *allocator;
    const char *with;
    const char *process;
    const char *svg;
    const char *by;
    const char *colours;
    size_t at; /* from 1; 0: where most bytes are live */
    size_t pool;
    size_t hold;
    struct map_look look;
    struct map_image image;
    struct acre_progress progress;
};

static struct compare_result found;
static struct compare_candidates candidates = { .items = found.candidates };

/* ---- the allocator ---- */

static int load_plugin(const struct map_command *command)
{
    char error[512];
    if (!compare_add_file(&candidates, command->with, error, sizeof error)) {
        acre_complain("map", "%s", error);
        return ACRE_EXIT_FAILED;
    }
    if (replay_backend_has_pool(&candidates.backends[0]))
        return ACRE_EXIT_OK;
    acre_complain("map", "cannot draw %s: it manages its own memory and has no pool",
        candidates.items[0].name);
    return ACRE_EXIT_FAILED;
}

/* @return ACRE_EXIT_OK, and the candidate to look into is the first of `candidates`. */
static int find_allocator(const struct map_command *command, const struct acre_usage *usage)
{
    if (command->with && command->allocator)
        return acre_usage_error(
            usage, "--with and --allocator exclude each other: one map at a time");
    if (command->with)
        return load_plugin(command);
    const char *name = command->allocator ? command->allocator : acre_backends[0].name;
    struct compare_choice choice = { .names = &name, .name_count = 1 };
    if (!name)
        return acre_usage_error(usage, "no allocator is built in: give a plugin with --with=FILE");
    compare_find_candidates(&candidates, &choice);
    if (compare_find_unknown(&candidates, &choice))
        return acre_unknown_allocator(usage, name, false, NULL);
    if (!candidates.count || candidates.items[0].origin != COMPARE_BUILT_IN)
        return acre_usage_error(
            usage, "cannot draw this allocator: choose one built in, or a plugin with --with=FILE");
    return ACRE_EXIT_OK;
}

static void show_pool_search(void *argument, struct acre_progress *progress)
{
    (void)argument;
    acre_progress_show(progress, "searching the smallest pool", -1.0);
}

/* The smallest pool that completes. @return 0: there is none, or it was not found. */
static size_t smallest_pool(struct map_command *command, const struct replay_script *script)
{
    struct replay_worker worker = { .script = script, .backend = &candidates.backends[0] };
    struct replay_shared_file state;
    struct replay_child child;
    char ended[REPLAY_ENDED_ROOM];
    size_t pool = 0;
    if (!replay_shared_open(&state))
        return 0;
    worker.results = &state.shared->results;
    worker.results->task = REPLAY_FIT;
    if (replay_child_start(&child, replay_worker_do, &worker)) {
        replay_child_order(&child);
        if (replay_child_wait(&child, show_pool_search, NULL, &command->progress))
            pool = (size_t)worker.results->smallest_pool;
        replay_child_end(&child, ended);
    }
    acre_progress_wipe(&command->progress);
    replay_shared_close(&state);
    return pool;
}

/* ---- drawing ---- */

static size_t terminal_columns(void)
{
    struct winsize size;
    const char *given = getenv("COLUMNS");
    size_t columns = 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        columns = size.ws_col;
    else if (!given || acre_parse_count(given, &columns) != ACRE_NUMBER_OK)
        columns = 80;
    return columns < 20 ? 20 : columns > 400 ? 400 : columns;
}

static bool speaks_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

/* The colours that the terminal says it has; those of a file are none. */
static enum map_depth terminal_depth(void)
{
    const char *no = getenv("NO_COLOR");
    const char *type = getenv("COLORTERM");
    const char *terminal = getenv("TERM");
    if ((no && *no) || !isatty(STDOUT_FILENO) || !terminal || strcmp(terminal, "dumb") == 0)
        return MAP_COLOURLESS;
    if (type && (strcmp(type, "truecolor") == 0 || strcmp(type, "24bit") == 0))
        return MAP_TRUE_COLOUR;
    return strstr(terminal, "256color") ? MAP_INDEXED : MAP_COLOURLESS;
}

static bool parse_depth(struct map_command *command)
{
    static const char *const names[] = { "none", "256", "24bit" };
    command->look.depth = terminal_depth();
    if (!command->colours)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        command->look.depth = (enum map_depth)i;
        if (strcmp(command->colours, names[i]) == 0)
            return true;
    }
    return false;
}

static bool parse_colouring(struct map_command *command)
{
    if (!command->by)
        return true;
    for (int i = 0; i < MAP_COLOURINGS; i++) {
        command->look.by = (enum map_colouring)i;
        if (strcmp(command->by, map_palettes[i].name) == 0)
            return true;
    }
    return false;
}

static void print_head(const struct map_track *track, const struct replay_facts *facts)
{
    char cells[5][ACRE_CELL_ROOM];
    struct map_live live = map_count_live(track);
    acre_cell_number(cells[0], track->pool);
    acre_cell_number(cells[1], track->history->plan.last + 1);
    acre_cell_number(cells[2], facts->ops);
    acre_cell_number(cells[3], live.blocks);
    acre_cell_number(cells[4], live.asked);
    printf("%s in a pool of %s bytes, after operation %s of %s: %s live blocks,\n%s bytes "
           "requested\n",
        track->name, cells[0], cells[1], cells[2], cells[3], cells[4]);
    if (track->failed) {
        acre_cell_number(cells[0], track->failed);
        printf("%s operations failed so far\n", cells[0]);
    }
}

static bool draw_svg(const struct map_command *command, const struct map_track *track)
{
    bool to_file = strcmp(command->svg, "-") != 0;
    FILE *out = to_file ? fopen(command->svg, "w") : stdout;
    bool written = out != NULL;
    if (out) {
        map_draw_svg(out, track, &command->look);
        written = !ferror(out);
    }
    if (out && to_file)
        written = fclose(out) == 0 && written;
    if (!written)
        acre_complain("map", "cannot write '%s': %s", command->svg, strerror(errno));
    return written;
}

static bool draw(const struct map_command *command, const struct map_track *track,
    const struct replay_facts *facts)
{
    if (command->svg)
        return draw_svg(command, track);
    print_head(track, facts);
    map_draw_text(stdout, track, &command->look);
    return true;
}

/* ---- the whole ---- */

static struct map_plan make_plan(
    const struct map_command *command, const struct replay_facts *facts)
{
    uint64_t last = command->at ? command->at - 1 : facts->peak_op;
    return (struct map_plan){ .moments = 1,
        .blocks = (size_t)facts->peak_blocks + 2,
        .last = last,
        .window_first = last,
        .window_last = last };
}

static bool complain_of_pool(const struct map_command *command)
{
    if (!acre_interrupted() && !command->pool)
        acre_complain("map", "%s does not complete in a pool of any size; set one with --pool",
            candidates.items[0].name);
    else if (!acre_interrupted())
        acre_complain("map", "%s cannot work in a pool of %zu bytes", candidates.items[0].name,
            command->pool);
    return false;
}

static bool map_history(struct map_command *command, const struct replay_script *script,
    const struct map_history *history)
{
    size_t cells = command->svg ? MAP_PICTURE_ROWS * 32 : command->look.columns * MAP_TEXT_ROWS;
    struct map_track *track = map_track(
        script, &candidates.backends[0], history, command->pool, cells, &command->progress);
    if (!track) {
        if (!acre_interrupted())
            acre_complain("map", "cannot replay: %s", strerror(errno));
        return false;
    }
    track->name = candidates.items[0].name;
    bool drawn = track->refused ? complain_of_pool(command) : draw(command, track, &script->facts);
    map_track_free(track);
    return drawn;
}

static bool make_history(
    struct map_command *command, const struct replay_script *script, const uint8_t *threads)
{
    struct map_plan plan = make_plan(command, &script->facts);
    struct map_history history;
    if (!map_history_make(&history, script, &plan, threads)) {
        acre_complain("map", "not enough memory");
        return false;
    }
    bool drawn = map_history(command, script, &history);
    map_history_free(&history);
    return drawn;
}

static bool map_script(
    struct map_command *command, const struct replay_script *script, const char *path)
{
    command->look.columns = terminal_columns();
    command->look.utf8 = speaks_utf8();
    if (command->at > script->facts.ops) {
        acre_complain("map", "invalid --at: the trace has %llu operations",
            (unsigned long long)script->facts.ops);
        return false;
    }
    if (!command->pool)
        command->pool = smallest_pool(command, script);
    if (!command->pool)
        return complain_of_pool(command);
    uint8_t *threads =
        command->look.by == MAP_BY_THREAD ? replay_op_threads(path, &script->facts) : NULL;
    if (command->look.by == MAP_BY_THREAD && !threads) {
        acre_complain("map", "cannot tell the threads: the trace cannot be read again");
        return false;
    }
    bool drawn = make_history(command, script, threads);
    free(threads);
    return drawn;
}

static int load_and_map(struct map_command *command, const char *path)
{
    struct replay_script script;
    char message[REPLAY_MESSAGE_ROOM] = "";
    size_t process = REPLAY_LARGEST;
    bool drawn = false;
    if (command->process)
        acre_parse_count(command->process, &process);
    enum replay_load_status status =
        replay_load(&script, path, (struct replay_wanted){ (uint32_t)process, NULL }, command->hold,
            &command->progress, message);
    if (status == REPLAY_LOAD_FAILED)
        acre_complain("map", "%s", message);
    else if (status == REPLAY_NO_SUCH_PROCESS && command->process)
        acre_complain("map", "%s: the trace has no process %s", path, command->process);
    else if (status != REPLAY_LOAD_INTERRUPTED && (status != REPLAY_LOADED || !script.facts.ops))
        acre_complain("map", "%s: the trace has no allocations", path);
    else if (status == REPLAY_LOADED)
        drawn = map_script(command, &script, path);
    if (status == REPLAY_LOADED)
        replay_script_close(&script);
    return drawn ? ACRE_EXIT_OK : ACRE_EXIT_FAILED;
}

static int draw_image(struct map_command *command, const struct acre_usage *usage)
{
    command->look.columns = terminal_columns();
    command->look.utf8 = speaks_utf8();
    command->image.look = command->look;
    command->image.svg = command->svg;
    command->image.allocator = command->allocator;
    return map_image(&command->image, usage);
}

static int draw_map(
    struct map_command *command, const struct acre_usage *usage, int argc, char **argv)
{
    size_t process = 0;
    if (argc != (command->image.file ? 0 : 1))
        return acre_usage_error(usage, argc ? "more than one trace given" : "no trace given");
    if (command->process &&
        (acre_parse_count(command->process, &process) != ACRE_NUMBER_OK || process >= UINT32_MAX))
        return acre_usage_error(
            usage, "invalid --process '%s' (expected a number)", command->process);
    if (!parse_colouring(command))
        return acre_usage_invalid(
            usage, "--by", command->by, (const char *const[]){ "size", "age", "thread", NULL });
    if (!parse_depth(command))
        return acre_usage_invalid(usage, "--colours", command->colours,
            (const char *const[]){ "none", "256", "24bit", NULL });
    if (command->image.file)
        return draw_image(command, usage);
    int code = find_allocator(command, usage);
    if (code != ACRE_EXIT_OK)
        return code;
    acre_progress_open(&command->progress);
    acre_catch_interrupts();
    char room[FOREIGN_PATH_ROOM];
    const char *path = foreign_open("map", argv[0], room);
    code = path ? load_and_map(command, path) : ACRE_EXIT_FAILED;
    if (acre_interrupted())
        acre_die_interrupted();
    return code;
}

int acre_cmd_map(int argc, char **argv)
{
    static struct map_command command = { .hold = REPLAY_HOLD };
    const struct acre_option options[] = {
        { "at", 'n', ACRE_OPTION_COUNT, "N",
            "after operation N, from 1 (default: at the peak of\nlive bytes)", &command.at },
        { "allocator", 'a', ACRE_OPTION_TEXT, "NAME",
            "allocator to draw (tlsf, buddy/16, ...; default: tlsf)", &command.allocator },
        { "with", 'w', ACRE_OPTION_TEXT, "FILE", "draw the allocator of the plugin FILE",
            &command.with },
        { "pool", 'p', ACRE_OPTION_SIZE, "SIZE",
            "pool size (default: the smallest pool in which the\nwhole trace completes)",
            &command.pool },
        { "by", 'b', ACRE_OPTION_TEXT, "WHAT", "colour the blocks by size (default), age or thread",
            &command.by },
        { "colours", 0, ACRE_OPTION_TEXT, "DEPTH",
            "none, 256 or 24bit (default: what the terminal says\nit has; none with NO_COLOR)",
            &command.colours },
        { "svg", 's', ACRE_OPTION_TEXT, "FILE",
            "write an SVG picture to FILE ('-': standard output)", &command.svg },
        { "process", 0, ACRE_OPTION_TEXT, "N",
            "process N of the trace, from 0 (default: the process\nwith the highest peak of live "
            "bytes)",
            &command.process },
        { "image", 'i', ACRE_OPTION_TEXT, "FILE",
            "check and draw the heap in this dump of a machine's\nmemory instead of a trace (tlsf, "
            "buddy, slab, bitmap)",
            &command.image.file },
        { "base", 0, ACRE_OPTION_TEXT, "ADDRESS", "address of the dump's first byte",
            &command.image.base },
        { "heap", 0, ACRE_OPTION_TEXT, "PLACE",
            "address of the allocator's struct, or SYMBOL[+OFFSET]", &command.image.heap },
        { "elf", 0, ACRE_OPTION_TEXT, "FILE", "the machine's program: symbols, word, byte order",
            &command.image.elf },
        { "word", 0, ACRE_OPTION_TEXT, "BITS", "32 or 64 (default: as --elf says, else 64)",
            &command.image.word },
        { "order", 0, ACRE_OPTION_TEXT, "ORDER",
            "little or big (default: as --elf says, else little)", &command.image.order },
        { "granule", 0, ACRE_OPTION_TEXT, "BYTES",
            "of TLSF: 8 or 16 (default: that with which it is sound)", &command.image.granule },
        { "wide", 0, ACRE_OPTION_FLAG, NULL, "the machine's library has ACRE_TLSF_WIDE",
            &command.image.wide },
        { "hold", 0, ACRE_OPTION_SIZE, "SIZE",
            "memory for the trace, 8 bytes per operation\n(default: 256M); longer traces are read "
            "from disk",
            &command.hold },
        { .name = NULL },
    };
    const struct acre_usage usage = { "map", "FILE",
        "Draws the layout of the blocks of the trace FILE ('-': standard input) in the\n"
        "pool of a built-in allocator, or of a plugin, after one operation of the trace.\n"
        "With --image, checks and draws a heap in a dump of a machine's memory.",
        options, false };
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    return draw_map(&command, &usage, argc, argv);
}
