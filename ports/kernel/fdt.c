/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "kernel/fdt.h"

enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOP = 4, END = 9 };
enum { MAGIC = 0, TOTAL = 4, STRUCTURE = 8, STRINGS = 12, RESERVED = 16, COMPATIBLE = 24 };
enum { STRINGS_SIZE = 32, STRUCTURE_SIZE = 36, HEADER = 40 };
enum { LEVELS = 8 }; /* the parts of the tree that matter here lie at levels 1 to 3 */

/* Where the walk stands: names of the nodes from the root down, and how each one's children write
 * addresses and sizes, in cells of 32 bits. */
struct place {
    size_t depth; /* nodes open; names and cells are kept for the first LEVELS of them */
    const char *name[LEVELS];
    uint32_t address_cells[LEVELS], size_cells[LEVELS];
};

struct property {
    const char *name;
    const unsigned char *value;
    size_t size;
};

typedef void visit_fn(void *arg, const struct place *place, const struct property *property);

static uint32_t be32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t cells(const unsigned char *at, uint32_t count)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < count; i++)
        value = value << 32 | be32(at + 4 * (size_t)i);
    return value;
}

static bool same(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] != '\0' && a[i] == b[i])
        i++;
    return a[i] == b[i];
}

/* A node's name without its unit address is `name`. */
static bool is_called(const char *node, const char *name)
{
    size_t i = 0;
    while (name[i] != '\0' && node[i] == name[i])
        i++;
    return name[i] == '\0' && (node[i] == '\0' || node[i] == '@');
}

/* Length of the text at `at`, which must end before `end`; SIZE_MAX when it does not. */
static size_t text_length(const unsigned char *bytes, size_t at, size_t end)
{
    for (size_t i = at; i < end; i++) {
        if (bytes[i] == 0)
            return i - at;
    }
    return SIZE_MAX;
}

static bool within(size_t at, size_t size, size_t whole)
{
    return at <= whole && size <= whole - at;
}

bool fdt_open(struct fdt *fdt, const void *blob, size_t most)
{
    const unsigned char *bytes = blob;
    if (blob == NULL || ((uintptr_t)blob & 3) != 0 || most < HEADER ||
        be32(bytes + MAGIC) != 0xd00dfeed)
        return false;
    *fdt = (struct fdt){ bytes, be32(bytes + TOTAL), be32(bytes + STRUCTURE),
        be32(bytes + STRUCTURE_SIZE), be32(bytes + STRINGS), be32(bytes + STRINGS_SIZE),
        be32(bytes + RESERVED) };
    return fdt->size >= HEADER && fdt->size <= most && be32(bytes + COMPATIBLE) <= 17 &&
           fdt->structure % 4 == 0 && within(fdt->structure, fdt->structure_size, fdt->size) &&
           within(fdt->strings, fdt->strings_size, fdt->size) && fdt->reserved <= fdt->size;
}

/* Opens a node: the defaults for cells are the specification's. Returns the token's size or 0. */
static size_t enter(const struct fdt *fdt, struct place *place, size_t at, size_t end)
{
    size_t length = text_length(fdt->bytes, at, end);
    if (length == SIZE_MAX)
        return 0;
    if (place->depth < LEVELS) {
        place->name[place->depth] = (const char *)fdt->bytes + at;
        place->address_cells[place->depth] = 2;
        place->size_cells[place->depth] = 1;
    }
    place->depth++;
    return length + 1;
}

static void note_cells(struct place *place, const struct property *property)
{
    size_t level = place->depth - 1;
    if (level >= LEVELS || property->size != 4)
        return;
    if (same(property->name, "#address-cells"))
        place->address_cells[level] = be32(property->value);
    if (same(property->name, "#size-cells"))
        place->size_cells[level] = be32(property->value);
}

/* Reads a property. Returns the size of what follows its token, or 0. */
static size_t read_property(const struct fdt *fdt, struct property *property, size_t at, size_t end)
{
    if (!within(at, 8, end))
        return 0;
    property->size = be32(fdt->bytes + at);
    size_t name = be32(fdt->bytes + at + 4);
    if (!within(at + 8, property->size, end) || name >= fdt->strings_size ||
        text_length(fdt->bytes, fdt->strings + name, fdt->strings + fdt->strings_size) == SIZE_MAX)
        return 0;
    property->name = (const char *)fdt->bytes + fdt->strings + name;
    property->value = fdt->bytes + at + 8;
    return 8 + property->size;
}

/* What one token takes behind itself; SIZE_MAX when it is not sound. */
static size_t step(const struct fdt *fdt, struct place *place, uint32_t token, size_t at,
    size_t end, visit_fn *visit, void *arg)
{
    struct property property;
    size_t took = 0;
    if (token == BEGIN_NODE) {
        took = enter(fdt, place, at, end);
        return took == 0 ? SIZE_MAX : took;
    }
    if (token == NOP)
        return 0;
    if (place->depth == 0 || (token != END_NODE && token != PROPERTY))
        return SIZE_MAX;
    if (token == END_NODE) {
        place->depth--;
        return 0;
    }
    took = read_property(fdt, &property, at, end);
    if (took == 0)
        return SIZE_MAX;
    note_cells(place, &property);
    visit(arg, place, &property);
    return took;
}

/* Visits every property in order. False when the tree is damaged. */
static bool walk(const struct fdt *fdt, visit_fn *visit, void *arg)
{
    struct place place = { .depth = 0 };
    size_t at = fdt->structure;
    size_t end = fdt->structure + fdt->structure_size;
    while (within(at, 4, end)) {
        uint32_t token = be32(fdt->bytes + at);
        if (token == END)
            return place.depth == 0;
        size_t took = step(fdt, &place, token, at + 4, end, visit, arg);
        if (took == SIZE_MAX)
            return false;
        at += 4 + (took + 3) / 4 * 4;
    }
    return false;
}

struct harvest {
    struct range *ranges;
    size_t count, room;
};

/* A range as far as this machine can address it; size 0 when not at all. */
static struct range clip(uint64_t start, uint64_t size)
{
    if (start > UINTPTR_MAX || size == 0)
        return (struct range){ 0, 0 };
    uint64_t most = (uint64_t)UINTPTR_MAX - start;
    return (struct range){ (uintptr_t)start, (size_t)(size <= most ? size : most) };
}

/* Calls for each range of a reg property, written in the cells of the parent's level. */
static void each_reg(const struct place *place, size_t parent, const struct property *reg,
    void (*call)(struct harvest *, struct range), struct harvest *harvest)
{
    uint32_t address = place->address_cells[parent];
    uint32_t size = place->size_cells[parent];
    if (address < 1 || address > 2 || size < 1 || size > 2)
        return;
    size_t entry = 4 * ((size_t)address + size);
    for (size_t at = 0; within(at, entry, reg->size); at += entry) {
        const unsigned char *value = reg->value + at;
        call(harvest, clip(cells(value, address), cells(value + 4 * (size_t)address, size)));
    }
}

static void add(struct harvest *harvest, struct range range)
{
    if (range.size != 0 && harvest->count < harvest->room)
        harvest->ranges[harvest->count++] = range;
}

static void take_out(struct harvest *harvest, struct range range)
{
    harvest->count = ranges_remove(harvest->ranges, harvest->count, harvest->room, range);
}

static void visit_memory(void *arg, const struct place *place, const struct property *property)
{
    if (place->depth == 2 && is_called(place->name[1], "memory") && same(property->name, "reg"))
        each_reg(place, 0, property, add, arg);
}

static void visit_reserved(void *arg, const struct place *place, const struct property *property)
{
    if (place->depth == 3 && same(place->name[1], "reserved-memory") && same(property->name, "reg"))
        each_reg(place, 1, property, take_out, arg);
}

/* The older way to reserve: pairs of 64-bit numbers, ended by one of zeros. */
static bool take_out_block(const struct fdt *fdt, struct harvest *harvest)
{
    for (size_t at = fdt->reserved; within(at, 16, fdt->size); at += 16) {
        uint64_t start = cells(fdt->bytes + at, 2);
        uint64_t size = cells(fdt->bytes + at + 8, 2);
        if (start == 0 && size == 0)
            return true;
        take_out(harvest, clip(start, size));
    }
    return false;
}

size_t fdt_memory(const struct fdt *fdt, struct range *ranges, size_t room)
{
    struct harvest harvest = { ranges, 0, room };
    bool sound = walk(fdt, visit_memory, &harvest) && walk(fdt, visit_reserved, &harvest) &&
                 take_out_block(fdt, &harvest);
    return sound ? harvest.count : 0;
}

static void visit_chosen(void *arg, const struct place *place, const struct property *property)
{
    const char **text = arg;
    if (place->depth == 2 && same(place->name[1], "chosen") && same(property->name, "bootargs") &&
        text_length(property->value, 0, property->size) != SIZE_MAX)
        *text = (const char *)property->value;
}

const char *fdt_bootargs(const struct fdt *fdt)
{
    const char *text = "";
    return walk(fdt, visit_chosen, &text) ? text : "";
}
