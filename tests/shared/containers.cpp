// SPDX-License-Identifier: Apache-2.0 OR MIT
// The standard's containers on a heap, beside the same containers on the system's.
#include "shared/cxx.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <numeric>
#include <scoped_allocator>
#include <string>
#include <unordered_map>

namespace {

template <class T> using on_heap = acre::allocator<T>;
using text = std::basic_string<char, std::char_traits<char>, on_heap<char>>;

/* Numbers without order, the same everywhere. */
unsigned scattered(unsigned i)
{
    return i * 2654435761u >> 7;
}

/* Longer than what a string keeps in itself. */
std::string long_text(unsigned i)
{
    return "a string too long for the small buffer, number " + std::to_string(i);
}

template <class A, class B> bool same(const A &a, const B &b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void vector_grows_and_shrinks(ground &on)
{
    std::vector<unsigned, on_heap<unsigned>> here(on.heap);
    std::vector<unsigned> there;
    for (unsigned i = 0; i < 3000; i++) {
        here.push_back(scattered(i));
        there.push_back(scattered(i));
    }
    std::sort(here.begin(), here.end());
    std::sort(there.begin(), there.end());
    REQUIRE(same(here, there));
    here.erase(here.begin() + 10, here.end() - 10);
    there.erase(there.begin() + 10, there.end() - 10);
    here.shrink_to_fit();
    REQUIRE(same(here, there));
    REQUIRE(live(on) == 1);
    auto copy = here;
    REQUIRE(live(on) == 2);
    copy.insert(copy.begin(), there.begin(), there.end());
    REQUIRE(copy.size() == 40);
}

void vector_of_bool_and_deque(ground &on)
{
    std::vector<bool, on_heap<bool>> bits(777, false, on.heap);
    std::deque<unsigned, on_heap<unsigned>> queue(on.heap);
    for (unsigned i = 0; i < 777; i += 3)
        bits[i] = true;
    for (unsigned i = 0; i < 2000; i++) {
        queue.push_back(i);
        queue.push_front(i);
        if (i % 3 == 0)
            queue.pop_back();
    }
    REQUIRE(std::count(bits.begin(), bits.end(), true) == 259);
    REQUIRE(queue.size() == 4000 - 667);
}

void string_grows(ground &on)
{
    text here(on.heap);
    std::string there;
    for (unsigned i = 0; i < 500; i++) {
        here.append(std::to_string(scattered(i)).c_str());
        there.append(std::to_string(scattered(i)));
        if (i % 50 == 49) {
            here.erase(3, there.size() / 2);
            there.erase(3, there.size() / 2);
        }
    }
    REQUIRE(here.compare(there.c_str()) == 0);
    here = "short";
    here.shrink_to_fit();
    REQUIRE(live(on) == 0);
}

template <class Here, class There> void fill_and_thin(Here &here, There &there)
{
    for (unsigned i = 0; i < 400; i++) {
        here.emplace(scattered(i), long_text(i).c_str());
        there.emplace(scattered(i), long_text(i));
    }
    for (unsigned i = 0; i < 400; i += 3)
        REQUIRE(here.erase(scattered(i)) == there.erase(scattered(i)));
    REQUIRE(here.size() == there.size());
    for (const auto &[key, value] : there) {
        auto found = here.find(key);
        REQUIRE(found != here.end() && found->second.compare(value.c_str()) == 0);
    }
}

template <class Key, class Value>
using scoped = std::scoped_allocator_adaptor<on_heap<std::pair<const Key, Value>>>;

void map_of_strings(ground &on)
{
    std::map<unsigned, text, std::less<>, scoped<unsigned, text>> here(
        scoped<unsigned, text>{ on.heap });
    std::map<unsigned, std::string> there;
    fill_and_thin(here, there);
    REQUIRE(live(on) >= 2 * there.size());
    auto moved = std::move(here);
    REQUIRE(moved.size() == there.size());
}

void unordered_map_of_strings(ground &on)
{
    std::unordered_map<unsigned, text, std::hash<unsigned>, std::equal_to<>, scoped<unsigned, text>>
        here(scoped<unsigned, text>{ on.heap });
    std::unordered_map<unsigned, std::string> there;
    fill_and_thin(here, there);
    here.rehash(2000);
    REQUIRE(live(on) >= 2 * there.size() + 1);
    here.clear();
    fill_and_thin(here, there);
}

void list_splices(ground &on)
{
    std::list<unsigned, on_heap<unsigned>> odd(on.heap);
    std::list<unsigned, on_heap<unsigned>> even(on.heap);
    for (unsigned i = 0; i < 300; i++)
        (i % 2 ? odd : even).push_front(i);
    std::size_t before = live(on);
    odd.splice(odd.end(), even);
    odd.sort();
    REQUIRE(even.empty() && odd.size() == 300 && live(on) == before);
    unsigned expected = 0;
    for (unsigned i : odd)
        REQUIRE(i == expected++);
    odd.remove_if([](unsigned i) { return i % 3 == 0; });
    REQUIRE(odd.size() == 200);
}

struct alignas(256) wide {
    unsigned char bytes[256];
};

void objects_with_large_alignment(ground &on)
{
    std::vector<wide, on_heap<wide>> vector(3, on.heap);
    std::list<wide, on_heap<wide>> list(3, wide{}, on.heap);
    std::pmr::vector<wide> nothing;
    for (const wide &object : list)
        REQUIRE(reinterpret_cast<std::uintptr_t>(&object) % 256 == 0);
    REQUIRE(reinterpret_cast<std::uintptr_t>(vector.data()) % 256 == 0);
}

void shared_ptr_and_weak_ptr(ground &on)
{
    auto one = std::allocate_shared<text>(on_heap<text>(on.heap), on_heap<char>(on.heap));
    std::weak_ptr<text> weak = one;
    one->assign(long_text(1).c_str());
    REQUIRE(live(on) == 2);
    auto two = one;
    one.reset();
    REQUIRE(two->size() > 40 && live(on) == 2);
    two.reset();
    REQUIRE(weak.expired() && live(on) == 1); // object and count are one block
    weak.reset();
    REQUIRE(live(on) == 0);
}

/* The default resource refuses: whatever is not taken from the heap throws. */
class nothing_else {
  public:
    nothing_else() : before_(std::pmr::set_default_resource(std::pmr::null_memory_resource()))
    {
    }
    ~nothing_else()
    {
        std::pmr::set_default_resource(before_);
    }
    nothing_else(const nothing_else &) = delete;
    nothing_else &operator=(const nothing_else &) = delete;

  private:
    std::pmr::memory_resource *before_;
};

void nested_pmr_containers(ground &on)
{
    nothing_else guard;
    acre::memory_resource resource{ on.heap };
    std::pmr::map<std::pmr::string, std::pmr::vector<std::pmr::list<std::pmr::string>>> tree{
        &resource
    };
    for (unsigned i = 0; i < 200; i++) {
        std::pmr::string key{ long_text(i % 20).c_str(), &resource };
        auto &lists = tree[key];
        lists.emplace_back().emplace_back(long_text(i).c_str());
        lists.front().emplace_front("short");
    }
    REQUIRE(tree.size() == 20);
    for (const auto &[key, lists] : tree) {
        REQUIRE(lists.size() == 10 && lists.front().size() == 11);
        REQUIRE(lists.back().back().get_allocator().resource() == &resource);
    }
    auto other =
        std::pmr::map<std::pmr::string, std::pmr::vector<std::pmr::list<std::pmr::string>>>(
            tree, &resource);
    REQUIRE(other == tree);
    tree.clear();
    REQUIRE(other.size() == 20);
}

void pmr_pools_stand_on_it(ground &on)
{
    nothing_else guard;
    acre::memory_resource resource{ on.heap };
    std::pmr::unsynchronized_pool_resource pool{ { 16, 512 }, &resource };
    std::pmr::monotonic_buffer_resource bump{ &resource };
    std::pmr::list<unsigned> list{ &pool };
    std::pmr::vector<unsigned> vector{ &bump };
    for (unsigned i = 0; i < 1000; i++) {
        list.push_back(i);
        vector.push_back(i);
    }
    REQUIRE(std::accumulate(list.begin(), list.end(), 0u) == 499500);
    REQUIRE(same(list, vector));
}

/* The container outlives every other reference. */
void a_container_keeps_its_heap(ground &on)
{
    acre_shared inner;
    bool ended = false;
    acre_shared_pool pool = { nullptr, 0,
        [](void *arg, void *, std::size_t, std::size_t live_blocks) {
            *static_cast<bool *>(arg) = live_blocks == 0;
        },
        &ended };
    REQUIRE(acre_shared_make(&inner, on.heap.bytes(), pool) == ACRE_OK);
    {
        std::vector<unsigned, on_heap<unsigned>> numbers{ acre::shared::adopt(inner) };
        REQUIRE(acre_shared_count(&inner) == 1);
        numbers.resize(100);
        auto copy = numbers;
        auto moved = std::move(numbers);
        REQUIRE(acre_shared_count(&inner) == 3);
        REQUIRE(!ended);
    }
    REQUIRE(acre_shared_count(&inner) == 0);
    REQUIRE(ended);
}

} // namespace

int main()
{
    return run_cases("containers on a heap",
        {
            { "a vector grows and shrinks", vector_grows_and_shrinks, 0 },
            { "vector<bool> and deque", vector_of_bool_and_deque, 0 },
            { "a string grows", string_grows, 0 },
            { "a map of strings", map_of_strings, 0 },
            { "an unordered_map of strings", unordered_map_of_strings, 0 },
            { "lists splice", list_splices, 0 },
            { "objects with a large alignment", objects_with_large_alignment, 0 },
            { "shared_ptr and weak_ptr", shared_ptr_and_weak_ptr, 0 },
            { "nested pmr containers", nested_pmr_containers, 0 },
            { "pools of pmr stand on it", pmr_pools_stand_on_it, 0 },
            { "a container keeps its heap", a_container_keeps_its_heap, 0 },
        });
}
