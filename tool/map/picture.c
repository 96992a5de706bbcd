/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The picture: title, the rows of the pool with their addresses at the left, legend. */
#include "cli/size.h"
#include "cli/table.h"
#include "tool/map/draw.h"

#include <inttypes.h>

enum {
    MARGIN = 24,
    LEFT = 96, /* addresses */
    TOP = 74,  /* title */
    WIDTH = 960,
    ROW = 14,
    GAP = 2,
    FOOT = 64, /* legend */
    ROWS_PER_MARK = 4
};

static const int map_height = MAP_PICTURE_ROWS * ROW;

static void svg_style(FILE *out, const struct map_palette *palette)
{
    fputs("<style>\n"
          ":root { --free: #e6e9ee; --own: #767d88; --ground: #ffffff; --ink: #161b22; --quiet: "
          "#57606c }\n"
          "@media (prefers-color-scheme: dark) {\n"
          ":root { --free: #262c35; --own: #8b93a0; --ground: #12161c; --ink: #e8ebf0; --quiet: "
          "#a2abb8 }\n"
          "}\n"
          ".g { fill: var(--ground) } .f { fill: var(--free) } .o { fill: var(--own) }\n",
        out);
    for (unsigned i = 0; i < MAP_SHADES; i++)
        fprintf(out, ".s%u { fill: #%06x } ", i, (unsigned)palette->colours[i]);
    fputs("\ntext { fill: var(--quiet); font: 13px system-ui, sans-serif }\n"
          ".title { fill: var(--ink); font: 600 22px system-ui, sans-serif }\n"
          ".at { text-anchor: end; font-size: 11px }\n"
          "</style>\n",
        out);
}

static void svg_text(FILE *out, const char *class, int x, int y, const char *text)
{
    fprintf(out, "<text%s%s%s x=\"%d\" y=\"%d\">%s</text>\n", class[0] ? " class=\"" : "", class,
        class[0] ? "\"" : "", x, y, text);
}

static void svg_head(FILE *out, const struct map_track *track, const struct map_palette *palette)
{
    int width = LEFT + WIDTH + MARGIN;
    int height = TOP + map_height + FOOT;
    struct map_live live = map_count_live(track);
    char pool[ACRE_FORMAT_BYTES_ROOM];
    char cells[3][ACRE_CELL_ROOM];
    char line[512];
    acre_format_bytes(pool, track->pool);
    acre_cell_number(cells[0], track->history->plan.last + 1);
    acre_cell_number(cells[1], live.blocks);
    acre_cell_number(cells[2], live.asked);
    fprintf(out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
        "aria-labelledby=\"title about\">\n",
        width, height);
    svg_style(out, palette);
    snprintf(line, sizeof line,
        "A pool of %s after operation %s: %s live blocks, %s bytes requested", pool, cells[0],
        cells[1], cells[2]);
    fprintf(out, "<title id=\"title\">Heap map of %s</title>\n<desc id=\"about\">%s.</desc>\n",
        track->name, line);
    fprintf(out, "<rect class=\"g\" width=\"%d\" height=\"%d\"/>\n", width, height);
    fprintf(
        out, "<text class=\"title\" x=\"%d\" y=\"38\">Heap map of %s</text>\n", LEFT, track->name);
    svg_text(out, "", LEFT, 60, line);
}

/* The bytes from `offset` on, which may run over several rows; the lowest `share` of the height. */
static void svg_bytes(FILE *out, const struct map_track *track, const char *class, uint64_t offset,
    uint64_t size, double share)
{
    double each = (double)track->pool / MAP_PICTURE_ROWS;
    double end = (double)(offset + size);
    double height = (ROW - GAP) * share;
    for (int row = (int)((double)offset / each); row < MAP_PICTURE_ROWS && row * each < end;
         row++) {
        double from = (double)offset > row * each ? (double)offset : row * each;
        double to = end < (row + 1) * each ? end : (row + 1) * each;
        fprintf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"/>\n",
            class, LEFT + (from - row * each) / each * WIDTH, TOP + (row + 1) * ROW - GAP - height,
            (to - from) / each * WIDTH, height);
    }
}

static void write_class(char class[4], unsigned shade)
{
    snprintf(class, 4, "s%u", shade % MAP_SHADES);
}

static void svg_cells(FILE *out, const struct map_track *track, enum map_colouring by, bool live)
{
    const struct map_cell *cells = map_last_cells(track);
    char class[4];
    for (size_t i = 0; i < track->cell_count; i++) {
        uint64_t at = i * track->cell_bytes;
        uint64_t left = track->pool - at;
        uint64_t size = left < track->cell_bytes ? left : track->cell_bytes;
        double own = (double)(cells[i].metadata + (live ? cells[i].live : 0)) / MAP_PARTS;
        if (cells[i].metadata)
            svg_bytes(out, track, "o", at, size, own);
        if (!live || !cells[i].live)
            continue;
        write_class(class, map_cell_shade(track, &cells[i], by));
        svg_bytes(out, track, class, at, size, (double)cells[i].live / MAP_PARTS);
    }
}

static void svg_blocks(FILE *out, const struct map_track *track, enum map_colouring by)
{
    const struct map_history *history = track->history;
    char class[4];
    for (size_t i = 0; i < history->block_count; i++) {
        const struct map_place *place = &track->places[i];
        if (history->blocks[i].died != UINT64_MAX || !place->size)
            continue;
        write_class(class, map_block_shade(history, &history->blocks[i], by));
        svg_bytes(out, track, class, place->offset, place->size, 1.0);
    }
}

static void svg_scale(FILE *out, const struct map_track *track)
{
    char text[ACRE_FORMAT_BYTES_ROOM];
    for (int row = 0; row < MAP_PICTURE_ROWS; row += ROWS_PER_MARK) {
        acre_format_bytes(text, track->pool / MAP_PICTURE_ROWS * (size_t)row);
        svg_text(out, "at", LEFT - 8, TOP + row * ROW + 10, text);
    }
}

/* @return where the next one begins. */
static int svg_key(FILE *out, int x, int y, const char *class, const char *text, int width)
{
    fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" rx=\"2\"/>",
        class, x, y);
    svg_text(out, "", x + 18, y + 11, text);
    return x + width;
}

static void svg_legend(FILE *out, const struct map_track *track, const struct map_palette *palette)
{
    int y = TOP + map_height + 14;
    int x = LEFT + 170;
    char class[4];
    svg_text(out, "", LEFT, y + 11, palette->title);
    for (unsigned i = 0; i < MAP_SHADES; i++) {
        write_class(class, i);
        x = svg_key(out, x, y, class, palette->labels[i], 98);
    }
    x = LEFT + 170;
    if (track->walked)
        x = svg_key(out, x, y + 24, "o", "metadata", 98);
    svg_key(out, x, y + 24, "f", track->walked ? "free" : "free or metadata", 98);
}

void map_draw_svg(FILE *out, const struct map_track *track, const struct map_look *look)
{
    const struct map_palette *palette = &map_palettes[look->by];
    bool all = map_count_live(track).blocks <= MAP_PICTURE_BLOCKS;
    svg_head(out, track, palette);
    svg_bytes(out, track, "f", 0, track->pool, 1.0);
    svg_cells(out, track, look->by, !all);
    if (all)
        svg_blocks(out, track, look->by);
    svg_scale(out, track);
    svg_legend(out, track, palette);
    fputs("</svg>\n", out);
}
