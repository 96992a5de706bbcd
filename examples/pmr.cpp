// SPDX-License-Identifier: Apache-2.0 OR MIT
// Containers in a static buffer: std::pmr's, and others through acre::allocator. No element and no
// text lies anywhere else; a full buffer is std::bad_alloc.
#include <acre/acre.hpp>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

alignas(std::max_align_t) static char memory[32 * 1024];

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
    acre::heap heap{ memory, sizeof memory };
    {
        index words{ &heap };
        if (!fill(words))
            return 1;
        for (const auto &[word, lines] : words)
            std::printf("%s: on %zu lines\n", word.c_str(), lines.size());
        words.clear();

        std::vector<int, acre::allocator<int>> numbers{ heap.handle() };
        numbers.assign(1000, 7);
    }
    std::printf("%zu bytes in use at the end\n", acre_used_bytes(heap.bytes()));
    return acre_used_bytes(heap.bytes()) == 0 ? 0 : 1;
} catch (const std::exception &exception) {
    std::printf("%s\n", exception.what());
    return 1;
}
