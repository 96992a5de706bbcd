// SPDX-License-Identifier: Apache-2.0 OR MIT
// acre::heap over a buffer, the default heap, single objects: built with exceptions and without.
#include <acre/acre.hpp>

#include <array>
#include <list>
#include <map>
#include <regex>
#include <string>
#include <unordered_set>
#include <vector>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

int faults = 0;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                            \
            faults++;                                                                              \
        }                                                                                          \
    } while (0)

alignas(4096) unsigned char buffer[256 * 1024];

template <class Heap> void a_heap_in_one_line()
{
    Heap heap{ buffer, sizeof buffer };
    {
        std::pmr::vector<std::pmr::string> names{ &heap };
        std::list<int, acre::allocator<int>> numbers{ heap.handle() };
        for (int i = 0; i < 100; i++) {
            names.emplace_back("a name that is too long for the small buffer of a string");
            numbers.push_back(i);
        }
        auto *first = reinterpret_cast<unsigned char *>(names.data());
        CHECK(first >= buffer && first < buffer + sizeof buffer);
        CHECK(acre_bytes_stats(heap.bytes()).live_blocks == 201);
    }
    CHECK(acre_used_bytes(heap.bytes()) == 0);
    CHECK(acre_bytes_check(heap.bytes()).invariant == nullptr);
}

/* What many templates ask of an allocator: to be made out of nothing. */
template <template <class> class Allocator> struct document {
    std::map<int, std::vector<int, Allocator<int>>, std::less<>,
        Allocator<std::pair<const int, std::vector<int, Allocator<int>>>>>
        members;

    static int *make()
    {
        Allocator<int> allocator;
        int *object = std::allocator_traits<Allocator<int>>::allocate(allocator, 1);
        *object = 42;
        return object;
    }
    static void drop(int *object)
    {
        Allocator<int> allocator;
        std::allocator_traits<Allocator<int>>::deallocate(allocator, object, 1);
    }
};

void the_default_heap()
{
    acre::heap heap{ buffer, sizeof buffer };
    acre::set_default_heap(heap.handle());
    acre::set_default_heap(heap.handle()); // again: no reference is lost
    CHECK(acre::default_heap() == heap.handle());
    {
        std::vector<int, acre::allocator<int>> numbers(100, 7);
        std::unordered_set<int, std::hash<int>, std::equal_to<>, acre::allocator<int>> set;
        document<acre::allocator> document;
        document.members[1].push_back(2);
        set.insert(3);
        int *object = decltype(document)::make();
        CHECK(*object == 42);
        decltype(document)::drop(object);

        using iterator = std::string::const_iterator;
        std::match_results<iterator, acre::allocator<std::sub_match<iterator>>> match;
        const std::string text = "acre 2";
        CHECK(std::regex_match(text, match, std::regex("([a-z]+) ([0-9])")) && match.size() == 3);
        CHECK(acre_bytes_stats(heap.bytes()).live_blocks >= 4);
    }
    acre::reset_default_heap();
    acre::reset_default_heap();
    CHECK(acre_used_bytes(heap.bytes()) == 0);
    CHECK(acre_shared_count(&heap.handle().control()) == 1);
}

int alive = 0;

struct alignas(128) object {
    explicit object(int n = 0) noexcept : number(n)
    {
        alive++;
    }
    ~object()
    {
        alive--;
    }
    object(const object &) = delete;
    object &operator=(const object &) = delete;
    int number;
};

void single_objects()
{
    acre::heap heap{ buffer, sizeof buffer };
    auto *one = acre::create<object>(heap.bytes(), 5);
    CHECK(one != nullptr && one->number == 5 && reinterpret_cast<std::uintptr_t>(one) % 128 == 0);
    auto *row = acre::create_array<object>(heap.bytes(), 10);
    CHECK(row != nullptr && alive == 11);
    acre::destroy(heap.bytes(), one);
    acre::destroy_array(heap.bytes(), row, 10);
    acre::destroy<object>(heap.bytes(), nullptr);
    CHECK(alive == 0 && acre_used_bytes(heap.bytes()) == 0);

    CHECK(acre::create_array<object>(heap.bytes(), SIZE_MAX / sizeof(object) + 2) == nullptr);
    CHECK((acre::create<std::array<char, sizeof buffer>>(heap.bytes())) == nullptr);
    CHECK(heap.handle().try_allocate(sizeof buffer, 1) == nullptr);
    CHECK(alive == 0 && acre_bytes_stats(heap.bytes()).failed == 3);
}

/* Runs a function that must end the process with SIGABRT and one line of text. */
bool aborts(void (*function)())
{
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    std::fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        const rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        std::signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        function();
        _exit(0);
    }
    close(ends[1]);
    char text[200];
    ssize_t size = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    text[size > 0 ? size : 0] = '\0';
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
           std::string(text).rfind("acre: ", 0) == 0;
}

void misuse_ends_the_process()
{
    CHECK(aborts([] { acre::allocator<int> without_a_default; }));
#if ACRE_CHECK_POINTERS
    CHECK(aborts([] {
        acre::heap heap{ buffer, sizeof buffer };
        int outside = 0;
        acre::destroy(heap.bytes(), &outside);
    }));
#else
    std::puts("[  SKIPPED ] a pointer from outside: this build does not prove pointers");
#endif
    CHECK(aborts([] {
        acre::heap heap{ buffer, sizeof buffer };
        acre::set_default_heap(heap.handle()); // a reference that outlives the heap
    }));
#if !defined(__cpp_exceptions)
    CHECK(aborts([] { acre::heap heap{ buffer, 16 }; }));
    CHECK(aborts([] {
        acre::heap heap{ buffer, sizeof buffer };
        std::vector<int, acre::allocator<int>> numbers{ heap.handle() };
        numbers.resize(sizeof buffer);
    }));
#endif
}

#if defined(__cpp_exceptions)
struct throws {
    throws()
    {
        throw 7;
    }
};

template <class Exception, class Function> bool throws_this(Function function)
{
    try {
        function();
    } catch (const Exception &) {
        return true;
    }
    return false;
}

void exceptions()
{
    CHECK(throws_this<std::bad_alloc>([] { acre::heap heap{ buffer, 16 }; }));
    CHECK(throws_this<std::bad_alloc>([] { acre::heap heap{ nullptr, 4096 }; }));
    acre::heap heap{ buffer, sizeof buffer };
    CHECK(throws_this<int>([&] { (void)acre::create<throws>(heap.bytes()); }));
    CHECK(acre_used_bytes(heap.bytes()) == 0);
}
#endif

} // namespace

/* An exception that leaves main fails the test. NOLINTNEXTLINE(bugprone-exception-escape) */
int main()
{
    a_heap_in_one_line<acre::heap>();
    a_heap_in_one_line<acre::basic_heap<acre_tlsf_quick>>();
#if ACRE_BUDDY
    a_heap_in_one_line<acre::basic_heap<acre_buddy>>();
#endif
#if ACRE_SLAB
    a_heap_in_one_line<acre::basic_heap<acre_slab>>();
#endif
    the_default_heap();
    single_objects();
    misuse_ends_the_process();
#if defined(__cpp_exceptions)
    exceptions();
#endif
    std::puts(faults == 0 ? "[       OK ] heap" : "[  FAILED  ] heap");
    return faults != 0;
}
