/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* C code for the allocator that a comparison recommends. */
#include "tool/compare/advise.h"
#include "tool/compare/print.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define PAGE 4096u

/* What fits into a pool of buddy's depends on where the pool starts: a block lies at a multiple of
 * its size. */
static unsigned margin_percent(const struct compare_candidate *candidate)
{
    return strstr(candidate->name, "buddy") ? COMPARE_BUDDY_MARGIN_PERCENT : COMPARE_MARGIN_PERCENT;
}

/* The smallest pool and the margin, up to whole pages. */
static uint64_t pool_size(const struct compare_candidate *candidate)
{
    uint64_t size = candidate->smallest_pool;
    size += size / 100 * margin_percent(candidate) + PAGE;
    return (size + PAGE - 1) / PAGE * PAGE;
}

/* What the text of a comment may not hold is left out. */
static void print_comment_text(FILE *out, const char *text)
{
    char last = '\0';
    for (; *text; text++) {
        bool ends = last == '*' && *text == '/';
        bool begins = last == '/' && *text == '*';
        if (!isprint((unsigned char)*text) || ends || begins)
            continue;
        last = *text;
        fputc(last, out);
    }
}

static void print_why(FILE *out, const struct compare_result *result,
    const struct compare_candidate *candidate, enum compare_goal goal)
{
    const struct compare_advice *advice = &result->advice[goal];
    fprintf(out, "/*\n * %s%s%s for ", candidate->name, candidate->setting[0] ? ", " : "",
        candidate->setting);
    print_comment_text(out, result->source);
    fprintf(out,
        "\n * Goal: %s. Completes in %" PRIu64 " bytes, %.3f of the peak of live bytes;\n"
        " * the pool has %u %% and a page more, up to whole pages.\n",
        compare_goal_name(goal), candidate->smallest_pool, candidate->per_peak,
        margin_percent(candidate));
    if (advice->candidate != advice->own)
        fprintf(out, " * (%s did better, but is not acre's.)\n",
            result->candidates[advice->candidate].name);
    fputs(" * Link with libacre: cc YOURS.c FILE.c $(pkg-config --cflags --libs acre)\n */\n", out);
}

/* Statements, one a line. */
static void print_statements(FILE *out, const char *text)
{
    if (!*text)
        return;
    fputs("    ", out);
    for (; *text; text++)
        if (text[0] == ';' && text[1] == ' ')
            fputs(";\n   ", out);
        else
            fputc(*text, out);
    fputs(";\n", out);
}

static void print_code(
    FILE *out, const struct compare_candidate *candidate, const struct acre_backend *backend)
{
    const struct acre_backend_code *code = backend->code;
    fprintf(out,
        "#include <acre/%s.h>\n\n"
        "#define POOL_SIZE ((size_t)%" PRIu64 ")\n\n"
        "static _Alignas(4096) unsigned char pool[POOL_SIZE];\n"
        "static %s allocator;\n\n"
        "/* Call once, before any other use. */\n"
        "enum acre_status allocator_open(struct acre_bytes *heap)\n{\n"
        "    %s *self = &allocator;\n",
        code->header, pool_size(candidate), code->type, code->type);
    print_statements(out, backend->setup);
    fprintf(out,
        "    *heap = %s;\n"
        "    return acre_bytes_init(*heap, pool, sizeof pool);\n}\n",
        code->bytes);
}

bool compare_emit_config(FILE *out, const struct compare_result *result,
    const struct acre_backend *const *backends, enum compare_goal goal, const char **name)
{
    int own = result->advice[goal].own;
    *name = NULL;
    if (own < 0)
        return false;
    const struct compare_candidate *candidate = &result->candidates[own];
    *name = candidate->name;
    if (!backends[own] || !candidate->smallest_pool)
        return false;
    print_why(out, result, candidate, goal);
    print_code(out, candidate, backends[own]);
    return true;
}
