/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A C++ program that lives off its heap: containers, every form of new and delete, exceptions and
 * threads that pass memory to each other. What it prints depends on nothing but its own arithmetic,
 * so that two runs on two allocators can be compared.
 */
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

/** A linear congruential generator: the same numbers everywhere. */
class Numbers {
  public:
    explicit Numbers(std::uint64_t seed) : state(seed)
    {
    }
    std::uint64_t next(std::uint64_t below)
    {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (state >> 33) % below;
    }

  private:
    std::uint64_t state;
};

std::uint64_t mix(std::uint64_t sum, std::uint64_t value)
{
    return (sum ^ value) * 1099511628211u;
}

std::uint64_t containers(std::uint64_t seed)
{
    Numbers numbers(seed);
    std::map<std::string, std::vector<std::uint64_t>> tree;
    std::unordered_map<std::uint64_t, std::unique_ptr<std::string>> table;
    std::list<std::shared_ptr<std::string>> list;
    std::deque<std::string> queue;
    for (int i = 0; i < 20000; i++) {
        std::string text(
            static_cast<std::size_t>(numbers.next(200)), static_cast<char>('a' + numbers.next(26)));
        tree[std::to_string(numbers.next(2000))].push_back(numbers.next(1000));
        table[numbers.next(3000)] = std::make_unique<std::string>(text);
        list.push_back(std::make_shared<std::string>(text));
        queue.push_back(std::move(text));
        if (queue.size() > 500)
            queue.pop_front();
        if (list.size() > 300)
            list.erase(std::next(list.begin(), static_cast<long>(numbers.next(300))));
    }
    std::uint64_t sum = seed;
    for (const auto &[name, values] : tree)
        for (std::uint64_t value : values)
            sum = mix(sum, value + name.size());
    for (std::uint64_t key = 0; key < 3000; key++)
        if (auto found = table.find(key); found != table.end())
            sum = mix(sum, found->second->size());
    for (const auto &text : list)
        sum = mix(sum, text->size());
    for (const auto &text : queue)
        sum = mix(sum, text.size());
    return sum;
}

struct Small {
    virtual ~Small() = default;
    virtual std::uint64_t value() const
    {
        return 7;
    }
};

struct Large : Small {
    char bytes[1000] = { 1 };
};

struct alignas(4096) Page {
    unsigned char bytes[4096] = { 2 };
};

/** Every form of new and delete, sized and aligned ones included. */
std::uint64_t forms()
{
    std::uint64_t sum = 0;
    for (int i = 0; i < 500; i++) {
        std::unique_ptr<Small> small = std::make_unique<Large>();
        auto *page = new Page;
        auto *pages = new Page[3];
        auto *strings = new std::string[10];
        auto *quiet = new (std::nothrow) Large[2];
        auto *quiet_page = new (std::nothrow) Page;
        void *raw = ::operator new(100, std::align_val_t(256));
        sum += reinterpret_cast<std::uintptr_t>(page) % alignof(Page);
        sum += reinterpret_cast<std::uintptr_t>(pages) % alignof(Page);
        sum += reinterpret_cast<std::uintptr_t>(raw) % 256;
        sum += small->value() + page->bytes[0] + pages[2].bytes[0] + strings[9].size();
        ::operator delete(raw, 100, std::align_val_t(256));
        ::operator delete(::operator new(50), std::size_t(50));
        ::operator delete[](::operator new[](60), std::size_t(60));
        delete quiet_page;
        delete[] quiet;
        delete[] strings;
        delete[] pages;
        delete page;
    }
    return sum;
}

int handler_calls;

void give_up()
{
    if (++handler_calls == 3)
        std::set_new_handler(nullptr);
}

/** Exhaustion is reported as the standard says. The sizes are hidden from the compiler. */
std::uint64_t exhaustion()
{
    std::uint64_t caught = 0;
    volatile std::size_t most = SIZE_MAX / 2;
    std::set_new_handler(give_up);
    for (int i = 0; i < 100; i++) {
        try {
            std::vector<char> vector(most);
        } catch (const std::bad_alloc &) {
            caught++;
        }
        try {
            ::operator delete(::operator new(most, std::align_val_t(64)), std::align_val_t(64));
        } catch (const std::bad_alloc &) {
            caught++;
        }
        caught += ::operator new(most, std::nothrow) == nullptr;
    }
    return caught * 10 + static_cast<std::uint64_t>(handler_calls);
}

/** Exceptions are allocated, thrown through frames that own memory, and kept beyond their thread.
 */
std::uint64_t exceptions()
{
    std::uint64_t sum = 0;
    std::exception_ptr kept;
    for (int i = 0; i < 2000; i++) {
        try {
            std::vector<std::string> owned(10, std::string(100, 'x'));
            throw std::string(static_cast<std::size_t>(i % 300), 'y') + owned[0];
        } catch (const std::string &text) {
            sum += text.size();
            kept = std::current_exception();
        }
    }
    std::thread([&] { kept = std::make_exception_ptr(std::string("z")); }).join();
    try {
        std::rethrow_exception(kept);
    } catch (const std::string &text) {
        sum += text.size();
    }
    return sum;
}

/** Blocks are allocated by one thread and freed by another. */
std::uint64_t threads()
{
    std::mutex mutex;
    std::condition_variable filled;
    std::deque<std::unique_ptr<std::vector<std::uint64_t>>> box;
    std::vector<std::thread> makers;
    std::uint64_t sum = 0;
    for (std::size_t id = 0; id < 4; id++)
        makers.emplace_back([&, id] {
            thread_local std::string local(1000, 't');
            Numbers numbers(id);
            for (int i = 0; i < 5000; i++) {
                auto part = std::make_unique<std::vector<std::uint64_t>>(numbers.next(100) + 1, id);
                part->back() += local.size();
                std::lock_guard<std::mutex> guard(mutex);
                box.push_back(std::move(part));
                filled.notify_one();
            }
        });
    for (int i = 0; i < 4 * 5000; i++) {
        std::unique_lock<std::mutex> lock(mutex);
        filled.wait(lock, [&] { return !box.empty(); });
        auto part = std::move(box.front());
        box.pop_front();
        lock.unlock();
        for (std::uint64_t value : *part)
            sum += value;
    }
    for (auto &maker : makers)
        maker.join();
    std::vector<std::uint64_t> sums(4);
    std::vector<std::thread> workers;
    for (std::size_t id = 0; id < 4; id++)
        workers.emplace_back([&, id] { sums[id] = containers(id); });
    for (auto &worker : workers)
        worker.join();
    for (std::uint64_t part : sums)
        sum = mix(sum, part);
    return sum;
}

} // namespace

int main()
{
    std::printf("containers %llu\n", static_cast<unsigned long long>(containers(42)));
    std::printf("forms %llu\n", static_cast<unsigned long long>(forms()));
    std::printf("exhaustion %llu\n", static_cast<unsigned long long>(exhaustion()));
    std::printf("exceptions %llu\n", static_cast<unsigned long long>(exceptions()));
    std::printf("threads %llu\n", static_cast<unsigned long long>(threads()));
    return 0;
}
