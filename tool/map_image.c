/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/map_image.h"

#include "cli/table.h"
#include "tool/command.h"
#include "tool/image/image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct image_file {
    uint8_t *bytes;
    size_t size;
};

static bool read_file(struct image_file *file, const char *path)
{
    size_t room = 0;
    FILE *in = fopen(path, "rb");
    *file = (struct image_file){ NULL, 0 };
    while (in != NULL) {
        if (file->size == room) {
            room = room > 0 ? room * 2 : 1 << 16;
            uint8_t *more = realloc(file->bytes, room);
            if (more == NULL)
                break;
            file->bytes = more;
        }
        size_t got = fread(file->bytes + file->size, 1, room - file->size, in);
        file->size += got;
        if (got == 0)
            break;
    }
    bool good = in != NULL && feof(in) && !ferror(in);
    if (!good)
        acre_complain("map", "cannot read '%s': %s", path, strerror(errno));
    if (in != NULL)
        fclose(in);
    return good;
}

/* ---- what the command line says ---- */

static bool parse_address(const char *text, uint64_t *address)
{
    char *end;
    errno = 0;
    *address = strtoull(text, &end, 0);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

/* An address, SYMBOL or SYMBOL+OFFSET. */
static bool find_heap(const char *text, const struct image_elf *elf, uint64_t *at)
{
    char name[256];
    uint64_t offset = 0;
    size_t length = strcspn(text, "+");
    if (parse_address(text, at))
        return true;
    if (elf == NULL || length >= sizeof name ||
        (text[length] == '+' && !parse_address(text + length + 1, &offset)))
        return false;
    memcpy(name, text, length);
    name[length] = '\0';
    bool found = image_elf_symbol(elf, name, at);
    *at += offset;
    return found;
}

/* The word of a list that a text is, from 0; -1: none. */
static int choice(const char *text, const char *first, const char *second)
{
    return strcmp(text, first) == 0 ? 0 : strcmp(text, second) == 0 ? 1 : -1;
}

static bool parse_facts(const struct map_image *image, const struct image_elf *elf,
    struct image_facts *facts, const struct acre_usage *usage)
{
    int word = image->word ? choice(image->word, "32", "64") : elf && elf->word == 4 ? 0 : 1;
    int order = image->order ? choice(image->order, "little", "big") : elf && elf->big ? 1 : 0;
    int granule = image->granule ? choice(image->granule, "8", "16") : 2;
    if (word < 0)
        acre_usage_error(usage, "invalid --word '%s' (choose from 32, 64)", image->word);
    else if (order < 0)
        acre_usage_invalid(
            usage, "--order", image->order, (const char *const[]){ "little", "big", NULL });
    else if (granule < 0 || (granule == 0 && word == 1))
        acre_usage_error(
            usage, "invalid --granule '%s' (choose from 8 for 32-bit words, 16)", image->granule);
    *facts = (struct image_facts){ .word = word == 0 ? 4 : 8,
        .big = order == 1,
        .granule = granule == 2   ? 0
                   : granule == 0 ? 8
                                  : 16,
        .wide = image->wide };
    return word >= 0 && order >= 0 && granule >= 0 && !(granule == 0 && word == 1);
}

/* ---- the drawing ---- */

/* One region as a track of one moment. */
struct drawing {
    struct map_history history;
    struct map_track track;
    uint64_t moment, live;
    struct map_cell *cells;
    struct map_block *blocks;
    struct map_place *places;
};

static uint64_t image_overlap(uint64_t from, uint64_t to, uint64_t first, uint64_t end)
{
    uint64_t low = from > first ? from : first;
    uint64_t high = to < end ? to : end;
    return high > low ? high - low : 0;
}

static void fill_image_cell(struct map_cell *cell, const struct image_heap *heap,
    const struct image_region *region, uint64_t first, uint64_t bytes)
{
    uint64_t live = 0;
    uint64_t available = 0;
    uint64_t most = 0;
    for (size_t i = 0; i < heap->block_count; i++) {
        const struct image_block *block = &heap->blocks[i];
        uint64_t from = block->start - region->start;
        uint64_t part = image_overlap(from, from + block->size, first, first + bytes);
        live += block->live ? part : 0;
        available += block->live ? 0 : part;
        if (block->live && part > most) {
            most = part;
            cell->size_shade = (uint8_t)map_size_shade(block->size);
        }
    }
    if (bytes == 0)
        return;
    uint64_t own = bytes > live + available ? bytes - live - available : 0;
    cell->live = (uint8_t)((live * MAP_PARTS + bytes - 1) / bytes);
    cell->metadata = (uint8_t)(own * MAP_PARTS / bytes);
}

static void collect_blocks(
    struct drawing *drawing, const struct image_heap *heap, const struct image_region *region)
{
    for (size_t i = 0; i < heap->block_count; i++) {
        const struct image_block *block = &heap->blocks[i];
        if (!block->live || block->start - region->start >= region->size)
            continue;
        size_t at = drawing->history.block_count++;
        drawing->blocks[at] = (struct map_block){ .died = UINT64_MAX, .asked = block->size };
        drawing->places[at] = (struct map_place){ block->start - region->start, block->size };
    }
}

static bool make_drawing(struct drawing *drawing, const char *name, const struct image_heap *heap,
    const struct image_region *region, size_t cells)
{
    memset(drawing, 0, sizeof *drawing);
    uint64_t bytes = region->size / cells + (region->size % cells != 0);
    if (bytes == 0) /* no region is empty */
        return false;
    size_t count = (size_t)((region->size + bytes - 1) / bytes);
    drawing->cells = calloc(count, sizeof *drawing->cells);
    drawing->blocks = calloc(heap->block_count + 1, sizeof *drawing->blocks);
    drawing->places = calloc(heap->block_count + 1, sizeof *drawing->places);
    if (!drawing->cells || !drawing->blocks || !drawing->places)
        return false;
    drawing->history = (struct map_history){ .ops = 1,
        .moment_count = 1,
        .moments = &drawing->moment,
        .live = &drawing->live,
        .blocks = drawing->blocks };
    drawing->track = (struct map_track){ .history = &drawing->history,
        .name = name,
        .pool = (size_t)region->size,
        .walked = true,
        .cell_bytes = bytes,
        .cell_count = count,
        .cells = drawing->cells,
        .places = drawing->places };
    for (size_t i = 0; i < count; i++)
        fill_image_cell(&drawing->cells[i], heap, region, i * bytes,
            image_overlap(i * bytes, (i + 1) * bytes, 0, region->size));
    collect_blocks(drawing, heap, region);
    return true;
}

static void free_drawing(struct drawing *drawing)
{
    free(drawing->cells);
    free(drawing->blocks);
    free(drawing->places);
}

/* Numbers of the picture or text that this image asks for. */
static bool draw_region(
    const struct map_image *image, const struct image_heap *heap, const struct image_region *region)
{
    struct drawing drawing;
    bool to_file = image->svg && strcmp(image->svg, "-") != 0;
    size_t cells = image->svg ? MAP_PICTURE_ROWS * 32 : image->look.columns * MAP_TEXT_ROWS;
    FILE *out = to_file ? fopen(image->svg, "w") : stdout;
    bool good = make_drawing(&drawing, image->allocator, heap, region, cells);
    if (!good)
        acre_complain("map", "not enough memory");
    if (good && out && image->svg)
        map_draw_svg(out, &drawing.track, &image->look);
    else if (good && out)
        map_draw_text(out, &drawing.track, &image->look);
    if (!out || ferror(out)) {
        acre_complain(
            "map", "cannot write '%s': %s", image->svg ? image->svg : "-", strerror(errno));
        good = false;
    }
    if (to_file && out)
        good = fclose(out) == 0 && good;
    free_drawing(&drawing);
    return good;
}

static const struct image_region *largest_region(const struct image_heap *heap)
{
    const struct image_region *largest = NULL;
    for (size_t i = 0; i < heap->region_count; i++)
        if (!largest || heap->regions[i].size > largest->size)
            largest = &heap->regions[i];
    return largest;
}

/* ---- the whole ---- */

static void print_summary(
    FILE *out, const struct image_kind *kind, const struct image_heap *heap, uint64_t at)
{
    char cells[2][ACRE_CELL_ROOM];
    acre_cell_number(cells[0], heap->live_count);
    acre_cell_number(cells[1], heap->live_bytes);
    fprintf(out, "%s at 0x%" PRIx64 ", %s %" PRIu64 ": %zu %s, %s live %s of %s bytes\n",
        kind->name, at, kind->unit, heap->unit, heap->region_count,
        acre_plural(heap->region_count, "region", "regions"), cells[0], kind->live, cells[1]);
    if (heap->broken[0] == '\0')
        fprintf(out, "sound: %s hold\n", kind->rules);
    else
        fprintf(out, "DAMAGED at 0x%" PRIx64 ": %s\n", heap->where, heap->broken);
}

/* The last blocks that could be read before the damage: its neighbours by address. */
static void print_neighbours(FILE *out, const struct image_heap *heap)
{
    static const char *const of_blocks[] = { "TLSF-2", "TLSF-3", "TLSF-4", "TLSF-5", "BUDDY-2",
        "BUDDY-3", "BUDDY-4", "SLAB-2", "SLAB-5", "SLAB-6" };
    size_t from = heap->block_count > 4 ? heap->block_count - 4 : 0;
    bool shown = false;
    for (size_t i = 0; i < sizeof of_blocks / sizeof of_blocks[0]; i++)
        shown = shown || strncmp(heap->broken, of_blocks[i], strlen(of_blocks[i])) == 0;
    if (!shown)
        return;
    for (size_t i = from; i < heap->block_count; i++)
        fprintf(out, "  before it: 0x%" PRIx64 ", %" PRIu64 " bytes, %s\n", heap->blocks[i].start,
            heap->blocks[i].size, heap->blocks[i].live ? "live" : "free");
}

static bool show_heap(const struct map_image *image, const struct image_kind *kind,
    const struct image_heap *heap, uint64_t at)
{
    FILE *out = image->svg ? stderr : stdout;
    bool good = true;
    print_summary(out, kind, heap, at);
    print_neighbours(out, heap);
    if (image->svg)
        return !largest_region(heap) || draw_region(image, heap, largest_region(heap));
    for (size_t i = 0; i < heap->region_count && good; i++) {
        const struct image_region *region = &heap->regions[i];
        printf("\nregion 0x%" PRIx64 " to 0x%" PRIx64 "\n", region->start,
            region->start + region->size);
        good = draw_region(image, heap, region);
    }
    return good;
}

static int map_bytes(const struct map_image *image, const struct image_kind *kind,
    const struct image *bytes, uint64_t at)
{
    struct image_heap heap;
    kind->check(&heap, bytes, at);
    if (heap.no_memory)
        acre_complain("map", "not enough memory");
    bool good = !heap.no_memory && show_heap(image, kind, &heap, at) && heap.broken[0] == '\0';
    image_heap_free(&heap);
    return good ? ACRE_EXIT_OK : ACRE_EXIT_FAILED;
}

static int map_files(const struct map_image *image, const struct acre_usage *usage,
    const struct image_file *dump, const struct image_elf *elf)
{
    struct image bytes = { .bytes = dump->bytes, .size = dump->size };
    uint64_t at = 0;
    const struct image_kind *kind = image_kind_named(image->allocator);
    if (kind == NULL)
        return acre_usage_error(usage,
            "no images of '%s' can be read (choose from tlsf, buddy, slab, bitmap)",
            image->allocator);
    if (!parse_facts(image, elf, &bytes.facts, usage))
        return ACRE_EXIT_USAGE;
    if (!parse_address(image->base, &bytes.base))
        return acre_usage_error(usage, "invalid --base '%s' (expected an address)", image->base);
    if (!find_heap(image->heap, elf, &at)) {
        acre_complain("map", "invalid --heap '%s': no address, and %s", image->heap,
            elf ? "no symbol of the ELF file" : "no --elf to look symbols up in");
        return ACRE_EXIT_FAILED;
    }
    return map_bytes(image, kind, &bytes, at);
}

int map_image(const struct map_image *given, const struct acre_usage *usage)
{
    struct map_image own = *given;
    const struct map_image *image = &own;
    own.allocator = given->allocator ? given->allocator : "tlsf";
    struct image_file dump = { NULL, 0 };
    struct image_file program = { NULL, 0 };
    struct image_elf elf = { .word = 0 };
    int code = ACRE_EXIT_FAILED;
    if (!image->base || !image->heap)
        return acre_usage_error(
            usage, "--image needs --base=ADDRESS of its first byte, and --heap=ADDRESS or SYMBOL");
    bool good = read_file(&dump, image->file) && (!image->elf || read_file(&program, image->elf));
    if (good && image->elf && !image_elf_open(&elf, program.bytes, program.size)) {
        acre_complain("map", "'%s' is no ELF file", image->elf);
        good = false;
    }
    if (good)
        code = map_files(image, usage, &dump, image->elf ? &elf : NULL);
    free(dump.bytes);
    free(program.bytes);
    return code;
}
