/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* expat with every block from a pool: a document with a DTD, attributes and an entity. */
#include "hooks/pool.h"

#include <acre/hooks/expat.h>
#include <stdio.h>

enum { POOL = 4 << 20, ITEMS = 300 };

static char document[64 * ITEMS];

struct seen {
    int items;
    int letters;
};

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct seen *seen = user;
    seen->items += strcmp(name, "item") == 0 && strcmp(attributes[0], "name") == 0;
}

static void XMLCALL on_text(void *user, const XML_Char *text, int length)
{
    (void)text;
    ((struct seen *)user)->letters += length;
}

static void write_document(void)
{
    int used = sprintf(document, "<?xml version='1.0'?><!DOCTYPE list ["
                                 "<!ATTLIST item kind CDATA 'plain'><!ENTITY word 'said'>]><list>");
    for (int i = 0; i < ITEMS; i++)
        used += sprintf(document + used, "<item name='number %d'>%03d &word;</item>", i, i);
    sprintf(document + used, "</list>");
}

static enum outcome parse(XML_Parser parser)
{
    struct seen seen = { 0, 0 };
    size_t length = strlen(document);
    enum XML_Status status = XML_STATUS_OK;
    XML_SetUserData(parser, &seen);
    XML_SetElementHandler(parser, on_start, NULL);
    XML_SetCharacterDataHandler(parser, on_text);
    for (size_t at = 0; at < length && status == XML_STATUS_OK; at += 1000) {
        size_t piece = length - at < 1000 ? length - at : 1000;
        status = XML_Parse(parser, document + at, (int)piece, at + piece == length);
    }
    if (status != XML_STATUS_OK) {
        assert_int_equal(XML_GetErrorCode(parser), XML_ERROR_NO_MEMORY);
        return NO_MEMORY;
    }
    assert_int_equal(seen.items, ITEMS);
    assert_int_equal(seen.letters, ITEMS * 8);
    return DONE;
}

static enum outcome work(struct pool *pool)
{
    XML_Memory_Handling_Suite suite = acre_hook_expat_install(pool->bytes);
    XML_Parser parser = XML_ParserCreate_MM(NULL, &suite, NULL);
    if (parser == NULL)
        return NO_MEMORY;
    enum outcome outcome = parse(parser);
    void *small = XML_MemMalloc(parser, 8);
    void *large = XML_MemRealloc(parser, small, 80);
    if (large == NULL)
        outcome = NO_MEMORY;
    XML_MemFree(parser, large != NULL ? large : small);
    XML_ParserFree(parser);
    return outcome;
}

int main(void)
{
    static const struct pool_job job = { "parses a document", work, POOL, 1 << 12 };
    write_document();
    return pool_run_job("expat", &job);
}
