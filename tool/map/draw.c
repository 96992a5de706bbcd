/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/map/draw.h"

#include "cli/table.h"

#include <inttypes.h>

struct map_live map_count_live(const struct map_track *track)
{
    struct map_live live = { 0, 0, 0 };
    for (size_t i = 0; i < track->block_count; i++) {
        const struct map_block *block = &track->blocks[i];
        if (block->died != UINT64_MAX)
            continue;
        live.blocks++;
        live.asked += block->asked;
        live.holds += block->size;
    }
    return live;
}

static const struct map_cell *last_cells(const struct map_track *track)
{
    return track->cells + (track->moment_count - 1) * track->cell_count;
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

void map_draw_text(FILE *out, const struct map_track *track, size_t columns, bool utf8)
{
    const struct characters *with = utf8 ? &in_utf8 : &in_ascii;
    const struct map_cell *cells = last_cells(track);
    for (size_t i = 0; i < track->cell_count; i++) {
        fputs(character(with, &cells[i]), out);
        if ((i + 1) % columns == 0 || i + 1 == track->cell_count)
            fputc('\n', out);
    }
    fprintf(out, "each character is %" PRIu64 " bytes, %s to %s by the share that is live; ",
        track->cell_bytes, with->live[0], with->live[with->steps - 1]);
    if (track->walked)
        fprintf(out, "%s metadata, %s free\n", with->own, with->available);
    else
        fprintf(out, "%s free or metadata: plugins do not report metadata\n", with->available);
}

/* ---- a picture ---- */

enum { WIDTH = 960, ROW = 14, GAP = 2 };

static const char svg_head[] =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
    "aria-labelledby=\"title about\">\n"
    "<style>\n"
    ":root { --free: #e9ebee; --live: #4a7fb5; --own: #6b6f76; --ground: #fff; --ink: #1d2125 }\n"
    "@media (prefers-color-scheme: dark) {\n"
    ":root { --free: #2b3036; --live: #5b93cc; --own: #9aa1a9; --ground: #1d2125; --ink: #e8eaec "
    "}\n"
    "}\n"
    ".g { fill: var(--ground) } .f { fill: var(--free) } .l { fill: var(--live) } .o { fill: "
    "var(--own) }\n"
    "text { fill: var(--ink); font: 14px system-ui, sans-serif }\n"
    "</style>\n";

/* The bytes from `offset` on, which may run over several rows; the lowest `share` of the height. */
static void svg_bytes(FILE *out, const struct map_track *track, const char *class, uint64_t offset,
    uint64_t size, double share)
{
    double each = (double)track->plan.pool / MAP_PICTURE_ROWS;
    double end = (double)(offset + size);
    double height = (ROW - GAP) * share;
    for (int row = (int)((double)offset / each); row < MAP_PICTURE_ROWS && row * each < end;
         row++) {
        double from = (double)offset > row * each ? (double)offset : row * each;
        double to = end < (row + 1) * each ? end : (row + 1) * each;
        fprintf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"/>\n",
            class, (from - row * each) / each * WIDTH, (row + 1) * ROW - GAP - height,
            (to - from) / each * WIDTH, height);
    }
}

static void svg_cells(FILE *out, const struct map_track *track, bool live)
{
    const struct map_cell *cells = last_cells(track);
    for (size_t i = 0; i < track->cell_count; i++) {
        uint64_t at = i * track->cell_bytes;
        uint64_t left = track->plan.pool - at;
        uint64_t size = left < track->cell_bytes ? left : track->cell_bytes;
        double own = (double)(cells[i].metadata + (live ? cells[i].live : 0)) / MAP_PARTS;
        if (cells[i].metadata)
            svg_bytes(out, track, "o", at, size, own);
        if (live && cells[i].live)
            svg_bytes(out, track, "l", at, size, (double)cells[i].live / MAP_PARTS);
    }
}

static void svg_blocks(FILE *out, const struct map_track *track)
{
    for (size_t i = 0; i < track->block_count; i++) {
        const struct map_block *block = &track->blocks[i];
        if (block->died == UINT64_MAX)
            svg_bytes(out, track, "l", block->offset, block->size, 1.0);
    }
}

static void svg_key(FILE *out, int x, int y, const char *class, const char *text)
{
    fprintf(out,
        "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/>"
        "<text x=\"%d\" y=\"%d\">%s</text>\n",
        class, x, y, x + 18, y + 11, text);
}

static void svg_legend(FILE *out, const struct map_track *track, int y)
{
    svg_key(out, 0, y, "l", "live");
    if (track->walked)
        svg_key(out, 70, y, "o", "metadata");
    svg_key(out, track->walked ? 240 : 70, y, "f", track->walked ? "free" : "free or metadata");
}

void map_draw_svg(FILE *out, const struct map_track *track)
{
    struct map_live live = map_count_live(track);
    bool all = live.blocks <= MAP_PICTURE_BLOCKS;
    int height = MAP_PICTURE_ROWS * ROW;
    fprintf(out, svg_head, WIDTH, height + 24);
    fprintf(out,
        "<title id=\"title\">Heap map of %s</title>\n<desc id=\"about\">A pool of %zu bytes after "
        "operation %" PRIu64 ": %" PRIu64 " live blocks, %" PRIu64 " bytes requested.</desc>\n"
        "<rect class=\"g\" width=\"%d\" height=\"%d\"/>\n",
        track->name, track->plan.pool, track->plan.last + 1, live.blocks, live.asked, WIDTH,
        height + 24);
    svg_bytes(out, track, "f", 0, track->plan.pool, 1.0);
    svg_cells(out, track, !all);
    if (all)
        svg_blocks(out, track);
    svg_legend(out, track, height + 8);
    fputs("</svg>\n", out);
}
