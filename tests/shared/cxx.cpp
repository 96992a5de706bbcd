// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "shared/cxx.h"

#include <csetjmp>
#include <cstdarg>
#include <exception>
#include <optional>
#include <string>

extern "C" {
#include <cmocka.h>
}

namespace {

enum { ARENA = 1 << 18 };

struct job {
    test_case what;
    const struct acre_subject *on;
};

/* What the owner was told in the end. */
struct ending {
    std::size_t ends = 0;
    std::size_t live_blocks = 0;
};

void end(void *arg, void *, std::size_t, std::size_t live_blocks)
{
    auto *told = static_cast<ending *>(arg);
    told->ends++;
    told->live_blocks = live_blocks;
}

/* Runs the test_case; the text of what went wrong, if anything did. */
std::string run_on(const job &what, fixture &on)
{
    ending told;
    acre_shared control;
    acre_shared_pool pool = { on.arena.base, on.arena.size, end, &told };
    if (acre_init(on.base, on.arena.base, ARENA) != ACRE_OK ||
        acre_shared_make(&control, on.bytes, pool) != ACRE_OK)
        return "the heap could not be made";
    try {
        ground here{ acre::shared::adopt(control), on.bytes, what.on->caps };
        what.what.run(here);
    } catch (const failed &it) {
        return std::string(it.file) + ":" + std::to_string(it.line) + ": " + it.condition;
    } catch (const std::exception &it) {
        return std::string("an exception got out: ") + it.what();
    }
    if (told.ends != 1 || told.live_blocks != 0)
        return "ends: " + std::to_string(told.ends) +
               ", live blocks: " + std::to_string(told.live_blocks);
    acre_check_result found = acre_check(on.base);
    return found.invariant != nullptr ? found.invariant : "";
}

void run_job(void **state)
{
    const auto *what = static_cast<const job *>(*state);
    if ((what->on->caps & what->what.needs) != what->what.needs)
        skip();
    fixture on;
    fixture_open(&on, what->on, ARENA, ARENA);
    static std::string text;
    text = run_on(*what, on);
    fixture_close(&on);
    if (!text.empty())
        fail_msg("%s", text.c_str());
}

} // namespace

int run_cases(const char *group, const std::vector<test_case> &cases)
{
    std::vector<job> jobs;
    std::vector<std::string> names;
    std::vector<CMUnitTest> tests;
    for (const struct acre_subject *const *on = backends; *on != nullptr; on++)
        for (const test_case &what : cases)
            jobs.push_back({ what, *on });
    names.reserve(jobs.size());
    for (const job &what : jobs)
        names.push_back(std::string(what.on->name) + ": " + what.what.name);
    for (std::size_t i = 0; i < jobs.size(); i++)
        tests.push_back({ names[i].c_str(), run_job, nullptr, nullptr, &jobs[i] });
    return _cmocka_run_group_tests(group, tests.data(), tests.size(), nullptr, nullptr);
}
