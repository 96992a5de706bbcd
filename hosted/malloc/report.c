/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/report.h"

#include "malloc/serve.h"
#include "malloc/text.h"
#include "os/os.h"

enum { standard_error = 2 };

/* A copy of standard error, and of the copy: a program that closed them and opened other files has
 * not replaced both by the same one. */
static int kept[2] = { -1, -1 };

static void add_statistic(struct acre_text *text, const char *name, size_t number)
{
    acre_text_add(text, name);
    acre_text_add_number(text, number);
}

void acre_report_write(int fd)
{
    struct acre_stats stats = acre_serve_stats();
    struct acre_text text = { 0 };
    add_statistic(&text, "acre[", (size_t)acre_os_process());
    acre_text_add(&text, "]: allocator=");
    acre_text_add(&text, acre_serve_name());
    add_statistic(&text, " total=", stats.total);
    add_statistic(&text, " metadata=", stats.metadata);
    add_statistic(&text, " used=", stats.used);
    add_statistic(&text, " available=", stats.available);
    add_statistic(&text, " peak=", stats.peak);
    add_statistic(&text, " largest_free=", stats.largest_free);
    add_statistic(&text, " live_blocks=", stats.live_blocks);
    add_statistic(&text, " failed=", stats.failed);
    acre_text_write(&text, fd);
}

void acre_report_prepare(void)
{
    if (acre_serve.settings.stats)
        for (int i = 0; i < 2; i++)
            if (acre_os_keep_fd(standard_error, &kept[i]) != 0)
                kept[i] = -1;
}

void acre_report_at_exit(void)
{
    if (!acre_serve.settings.stats)
        return;
    if (kept[0] >= 0 && kept[1] >= 0 && acre_os_same_file(kept[0], kept[1]))
        acre_report_write(kept[0]);
    else
        acre_report_write(standard_error);
}
