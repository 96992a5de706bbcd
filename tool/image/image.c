/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/image/image.h"

#include <stdlib.h>
#include <string.h>

bool image_has(const struct image *image, uint64_t at, uint64_t size)
{
    uint64_t offset = at - image->base;
    return at >= image->base && offset <= image->size && size <= image->size - offset;
}

static uint64_t number_at(const uint8_t *bytes, unsigned size, bool big)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++)
        number = number << 8 | bytes[big ? i : size - 1 - i];
    return number;
}

bool image_read(const struct image *image, uint64_t at, unsigned size, uint64_t *number)
{
    if (!image_has(image, at, size))
        return false;
    *number = number_at(image->bytes + (at - image->base), size, image->facts.big);
    return true;
}

void image_heap_free(struct image_heap *heap)
{
    free(heap->regions);
    free(heap->blocks);
    heap->regions = NULL;
    heap->blocks = NULL;
}

/* ---- the layout ---- */

enum { LINEAR_LOG2 = 8, STEPS_LOG2 = 3 };

static unsigned image_log2(unsigned number)
{
    unsigned log2 = 0;
    while (number > 1u << log2)
        log2++;
    return log2;
}

static void lay_out_lists(struct image_layout *layout)
{
    unsigned by_header = layout->header * 8 - 2;
    unsigned by_word = layout->word * 8 - image_log2(layout->granule);
    layout->max_log2 = by_header < by_word ? by_header : by_word;
    layout->linear_lists = 1u << LINEAR_LOG2;
    layout->lists = layout->linear_lists + ((layout->max_log2 - LINEAR_LOG2) << STEPS_LOG2);
    layout->words = (layout->lists + layout->word * 8 - 1) / (layout->word * 8);
}

/* In the order of the struct; each member is a word. */
static void lay_out_tlsf(struct image_layout *layout)
{
    size_t *const members[] = { &layout->base, &layout->granules, &layout->live_map,
        &layout->headroom, &layout->peak, &layout->live_blocks, NULL /* failed */,
        &layout->capacity, NULL /* regions.index */, NULL /* regions.spare */,
        &layout->first_region, &layout->total, &layout->apart, &layout->top, &layout->summary,
        NULL /* live_at_release */, NULL, NULL, NULL /* on_exhausted */, NULL /* on_released */,
        NULL /* its argument */, NULL /* alloc_slow */, &layout->compact_ops,
        &layout->granule_limit, &layout->largest, &layout->compact_lists, &layout->compact_nonempty,
        NULL, NULL /* the rest of the union */, &layout->nonempty };
    size_t count = sizeof members / sizeof members[0];
    for (size_t i = 0; i < count; i++) {
        if (members[i] != NULL)
            *members[i] = i * layout->word;
    }
    layout->first = layout->nonempty + (size_t)layout->words * layout->word;
    layout->last = layout->first + (size_t)layout->lists * layout->word;
    layout->size = layout->last + (size_t)layout->linear_lists * layout->word;
    layout->compact_first = layout->nonempty + layout->linear_lists / 8;
}

static void lay_out_region(struct image_layout *layout)
{
    size_t *const members[] = { &layout->r_next, &layout->r_prev, &layout->r_start, &layout->r_size,
        &layout->r_meta, &layout->r_meta_size, NULL /* two flags */, &layout->r_base,
        &layout->r_granules, &layout->r_live_map, &layout->r_map_size, &layout->r_shared_base,
        &layout->r_shared_granules, &layout->r_shared_map, &layout->r_first, &layout->r_last,
        &layout->r_joined };
    size_t count = sizeof members / sizeof members[0];
    for (size_t i = 0; i < count; i++) {
        if (members[i] != NULL)
            *members[i] = i * layout->word;
    }
    layout->descriptor = count * layout->word;
}

struct image_layout image_layout_of(const struct image_facts *facts)
{
    struct image_layout layout = { .word = facts->word, .granule = facts->granule };
    layout.header = facts->wide ? facts->word : 4;
    lay_out_lists(&layout);
    lay_out_tlsf(&layout);
    lay_out_region(&layout);
    return layout;
}

/* ---- ELF ---- */

static bool elf_read(const struct image_elf *elf, uint64_t at, unsigned size, uint64_t *number)
{
    if (at > elf->size || size > elf->size - at)
        return false;
    *number = number_at(elf->bytes + at, size, elf->big);
    return true;
}

bool image_elf_open(struct image_elf *elf, const uint8_t *bytes, size_t size)
{
    static const uint8_t magic[] = { 0x7f, 'E', 'L', 'F' };
    if (size < 64 || memcmp(bytes, magic, sizeof magic) != 0 || bytes[4] < 1 || bytes[4] > 2 ||
        bytes[5] < 1 || bytes[5] > 2)
        return false;
    *elf = (struct image_elf){ bytes, size, bytes[4] == 1 ? 4 : 8, bytes[5] == 2 };
    return true;
}

/* A section's header: what of it is needed. */
struct elf_section {
    uint64_t type, offset, size, link;
};

static bool read_section(const struct image_elf *elf, uint64_t index, struct elf_section *section)
{
    bool wide = elf->word == 8;
    uint64_t table = 0;
    uint64_t entry = 0;
    if (!elf_read(elf, wide ? 40 : 32, elf->word, &table) ||
        !elf_read(elf, wide ? 58 : 46, 2, &entry) || table > elf->size || index > 0xffff)
        return false;
    uint64_t at = table + index * entry;
    return elf_read(elf, at + 4, 4, &section->type) &&
           elf_read(elf, at + (wide ? 24 : 16), elf->word, &section->offset) &&
           elf_read(elf, at + (wide ? 32 : 20), elf->word, &section->size) &&
           elf_read(elf, at + (wide ? 40 : 24), 4, &section->link);
}

static bool name_is(const struct image_elf *elf, const struct elf_section *strings, uint64_t name,
    const char *wanted)
{
    size_t length = strlen(wanted) + 1;
    uint64_t at = strings->offset + name;
    return strings->offset <= elf->size && name <= elf->size && at <= elf->size &&
           length <= elf->size - at && memcmp(elf->bytes + at, wanted, length) == 0;
}

static bool find_in_table(const struct image_elf *elf, const struct elf_section *table,
    const char *wanted, uint64_t *value)
{
    struct elf_section strings;
    uint64_t entry = elf->word == 8 ? 24 : 16;
    if (!read_section(elf, table->link, &strings) || table->offset > elf->size)
        return false;
    uint64_t room = elf->size - table->offset;
    uint64_t count = (table->size < room ? table->size : room) / entry;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = table->offset + i * entry;
        uint64_t name = 0;
        uint64_t section = 0;
        if (elf_read(elf, at, 4, &name) &&
            elf_read(elf, at + (elf->word == 8 ? 6 : 14), 2, &section) && section != 0 &&
            name_is(elf, &strings, name, wanted))
            return elf_read(elf, at + (elf->word == 8 ? 8 : 4), elf->word, value);
    }
    return false;
}

bool image_elf_symbol(const struct image_elf *elf, const char *name, uint64_t *value)
{
    enum { SYMTAB = 2 };
    uint64_t count = 0;
    if (!elf_read(elf, elf->word == 8 ? 60 : 48, 2, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct elf_section section;
        if (read_section(elf, i, &section) && section.type == SYMTAB &&
            find_in_table(elf, &section, name, value))
            return true;
    }
    return false;
}
