/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/map/draw.h"

#include <inttypes.h>

struct map_live map_count_live(const struct map_track *track)
{
    struct map_live live = { 0, 0, 0 };
    for (size_t i = 0; i < track->history->block_count; i++) {
        const struct map_block *block = &track->history->blocks[i];
        if (block->died != UINT64_MAX || !track->places[i].size)
            continue;
        live.blocks++;
        live.asked += block->asked;
        live.holds += track->places[i].size;
    }
    return live;
}

const struct map_cell *map_last_cells(const struct map_track *track)
{
    return track->cells + (track->history->moment_count - 1) * track->cell_count;
}

unsigned map_block_shade(
    const struct map_history *history, const struct map_block *block, enum map_colouring by)
{
    if (by == MAP_BY_SIZE)
        return map_size_shade(block->asked);
    if (by == MAP_BY_AGE)
        return map_age_shade(history->plan.last - block->born, history->ops);
    return map_thread_shade(block->thread);
}

/* A cell's age is told in moments: it was born in the interval before the moment `born`. */
unsigned map_cell_shade(
    const struct map_track *track, const struct map_cell *cell, enum map_colouring by)
{
    const struct map_history *history = track->history;
    if (by == MAP_BY_SIZE)
        return cell->size_shade;
    if (by == MAP_BY_THREAD)
        return map_thread_shade(cell->thread);
    return map_age_shade(history->plan.last - history->moments[cell->born], history->ops);
}

/* ---- characters ---- */

/* By how much of the cell is live, in thirds or eighths; then the allocator's own, and free. */
struct characters {
    const char *live[8];
    size_t steps;
    const char *own, *available;
};

static const struct characters in_utf8 = { { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }, 8, "▒",
    "·" };
static const struct characters in_ascii = { { "-", "+", "#" }, 3, "m", "." };

static const char *character(const struct characters *with, const struct map_cell *cell)
{
    if (cell->live)
        return with->live[(cell->live * with->steps - 1) / MAP_PARTS];
    return cell->metadata * 2 > MAP_PARTS ? with->own : with->available;
}

/* The shade of what is not live: the colour of text. */
enum { PLAIN = MAP_SHADES };

static void set_colour(FILE *out, const struct map_look *look, unsigned shade)
{
    const struct map_palette *palette = &map_palettes[look->by];
    if (look->depth == MAP_COLOURLESS)
        return;
    if (shade >= PLAIN)
        fputs("\033[0m", out);
    else if (look->depth == MAP_INDEXED)
        fprintf(out, "\033[38;5;%um", palette->indexed[shade]);
    else
        fprintf(out, "\033[38;2;%u;%u;%um", (unsigned)palette->colours[shade] >> 16,
            (unsigned)palette->colours[shade] >> 8 & 255, (unsigned)palette->colours[shade] & 255);
}

static void draw_rows(FILE *out, const struct map_track *track, const struct map_look *look,
    const struct characters *with)
{
    const struct map_cell *cells = map_last_cells(track);
    unsigned last = PLAIN;
    for (size_t i = 0; i < track->cell_count; i++) {
        unsigned shade = cells[i].live ? map_cell_shade(track, &cells[i], look->by) : PLAIN;
        if (shade != last)
            set_colour(out, look, shade);
        last = shade;
        fputs(character(with, &cells[i]), out);
        if ((i + 1) % look->columns && i + 1 < track->cell_count)
            continue;
        if (last != PLAIN)
            set_colour(out, look, PLAIN);
        last = PLAIN;
        fputc('\n', out);
    }
}

static void draw_text_legend(FILE *out, const struct map_look *look, const struct characters *with)
{
    const struct map_palette *palette = &map_palettes[look->by];
    fprintf(out, "%s:", palette->title);
    for (unsigned i = 0; i < MAP_SHADES; i++) {
        fputc(' ', out);
        set_colour(out, look, i);
        fputs(with->live[with->steps - 1], out);
        set_colour(out, look, PLAIN);
        fprintf(out, " %s", palette->labels[i]);
    }
    fputc('\n', out);
}

void map_draw_text(FILE *out, const struct map_track *track, const struct map_look *look)
{
    const struct characters *with = look->utf8 ? &in_utf8 : &in_ascii;
    draw_rows(out, track, look, with);
    if (look->depth != MAP_COLOURLESS)
        draw_text_legend(out, look, with);
    fprintf(out, "each character is %" PRIu64 " bytes, %s to %s by the share that is live; ",
        track->cell_bytes, with->live[0], with->live[with->steps - 1]);
    if (track->walked)
        fprintf(out, "%s metadata, %s free\n", with->own, with->available);
    else
        fprintf(out, "%s free or metadata: plugins do not report metadata\n", with->available);
}
