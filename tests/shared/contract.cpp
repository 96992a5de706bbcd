// SPDX-License-Identifier: Apache-2.0 OR MIT
// What the standard asks of an allocator and a memory_resource: propagation, equality, exceptions,
// size 0; and what acre adds: misuse is reported exactly.
#include "shared/cxx.h"

#include <acre/lock_pthread.h>

#include <csignal>
#include <cstring>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeinfo>
#include <unordered_map>

#include <sys/wait.h>
#include <unistd.h>

namespace {

template <class T> using on_heap = acre::allocator<T>;
using numbers = std::vector<unsigned, on_heap<unsigned>>;
using traits = std::allocator_traits<on_heap<int>>;

static_assert(!traits::is_always_equal::value);
static_assert(!traits::propagate_on_container_copy_assignment::value);
static_assert(traits::propagate_on_container_move_assignment::value);
static_assert(traits::propagate_on_container_swap::value);
static_assert(std::is_same_v<traits::rebind_alloc<char>, on_heap<char>>);
static_assert(std::is_nothrow_copy_constructible_v<on_heap<int>>);
static_assert(std::is_nothrow_move_constructible_v<on_heap<int>>);
static_assert(std::is_nothrow_copy_assignable_v<on_heap<int>>);
static_assert(std::is_nothrow_constructible_v<on_heap<int>, const on_heap<char> &>);
static_assert(std::is_nothrow_default_constructible_v<on_heap<int>>);
static_assert(std::is_nothrow_move_assignable_v<numbers>);
static_assert(std::is_nothrow_swappable_v<numbers>);

/* A second handle over the test_case's heap. */
class second {
  public:
    explicit second(const ground &on)
    {
        REQUIRE(acre_shared_make(&control_, on.heap.bytes(), { nullptr, 0, nullptr, nullptr }) ==
                ACRE_OK);
    }
    ~second()
    {
        acre_shared_drop(&control_);
    }
    second(const second &) = delete;
    second &operator=(const second &) = delete;

    acre::shared heap()
    {
        return acre::shared::clone(control_);
    }
    std::size_t count() const
    {
        return acre_shared_count(&control_);
    }

  private:
    acre_shared control_{};
};

void handles_are_equal_when_they_are_one(ground &on)
{
    second other(on);
    acre::shared copy = on.heap;
    REQUIRE(copy == on.heap && !(copy != on.heap));
    REQUIRE(other.heap() != on.heap && !(other.heap() == on.heap));
    REQUIRE(on_heap<int>(on.heap) == on_heap<double>(copy));
    REQUIRE(on_heap<int>(on.heap) != on_heap<int>(other.heap()));
    REQUIRE(!(on_heap<int>(on.heap) != on_heap<int>(copy)));
    on_heap<double> from(on_heap<int>(other.heap()));
    REQUIRE(from == on_heap<double>(other.heap()));
    copy = other.heap();
    REQUIRE(copy == other.heap());
}

void resources_are_equal_when_their_handle_is_one(ground &on)
{
    second other(on);
    acre::memory_resource one{ on.heap };
    acre::memory_resource two{ on.heap };
    acre::memory_resource three{ other.heap() };
    REQUIRE(one == one && one == two && two == one);
    REQUIRE(one != three);
    REQUIRE(one != *std::pmr::new_delete_resource());
    void *ptr = one.allocate(100, 32);
    two.deallocate(ptr, 100, 32);
    std::pmr::list<int> a({ 1, 2 }, &one);
    std::pmr::list<int> b({ 3 }, &two);
    a.splice(a.end(), b);
    REQUIRE(a.size() == 3 && b.empty());
}

/* Every copy counts, and nothing else. */
void copies_hold_references(ground &on)
{
    second other(on);
    {
        acre::shared one = other.heap();
        REQUIRE(other.count() == 2);
        acre::shared two = std::move(one);
        REQUIRE(one == two && other.count() == 3);
        acre::shared &self = two;
        two = self;
        REQUIRE(other.count() == 3);
        two = on.heap;
        REQUIRE(other.count() == 2);
        acre::memory_resource resource{ one };
        on_heap<int> allocator(one);
        on_heap<char> rebound(allocator);
        REQUIRE(other.count() == 5);
    }
    REQUIRE(other.count() == 1);
}

void copies_of_containers_stay_on_their_heaps(ground &on)
{
    second other(on);
    numbers one({ 1, 2, 3 }, on.heap);
    numbers two({ 4 }, other.heap());
    numbers copy = one;
    REQUIRE(copy.get_allocator() == one.get_allocator());
    two = one;
    REQUIRE(two == one && two.get_allocator().heap() == other.heap());
    copy = two;
    REQUIRE(copy == two && copy.get_allocator().heap() == on.heap);
    numbers there(one, other.heap());
    REQUIRE(there == one && there.get_allocator().heap() == other.heap());
}

void moves_and_swaps_take_the_heap_along(ground &on)
{
    second other(on);
    numbers one({ 1, 2, 3 }, on.heap);
    numbers two({ 4, 5 }, other.heap());
    const unsigned *first = one.data();
    const unsigned *second_first = two.data();
    std::swap(one, two);
    REQUIRE(one.data() == second_first && one.get_allocator().heap() == other.heap());
    REQUIRE(two.data() == first && two.get_allocator().heap() == on.heap);
    one = std::move(two);
    REQUIRE(one.data() == first && one.get_allocator().heap() == on.heap);
    numbers three = std::move(one);
    REQUIRE(three.data() == first && three.get_allocator() == one.get_allocator());
    numbers four(std::move(three), other.heap()); // another heap: the elements move one by one
    REQUIRE(four.data() != first && four.size() == 3 && four[2] == 3);
}

void size_0_can_be_had_and_given_back(ground &on)
{
    on_heap<wchar_t> allocator(on.heap);
    wchar_t *one = allocator.allocate(0);
    wchar_t *two = allocator.allocate(0);
    REQUIRE(one != nullptr && two != nullptr && one != two);
    allocator.deallocate(one, 0);
    allocator.deallocate(two, 0);
    acre::memory_resource resource{ on.heap };
    void *aligned = resource.allocate(0, 512);
    REQUIRE(reinterpret_cast<std::uintptr_t>(aligned) % 512 == 0);
    resource.deallocate(aligned, 0, 512);
}

void sizes_that_overflow_throw(ground &on)
{
    const volatile std::size_t unforeseen = std::numeric_limits<std::size_t>::max();
    const std::size_t most = unforeseen; // the compiler warns of what it can see
    on_heap<unsigned> allocator(on.heap);
    REQUIRE_THROWS(std::bad_array_new_length, (void)allocator.allocate(most / 4 + 1));
    REQUIRE_THROWS(std::bad_array_new_length, (void)allocator.allocate(most));
    REQUIRE_THROWS(std::bad_alloc, (void)allocator.allocate(most / 4));
    acre::memory_resource resource{ on.heap };
    REQUIRE_THROWS(std::bad_alloc, (void)resource.allocate(most, 8));
    REQUIRE_THROWS(std::bad_alloc, (void)resource.allocate(1, std::size_t{ 1 } << 30));
    numbers vector(on.heap);
    REQUIRE_THROWS(std::length_error, vector.reserve(vector.max_size() + 1));
}

/* What there was before the exception is there after it. */
void exhaustion_throws_and_keeps_contents(ground &on)
{
    numbers vector(on.heap);
    try {
        for (unsigned i = 0;; i++)
            vector.push_back(i);
    } catch (const std::bad_alloc &) {
    }
    REQUIRE(vector.size() > 1000 && live(on) == 1);
    for (unsigned i = 0; i < vector.size(); i++)
        REQUIRE(vector[i] == i);
    std::size_t size = vector.size();
    REQUIRE_THROWS(std::bad_alloc, numbers(1 << 20, 7u, on.heap));
    REQUIRE_THROWS(std::bad_alloc, vector.resize(1 << 20));
    REQUIRE(vector.size() == size && live(on) == 1);

    acre::memory_resource resource{ on.heap };
    std::pmr::list<std::pmr::string> list{ &resource };
    const std::string text(1000, 'x');
    try {
        for (;;)
            list.emplace_back(text.c_str());
    } catch (const std::bad_alloc &) {
    }
    REQUIRE(list.size() > 2 && live(on) == 1 + 2 * list.size());
    list.pop_back();
    list.emplace_back(text.c_str());
}

/* An allocator that refuses one request after so many. */
struct refusing {
    acre_bytes_ops ops;
    acre_bytes inner;
    std::size_t until;

    explicit refusing(acre_bytes bytes) : ops(*bytes.ops), inner(bytes), until(0)
    {
        ops.alloc = [](void *self, struct acre_layout layout) {
            auto *here = static_cast<refusing *>(self);
            if (--here->until == 0)
                return acre_ptr{ nullptr, ACRE_NO_MEMORY };
            return acre_alloc(here->inner, layout);
        };
        ops.dealloc_sized = [](void *self, void *ptr, struct acre_layout layout) {
            return acre_dealloc_sized(static_cast<refusing *>(self)->inner, ptr, layout);
        };
        ops.base.stats = [](const void *self) {
            return acre_bytes_stats(static_cast<const refusing *>(self)->inner);
        };
    }
};

void use_containers(const acre::shared &heap)
{
    acre::memory_resource resource{ heap };
    std::pmr::map<unsigned, std::pmr::string> map{ &resource };
    std::pmr::unordered_map<unsigned, std::pmr::vector<unsigned>> table{ &resource };
    numbers vector(heap);
    auto shared = std::allocate_shared<unsigned>(on_heap<unsigned>(heap), 5u);
    for (unsigned i = 0; i < 50; i++) {
        map.emplace(i, "a string too long for the small buffer");
        table[i % 7].push_back(i);
        vector.push_back(*shared);
    }
}

/* The first request fails, then the second, and so on until none does: nothing is ever left. */
void each_request_fails_once(ground &on)
{
    refusing below(on.heap.bytes());
    acre_shared control;
    REQUIRE(acre_shared_make(&control, { &below.ops, &below }, { nullptr, 0, nullptr, nullptr }) ==
            ACRE_OK);
    acre::shared heap = acre::shared::adopt(control);
    std::size_t failures = 0;
    for (bool threw = true; threw; failures += threw) {
        threw = false;
        below.until = failures + 1;
        try {
            use_containers(heap);
        } catch (const std::bad_alloc &) {
            threw = true;
        }
        REQUIRE(live(on) == 0);
        REQUIRE(acre_shared_count(&control) == 1);
    }
    REQUIRE(failures > 100);
}

struct heard {
    acre::misuse what;
};

void hear(const acre::misuse &what)
{
    throw heard{ what };
}

/* The handler is told exactly this, and nothing has changed. */
template <class Call>
void misuse_is(const ground &on, acre_status status, const void *ptr, std::size_t size, Call call)
{
    std::size_t before = live(on);
    acre::misuse_handler old = acre::set_misuse_handler(hear);
    bool told = false;
    try {
        call();
    } catch (const heard &it) {
        told = it.what.status == status && it.what.ptr == ptr && it.what.layout.size == size &&
               std::strcmp(it.what.call, "deallocate") == 0;
    }
    REQUIRE(acre::set_misuse_handler(old) == hear);
    REQUIRE(told && live(on) == before);
}

void a_wrong_size_is_heard(ground &on)
{
    acre::memory_resource resource{ on.heap };
    on_heap<std::uint64_t> allocator(on.heap);
    void *ptr = resource.allocate(1000, 8);
    std::uint64_t *array = allocator.allocate(100);
    misuse_is(on, ACRE_INVALID_PARAM, ptr, 10, [&] { resource.deallocate(ptr, 10, 8); });
    misuse_is(on, ACRE_INVALID_PARAM, ptr, 5000, [&] { resource.deallocate(ptr, 5000, 8); });
    misuse_is(on, ACRE_INVALID_PARAM, ptr, 1000,
        [&] { resource.deallocate(ptr, 1000, SIZE_MAX / 2 + 1); });
    misuse_is(on, ACRE_INVALID_PARAM, array, 80, [&] { allocator.deallocate(array, 10); });
    /* Whose product with the size of an object wraps round to that of 100. */
    misuse_is(on, ACRE_INVALID_PARAM, array, SIZE_MAX,
        [&] { allocator.deallocate(array, SIZE_MAX / 8 + 1 + 100); });
    allocator.deallocate(array, 100);
    resource.deallocate(ptr, 1000, 8);
}

void a_wrong_pointer_is_heard(ground &on)
{
    acre::memory_resource resource{ on.heap };
    on_heap<char> allocator(on.heap);
    char local = 0;
    char *gone = allocator.allocate(64);
    char *ptr = allocator.allocate(64);
    allocator.deallocate(gone, 64);
    for (char *bad : { gone, ptr + 1, ptr + 16, &local }) {
        misuse_is(on, ACRE_NOT_ALLOCATED, bad, 64, [&] { allocator.deallocate(bad, 64); });
        misuse_is(on, ACRE_NOT_ALLOCATED, bad, 64, [&] { resource.deallocate(bad, 64, 1); });
    }
    allocator.deallocate(ptr, 64);
}

/* Runs the call in a child, which must abort and say why. */
template <class Call> void must_abort(const char *words, Call call)
{
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        dup2(pipe_ends[1], STDERR_FILENO);
        std::signal(SIGABRT, SIG_DFL);
        call();
        _exit(0);
    }
    close(pipe_ends[1]);
    char said[512];
    ssize_t length = read(pipe_ends[0], said, sizeof said - 1);
    close(pipe_ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(length > 0);
    said[length] = '\0';
    REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    REQUIRE(std::strstr(said, words) == said);
}

void misuse_aborts_by_default(ground &on)
{
    on_heap<char> allocator(on.heap);
    char *ptr = allocator.allocate(64);
    must_abort("acre: deallocate(0x", [&] { allocator.deallocate(ptr, 4000); });
    must_abort("acre: deallocate(0x", [&] {
        acre::set_misuse_handler([](const acre::misuse &) {});
        allocator.deallocate(ptr, 4000);
    });
    allocator.deallocate(ptr, 64);

    acre_shared control;
    REQUIRE(
        acre_shared_make(&control, on.heap.bytes(), { nullptr, 0, nullptr, nullptr }) == ACRE_OK);
    acre::shared one = acre::shared::adopt(control);
    must_abort("acre: drop(", [&] {
        acre_shared_drop(&control);
        acre::shared again = acre::shared::adopt(control);
    });
    must_abort("acre: copy(", [&] {
        acre_shared_drop(&control);
        acre::shared copy = one;
    });
}

/* Containers of several threads over one heap; the last thread's end is the heap's. */
void threads_share_a_heap(ground &on)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    acre_shared control;
    REQUIRE(acre_shared_make_threadsafe(&control, on.heap.bytes(), { nullptr, 0, nullptr, nullptr },
                acre_locker_pthread(&mutex)) == ACRE_OK);
    std::vector<std::thread> threads;
    std::vector<unsigned> sums(4);
    for (unsigned t = 0; t < sums.size(); t++)
        threads.emplace_back([&sum = sums[t], heap = acre::shared::clone(control)] {
            std::map<unsigned, unsigned, std::less<>, on_heap<std::pair<const unsigned, unsigned>>>
                map(heap);
            for (unsigned i = 0; i < 200; i++)
                map[i % 50] += i;
            for (auto &[key, value] : map)
                sum += value;
        });
    acre_shared_drop(&control);
    for (std::thread &thread : threads)
        thread.join();
    threads.clear();
    REQUIRE(sums == std::vector<unsigned>(4, 19900));
    REQUIRE(acre_shared_count(&control) == 0);
}

} // namespace

int main()
{
    return run_cases("allocator and memory_resource",
        {
            { "handles are equal when they are one", handles_are_equal_when_they_are_one, 0 },
            { "resources are equal when their handle is one",
                resources_are_equal_when_their_handle_is_one, 0 },
            { "copies hold references", copies_hold_references, 0 },
            { "copies of containers stay on their heaps", copies_of_containers_stay_on_their_heaps,
                0 },
            { "moves and swaps take the heap along", moves_and_swaps_take_the_heap_along, 0 },
            { "size 0 can be had and given back", size_0_can_be_had_and_given_back, 0 },
            { "sizes that overflow throw", sizes_that_overflow_throw, 0 },
            { "exhaustion throws and keeps contents", exhaustion_throws_and_keeps_contents, 0 },
            { "each request fails once", each_request_fails_once, 0 },
            { "a wrong size is heard", a_wrong_size_is_heard, 0 },
            { "a wrong pointer is heard", a_wrong_pointer_is_heard, ACRE_SUBJECT_EXACT },
            { "misuse aborts by default", misuse_aborts_by_default, 0 },
            { "threads share a heap", threads_share_a_heap, 0 },
        });
}
