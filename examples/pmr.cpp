// SPDX-License-Identifier: Apache-2.0 OR MIT
// Containers of std::pmr in a static buffer: no element, and no text, comes from anywhere else; a
// full buffer is std::bad_alloc, and the buffer comes back when the last container is gone.
#include <acre/acre.hpp>
#include <acre/tlsf.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

alignas(std::max_align_t) static char memory[32 * 1024];
static acre_tlsf tlsf;

static void buffer_is_back(void *back, void *, std::size_t size, std::size_t live_blocks)
{
    std::printf("%zu bytes are back, %zu blocks live\n", size, live_blocks);
    *static_cast<bool *>(back) = live_blocks == 0;
}

using index = std::pmr::map<std::pmr::string, std::pmr::vector<int>>;

static bool fill(index &words)
{
    const char *text[] = { "a word", "a word that is too long for the string itself", "the last" };
    try {
        for (int line = 0;; line++)
            words[text[line % 3]].push_back(line);
    } catch (const std::bad_alloc &) {
        return words.size() == 3;
    }
}

int main()
try {
    bool back = false;
    acre_shared control;
    if (acre_tlsf_init(&tlsf, memory, sizeof memory) != ACRE_OK ||
        acre_shared_make(&control, acre_tlsf_bytes(&tlsf),
            { memory, sizeof memory, buffer_is_back, &back }) != ACRE_OK)
        return 1;
    {
        acre::memory_resource resource{ acre::shared::adopt(control) };
        index words{ &resource };
        if (!fill(words))
            return 1;
        for (const auto &[word, lines] : words)
            std::printf("%s: on %zu lines\n", word.c_str(), lines.size());

        // The same as an allocator for containers that are not of std::pmr.
        words.clear();
        std::vector<int, acre::allocator<int>> numbers{ resource.heap() };
        numbers.assign(1000, 7);
    }
    return back ? 0 : 1;
} catch (const std::exception &exception) {
    std::printf("%s\n", exception.what());
    return 1;
}
