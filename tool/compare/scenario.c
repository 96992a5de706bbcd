/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/scenarios.h"

#include <string.h>

const struct compare_scenario compare_scenarios[] = {
    { "kernel", "a kernel's heap: processes come and go, caches fill and are shrunk",
        scenario_kernel },
    { "game-frame",
        "a game: scratch blocks each frame, entities that live for seconds, level loads",
        scenario_game_frame },
    { "database", "a database: a page cache, queries with growing buffers, cached statements",
        scenario_database },
    { "packet-buffers", "a router: packets in two main sizes, queued and dropped, long-lived flows",
        scenario_packet_buffers },
    { "json", "a service that parses documents into trees, keeps some and frees the rest",
        scenario_json },
    { "fragmenter", "the worst for most allocators: holes that each new size just fails to fit",
        scenario_fragmenter },
    { .name = NULL },
};

const struct compare_scenario *compare_scenario_find(const char *name)
{
    for (const struct compare_scenario *each = compare_scenarios; each->name; each++)
        if (strcmp(each->name, name) == 0)
            return each;
    return NULL;
}
