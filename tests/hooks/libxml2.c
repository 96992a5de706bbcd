/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * libxml2 with every block from a pool: a document parsed, searched, changed and written. Where a
 * request is refused libxml2 reports so, and may go on with what it has: whatever comes out wrong
 * must have been preceded by that report.
 */
#include "hooks/pool.h"

#include <acre/hooks/libxml2.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdio.h>

enum { POOL = 4 << 20, ITEMS = 60 };

static char document[80 * ITEMS];

static void write_document(void)
{
    int used = sprintf(document, "<?xml version='1.0'?><list xmlns:n='urn:numbers'>");
    for (int i = 0; i < ITEMS; i++)
        used += sprintf(document + used, "<n:item name='number %d'>%03d &lt; 1000</n:item>", i, i);
    sprintf(document + used, "</list>");
}

static const xmlChar *as_xml(const char *text)
{
    return (const xmlChar *)text;
}

static void on_error(void *out_of_memory, xmlErrorPtr error)
{
    *(bool *)out_of_memory |= error->code == XML_ERR_NO_MEMORY;
}

/* Counts the elements with a name, by the tree. */
static int count(xmlDocPtr parsed)
{
    int found = 0;
    for (xmlNodePtr node = xmlDocGetRootElement(parsed)->children; node; node = node->next)
        found += xmlHasProp(node, as_xml("name")) != NULL;
    return found;
}

static enum outcome write_out(xmlDocPtr parsed)
{
    xmlChar *text = NULL;
    int length = 0;
    xmlDocDumpMemory(parsed, &text, &length);
    if (text == NULL)
        return NO_MEMORY;
    bool whole = strstr((const char *)text, "</list>") != NULL;
    xmlFree(text);
    return whole ? DONE : NO_MEMORY;
}

static enum outcome change(xmlDocPtr parsed)
{
    xmlNodePtr root = xmlDocGetRootElement(parsed);
    assert_int_equal(count(parsed), ITEMS);
    for (int i = 0; i < ITEMS / 2; i++) {
        xmlNodePtr first = root->children;
        xmlUnlinkNode(first);
        xmlFreeNode(first);
    }
    assert_int_equal(count(parsed), ITEMS / 2);
    return xmlNewTextChild(root, NULL, as_xml("last"), as_xml("<&>")) ? DONE : NO_MEMORY;
}

static enum outcome use(xmlDocPtr parsed)
{
    return change(parsed) == DONE ? write_out(parsed) : NO_MEMORY;
}

static enum outcome work(struct pool *pool)
{
    enum outcome outcome = NO_MEMORY;
    bool out_of_memory = false;
    assert_int_equal(acre_hook_libxml2_install(pool->bytes), 0);
    xmlSetStructuredErrorFunc(&out_of_memory, on_error);
    xmlDocPtr parsed = xmlReadMemory(document, (int)strlen(document), NULL, NULL, 0);
    if (parsed && !out_of_memory)
        outcome = use(parsed);
    if (outcome == NO_MEMORY)
        assert_true(out_of_memory);
    xmlFreeDoc(parsed);
    xmlResetLastError();
    xmlCleanupParser();
    return outcome;
}

/* What an expression finds, where no request is refused: the XPath of libxml2 2.9.14 frees a block
 * twice when one is. */
static enum outcome search(struct pool *pool)
{
    assert_int_equal(acre_hook_libxml2_install(pool->bytes), 0);
    xmlDocPtr parsed = xmlReadMemory(document, (int)strlen(document), NULL, NULL, 0);
    xmlXPathContextPtr context = xmlXPathNewContext(parsed);
    xmlXPathObjectPtr found = xmlXPathEval(as_xml("//*[contains(@name, '7')]"), context);
    assert_int_equal(found->nodesetval->nodeNr, ITEMS / 10);
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    xmlFreeDoc(parsed);
    xmlCleanupParser();
    return DONE;
}

static void parses_changes_writes(void **state)
{
    pool_does(*state, POOL, work);
}

static void searches(void **state)
{
    pool_does(*state, POOL, search);
}

static void each_request_refused(void **state)
{
    pool_refuses_each(*state, POOL, SIZE_MAX, work);
}

static void pools_too_small(void **state)
{
    pool_grows(*state, 1 << 12, POOL, work);
}

int main(void)
{
    static const struct pool_case cases[] = {
        { "parses, changes, writes", parses_changes_writes },
        { "searches", searches },
        { "each request refused", each_request_refused },
        { "pools too small", pools_too_small },
    };
    write_document();
    return pool_run("libxml2", cases, sizeof cases / sizeof cases[0]);
}
