// SPDX-License-Identifier: Apache-2.0 OR MIT
// The same from C++17, with containers on a shared handle where the library has one.
#include <acre/acre.h>

#include <string_view>

#if ACRE_SHARED && ACRE_TLSF
#include <acre/acre.hpp>

#include <vector>

alignas(std::max_align_t) static char memory[16384];
static acre_tlsf tlsf;

static bool serve()
{
    acre_shared control;
    if (acre_tlsf_init(&tlsf, memory, sizeof memory) != ACRE_OK ||
        acre_shared_make(&control, acre_tlsf_bytes(&tlsf), {}) != ACRE_OK)
        return false;
    acre::memory_resource resource{ acre::shared::adopt(control) };
    std::pmr::vector<int> numbers(100, 7, &resource);
    return numbers.back() == 7 && acre_tlsf_stats(&tlsf).live_blocks == 1;
}
#else
static bool serve()
{
    return true;
}
#endif

int main()
{
    return std::string_view(acre_status_text(ACRE_NO_MEMORY)).empty() || !serve() ? 1 : 0;
}
