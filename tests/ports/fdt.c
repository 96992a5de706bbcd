/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The reader of device trees: trees as they come, and trees damaged at every byte. A blob lies at
 * the end of a block of exactly its size, so that a sanitizer sees a read beyond it. */
#include "kernel/fdt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEADER = 40, STRUCTURE_MOST = 1024, STRINGS_MOST = 128, RANGES = 8 };

/* A tree in the making. */
struct tree {
    unsigned char reserved[64];
    size_t reserved_size;
    unsigned char structure[STRUCTURE_MOST];
    size_t structure_size;
    char strings[STRINGS_MOST];
    size_t strings_size;
};

static void put32(unsigned char *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void cell(struct tree *tree, uint32_t value)
{
    assert_true(tree->structure_size + 4 <= STRUCTURE_MOST);
    put32(tree->structure + tree->structure_size, value);
    tree->structure_size += 4;
}

static void bytes(struct tree *tree, const void *from, size_t size)
{
    assert_true(tree->structure_size + size + 3 < STRUCTURE_MOST);
    memcpy(tree->structure + tree->structure_size, from, size);
    tree->structure_size += (size + 3) / 4 * 4;
}

static void begin(struct tree *tree, const char *name)
{
    cell(tree, 1);
    bytes(tree, name, strlen(name) + 1);
}

static void end(struct tree *tree)
{
    cell(tree, 2);
}

static void property(struct tree *tree, const char *name, size_t size)
{
    cell(tree, 3);
    cell(tree, (uint32_t)size);
    cell(tree, (uint32_t)tree->strings_size);
    assert_true(tree->strings_size + strlen(name) + 1 <= STRINGS_MOST);
    memcpy(tree->strings + tree->strings_size, name, strlen(name) + 1);
    tree->strings_size += strlen(name) + 1;
}

static void number(struct tree *tree, const char *name, uint32_t value)
{
    property(tree, name, 4);
    cell(tree, value);
}

static void text(struct tree *tree, const char *name, const char *value)
{
    property(tree, name, strlen(value) + 1);
    bytes(tree, value, strlen(value) + 1);
}

/* A reg property of `count` cells. */
static void reg(struct tree *tree, const uint32_t *cells, size_t count)
{
    property(tree, "reg", 4 * count);
    for (size_t i = 0; i < count; i++)
        cell(tree, cells[i]);
}

#define REG(tree, ...)                                                                             \
    reg(tree, (const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4)

static void reserve(struct tree *tree, uint32_t start, uint32_t size)
{
    put32(tree->reserved + tree->reserved_size + 4, start);
    put32(tree->reserved + tree->reserved_size + 12, size);
    tree->reserved_size += 16;
}

static void root(struct tree *tree, uint32_t address_cells, uint32_t size_cells)
{
    memset(tree, 0, sizeof *tree);
    begin(tree, "");
    number(tree, "#address-cells", address_cells);
    number(tree, "#size-cells", size_cells);
}

/* The blob, for the caller to free. */
static unsigned char *finish(struct tree *tree, size_t *size)
{
    size_t reserved = tree->reserved_size + 16; /* with the pair of zeros that ends it */
    size_t structure = HEADER + reserved;
    end(tree);
    cell(tree, 9);
    size_t strings = structure + tree->structure_size;
    *size = strings + tree->strings_size;
    unsigned char *blob = calloc(1, *size);
    assert_non_null(blob);
    const uint32_t header[] = { 0xd00dfeed, (uint32_t)*size, (uint32_t)structure, (uint32_t)strings,
        HEADER, 17, 16, 0, (uint32_t)tree->strings_size, (uint32_t)tree->structure_size };
    for (size_t i = 0; i < sizeof header / sizeof header[0]; i++)
        put32(blob + 4 * i, header[i]);
    memcpy(blob + HEADER, tree->reserved, tree->reserved_size);
    memcpy(blob + structure, tree->structure, tree->structure_size);
    memcpy(blob + strings, tree->strings, tree->strings_size);
    return blob;
}

static void assert_ranges(
    struct tree *tree, const struct range *want, size_t count, const char *arguments)
{
    size_t size;
    struct fdt fdt;
    struct range found[RANGES];
    unsigned char *blob = finish(tree, &size);
    assert_true(fdt_open(&fdt, blob, size));
    assert_int_equal(fdt_memory(&fdt, found, RANGES), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(found[i].start, want[i].start);
        assert_int_equal(found[i].size, want[i].size);
    }
    assert_string_equal(fdt_bootargs(&fdt), arguments);
    free(blob);
}

#define ASSERT_RANGES(tree, arguments, ...)                                                        \
    assert_ranges(tree, (const struct range[]){ __VA_ARGS__ },                                     \
        sizeof((struct range[]){ __VA_ARGS__ }) / sizeof(struct range), arguments)

/* As qemu's "virt" hands it over, and a device whose reg is none of memory's business. */
static void set_up(struct tree *tree)
{
    root(tree, 2, 2);
    begin(tree, "chosen");
    text(tree, "bootargs", "one two");
    end(tree);
    begin(tree, "memory@80000000");
    text(tree, "device_type", "memory");
    REG(tree, 0, 0x80000000, 0, 0x8000000);
    end(tree);
    begin(tree, "soc");
    begin(tree, "memory@1000");
    REG(tree, 0, 0x1000, 0, 0x1000);
    end(tree);
    end(tree);
}

static void memory_is_found(void **state)
{
    struct tree tree;
    (void)state;
    set_up(&tree);
    ASSERT_RANGES(&tree, "one two", { 0x80000000, 0x8000000 });
}

static void several_nodes_and_ranges_count(void **state)
{
    struct tree tree;
    (void)state;
    root(&tree, 1, 1);
    cell(&tree, 4); /* a token that says nothing */
    begin(&tree, "memory");
    REG(&tree, 0x1000, 0x2000, 0x8000, 0x100, 0x9000, 0);
    end(&tree);
    begin(&tree, "memory@20000");
    REG(&tree, 0x20000, 0x3000);
    end(&tree);
    begin(&tree, "memory-controller");
    REG(&tree, 0x30000, 0x3000);
    end(&tree);
    ASSERT_RANGES(&tree, "", { 0x1000, 0x2000 }, { 0x8000, 0x100 }, { 0x20000, 0x3000 });
}

static void the_default_is_two_cells_and_one(void **state)
{
    struct tree tree;
    (void)state;
    memset(&tree, 0, sizeof tree);
    begin(&tree, "");
    begin(&tree, "memory");
    REG(&tree, 0, 0x1000, 0x2000);
    end(&tree);
    ASSERT_RANGES(&tree, "", { 0x1000, 0x2000 });
}

static void what_is_reserved_is_left_out(void **state)
{
    struct tree tree;
    (void)state;
    root(&tree, 2, 2);
    begin(&tree, "reserved-memory");
    number(&tree, "#address-cells", 1);
    number(&tree, "#size-cells", 1);
    begin(&tree, "firmware@10000");
    REG(&tree, 0x10000, 0x1000, 0x1f000, 0x5000);
    end(&tree);
    end(&tree);
    begin(&tree, "memory@10000");
    REG(&tree, 0, 0x10000, 0, 0x10000);
    end(&tree);
    reserve(&tree, 0x18000, 0x800);
    ASSERT_RANGES(&tree, "", { 0x11000, 0x7000 }, { 0x18800, 0x6800 });
}

static void memory_beyond_addresses_is_cut_off(void **state)
{
    struct tree tree;
    (void)state;
    root(&tree, 2, 2);
    begin(&tree, "memory@1000");
    REG(&tree, 0, 0x1000, 0xffffffff, 0xffffffff);
    end(&tree);
    ASSERT_RANGES(&tree, "", { 0x1000, UINTPTR_MAX - 0x1000 });
}

static void odd_cells_are_passed_over(void **state)
{
    struct tree tree;
    (void)state;
    root(&tree, 3, 0);
    begin(&tree, "memory");
    REG(&tree, 1, 2, 3, 4, 5, 6);
    end(&tree);
    assert_ranges(&tree, NULL, 0, "");
}

static void deep_trees_are_walked(void **state)
{
    struct tree tree;
    (void)state;
    root(&tree, 1, 1);
    for (size_t i = 0; i < 20; i++)
        begin(&tree, "memory");
    number(&tree, "#address-cells", 7);
    for (size_t i = 0; i < 20; i++)
        end(&tree);
    begin(&tree, "memory");
    REG(&tree, 0x1000, 0x2000);
    end(&tree);
    ASSERT_RANGES(&tree, "", { 0x1000, 0x2000 });
}

static void no_tree_is_refused(void **state)
{
    struct tree tree;
    struct fdt fdt;
    size_t size;
    (void)state;
    set_up(&tree);
    unsigned char *blob = finish(&tree, &size);
    assert_true(fdt_open(&fdt, blob, size));
    assert_false(fdt_open(&fdt, NULL, size));
    assert_false(fdt_open(&fdt, blob + 1, size - 1));
    assert_false(fdt_open(&fdt, blob, size - 1));
    assert_false(fdt_open(&fdt, blob, HEADER - 1));
    put32(blob + 24, 18); /* only a reader of version 18 may read it */
    assert_false(fdt_open(&fdt, blob, size));
    free(blob);
}

/* Whatever is read, it is found within the blob, and what is found fits in. */
static void damage_leads_nowhere(void **state)
{
    static const unsigned char values[] = { 0x00, 0x01, 0x02, 0x03, 0x09, 0x7f, 0x80, 0xff };
    struct tree tree;
    size_t size;
    (void)state;
    set_up(&tree);
    reserve(&tree, 0x81000000, 0x1000);
    unsigned char *blob = finish(&tree, &size);
    for (size_t i = 0; i < size * sizeof values; i++) {
        struct fdt fdt;
        struct range found[1];
        unsigned char was = blob[i / sizeof values];
        blob[i / sizeof values] = values[i % sizeof values];
        if (fdt_open(&fdt, blob, size)) {
            assert_true(fdt_memory(&fdt, found, 1) <= 1);
            assert_true(strlen(fdt_bootargs(&fdt)) < size);
        }
        blob[i / sizeof values] = was;
    }
    free(blob);
}

/* A tree that breaks off has no memory at all, rather than what came before the break. */
static void a_tree_that_breaks_off_is_no_tree(void **state)
{
    struct tree tree;
    size_t size;
    (void)state;
    set_up(&tree);
    unsigned char *blob = finish(&tree, &size);
    for (uint32_t cut = 0; cut < (uint32_t)tree.structure_size; cut += 4) {
        struct fdt fdt;
        struct range found[RANGES];
        put32(blob + 36, cut);
        assert_true(fdt_open(&fdt, blob, size));
        assert_int_equal(fdt_memory(&fdt, found, RANGES), 0);
        assert_string_equal(fdt_bootargs(&fdt), "");
    }
    free(blob);
}

/* One range with a hole in it. */
struct hole {
    struct range whole, hole, below, above; /* what is not there has size 0 */
};

static void holes_are_cut(void **state)
{
    static const struct hole rows[] = {
        { { 100, 50 }, { 110, 10 }, { 100, 10 }, { 120, 30 } },
        { { 100, 50 }, { 100, 10 }, { 110, 40 }, { 0, 0 } },
        { { 100, 50 }, { 140, 10 }, { 100, 40 }, { 0, 0 } },
        { { 100, 50 }, { 100, 50 }, { 0, 0 }, { 0, 0 } },
        { { 100, 50 }, { 0, 1000 }, { 0, 0 }, { 0, 0 } },
        { { 100, 50 }, { 90, 10 }, { 100, 50 }, { 0, 0 } },
        { { 100, 50 }, { 150, 10 }, { 100, 50 }, { 0, 0 } },
        { { 100, 50 }, { 120, 0 }, { 100, 50 }, { 0, 0 } },
        { { UINTPTR_MAX - 99, 100 }, { UINTPTR_MAX - 49, 10 }, { UINTPTR_MAX - 99, 50 },
            { UINTPTR_MAX - 39, 40 } },
        { { UINTPTR_MAX - 99, 100 }, { UINTPTR_MAX - 9, 10 }, { UINTPTR_MAX - 99, 90 }, { 0, 0 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct range ranges[2] = { rows[i].whole, { 0, 0 } };
        size_t want = (size_t)(rows[i].below.size != 0) + (rows[i].above.size != 0);
        assert_int_equal(ranges_remove(ranges, 1, 2, rows[i].hole), want);
        if (want > 0)
            assert_memory_equal(&ranges[0], &rows[i].below, sizeof ranges[0]);
        if (want > 1)
            assert_memory_equal(&ranges[1], &rows[i].above, sizeof ranges[1]);
    }
}

static void without_room_the_upper_part_is_lost(void **state)
{
    struct range range = { 100, 50 };
    (void)state;
    assert_int_equal(ranges_remove(&range, 1, 1, (struct range){ 120, 5 }), 1);
    assert_int_equal(range.start, 100);
    assert_int_equal(range.size, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_found),
        cmocka_unit_test(several_nodes_and_ranges_count),
        cmocka_unit_test(the_default_is_two_cells_and_one),
        cmocka_unit_test(what_is_reserved_is_left_out),
        cmocka_unit_test(memory_beyond_addresses_is_cut_off),
        cmocka_unit_test(odd_cells_are_passed_over),
        cmocka_unit_test(deep_trees_are_walked),
        cmocka_unit_test(no_tree_is_refused),
        cmocka_unit_test(damage_leads_nowhere),
        cmocka_unit_test(a_tree_that_breaks_off_is_no_tree),
        cmocka_unit_test(holes_are_cut),
        cmocka_unit_test(without_room_the_upper_part_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
