/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The operators new and delete with the drop-in malloc preloaded; linked to nothing of it. Built a
 * second time with REPLACED, as a program that brings the four plain forms itself: then every
 * other form must end in those. And a third time with ARRAYS, as one that brings the four plain
 * forms for arrays and no other.
 * usage: operators CASE
 */
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <new>

#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(bool holds, const char *text, int line)
{
    if (holds)
        return;
    std::fprintf(stderr, "operators.cpp:%d: %s\n", line, text);
    std::_Exit(1);
}

static std::size_t hide(std::size_t value)
{
    volatile std::size_t hidden = value;
    return hidden;
}

static const auto wide = std::align_val_t{ 256 };

/* What each form was given and gave back. */
static unsigned news, aligned_news, deletes, aligned_deletes;

#if defined(REPLACED)
#define NEW operator new
#define DELETE operator delete
#elif defined(ARRAYS)
#define NEW operator new[]
#define DELETE operator delete[]
#endif

#ifdef NEW
void *NEW(std::size_t size)
{
    news++;
    char *block = static_cast<char *>(std::malloc(size + 64));
    return block + 64;
}

void DELETE(void *ptr) noexcept
{
    deletes++;
    std::free(ptr != nullptr ? static_cast<char *>(ptr) - 64 : nullptr);
}

void *NEW(std::size_t size, std::align_val_t align)
{
    aligned_news++;
    std::size_t step = static_cast<std::size_t>(align);
    return static_cast<char *>(std::aligned_alloc(step, size + step)) + step;
}

void DELETE(void *ptr, std::align_val_t align) noexcept
{
    aligned_deletes++;
    std::size_t step = static_cast<std::size_t>(align);
    std::free(ptr != nullptr ? static_cast<char *>(ptr) - step : nullptr);
}
#endif

static bool is_aligned(const void *ptr, std::size_t align)
{
    return reinterpret_cast<std::uintptr_t>(ptr) % align == 0;
}

static void *use(void *ptr, std::size_t size, std::size_t align)
{
    CHECK(ptr != nullptr && is_aligned(ptr, align));
    std::memset(ptr, 7, size);
    return ptr;
}

static void plain_forms(std::size_t size)
{
    operator delete(use(operator new(size), size, 16));
    operator delete(use(operator new(size), size, 16), size);
    operator delete(use(operator new(size, std::nothrow), size, 16), std::nothrow);
    operator delete[](use(operator new[](size), size, 16));
    operator delete[](use(operator new[](size), size, 16), size);
    operator delete[](use(operator new[](size, std::nothrow), size, 16), std::nothrow);
}

static void aligned_forms(std::size_t size)
{
    operator delete(use(operator new(size, wide), size, 256), wide);
    operator delete(use(operator new(size, wide), size, 256), size, wide);
    operator delete(use(operator new(size, wide, std::nothrow), size, 256), wide, std::nothrow);
    operator delete[](use(operator new[](size, wide), size, 256), wide);
    operator delete[](use(operator new[](size, wide), size, 256), size, wide);
    operator delete[](use(operator new[](size, wide, std::nothrow), size, 256), wide, std::nothrow);
}

static void all_forms()
{
    std::size_t used = mallinfo2().uordblks;
    for (std::size_t size = 0; size < 3000; size += hide(37)) {
        plain_forms(size);
        aligned_forms(size);
    }
    CHECK(mallinfo2().uordblks == used);
    operator delete(nullptr);
    operator delete(nullptr, hide(10));
    operator delete[](nullptr, hide(10), wide);
}

/* Every form of the 82 rounds ended in one of the four that this program brings. */
static void all_forms_are_the_programs()
{
    all_forms();
    CHECK(news == 6 * 82 && aligned_news == 6 * 82);
    CHECK(deletes >= 6 * 82 && aligned_deletes >= 6 * 82);
}

/* So did the forms for arrays, and those alone. */
static void array_forms_are_the_programs()
{
    all_forms();
    CHECK(news == 3 * 82 && aligned_news == 3 * 82);
    CHECK(deletes == 3 * 82 && aligned_deletes == 3 * 82 + 1);
}

static unsigned handled;

static void handler()
{
    if (++handled == 3)
        std::set_new_handler(nullptr);
}

/* What is given here is used, as far as the compiler can tell. */
static void *volatile sink;

template <typename Call> static bool throws(Call call)
{
    try {
        sink = call(hide(PTRDIFF_MAX) + 1);
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

static void no_memory_throws()
{
    std::set_new_handler(handler);
    CHECK(throws([](std::size_t size) { return operator new(size); }) && handled == 3);
    CHECK(throws([](std::size_t size) { return operator new[](size); }));
    CHECK(throws([](std::size_t size) { return operator new(size, wide); }));
    CHECK(throws([](std::size_t size) { return operator new[](size, wide); }));
    CHECK(
        throws([](std::size_t) { return operator new (hide(100), std::align_val_t{ hide(24) }); }));
    std::size_t most = hide(PTRDIFF_MAX) + 1;
    CHECK(operator new(most, std::nothrow) == nullptr);
    CHECK(operator new[](most, std::nothrow) == nullptr);
    CHECK(operator new(most, wide, std::nothrow) == nullptr);
    CHECK(operator new[](most, wide, std::nothrow) == nullptr);
}

static void *spare;

static void give_spare()
{
    CHECK(spare != nullptr);
    std::free(spare);
    spare = nullptr;
}

/* What the new-handler made room for is a block like any other, its size the one asked for. */
static void handler_makes_room()
{
    spare = std::malloc(hide(100000));
    for (std::size_t size = 1 << 20; size != 0; size /= 2)
        while ((sink = std::malloc(hide(size))) != nullptr)
            continue;
    std::set_new_handler(give_spare);
    const auto page = std::align_val_t{ 4096 };
    operator delete(use(operator new(hide(20), page), 20, 4096), hide(20), page);
    CHECK(spare == nullptr);
    operator delete[](use(operator new[](hide(20), page), 20, 4096), hide(20), page);
}

static void *tell(void *ptr)
{
    std::printf("%p\n", ptr);
    std::fflush(stdout);
    return ptr;
}

static void delete_twice()
{
    void *ptr = tell(operator new(hide(100)));
    operator delete(ptr);
    operator delete(ptr);
}

static void delete_array_twice()
{
    void *ptr = tell(operator new[](hide(100)));
    operator delete[](ptr);
    operator delete[](ptr, hide(100));
}

static void delete_wrong_size()
{
    operator delete(tell(operator new(hide(100))), hide(1000));
}

static void delete_array_wrong_size()
{
    operator delete[](tell(operator new[](hide(1000))), hide(100));
}

/* An address that is a multiple of 16 and of nothing more. */
static void *odd_block()
{
    void *ptr = operator new(hide(100));
    while (is_aligned(ptr, 32))
        ptr = operator new(hide(100));
    return tell(ptr);
}

static void delete_wrong_alignment()
{
    operator delete(odd_block(), wide);
}

static void delete_wrong_alignment_sized()
{
    operator delete(odd_block(), hide(100), wide);
}

static const struct {
    const char *name;
    void (*run)();
} cases[] = {
    { "all_forms", all_forms },
    { "all_forms_are_the_programs", all_forms_are_the_programs },
    { "array_forms_are_the_programs", array_forms_are_the_programs },
    { "no_memory_throws", no_memory_throws },
    { "handler_makes_room", handler_makes_room },
    { "delete_twice", delete_twice },
    { "delete_array_twice", delete_array_twice },
    { "delete_wrong_size", delete_wrong_size },
    { "delete_array_wrong_size", delete_array_wrong_size },
    { "delete_wrong_alignment", delete_wrong_alignment },
    { "delete_wrong_alignment_sized", delete_wrong_alignment_sized },
};

int main(int count, char **arguments)
{
    for (const auto &one : cases)
        if (count == 2 && std::strcmp(one.name, arguments[1]) == 0) {
            one.run();
            return 0;
        }
    std::fprintf(stderr, "operators: no such case\n");
    return 2;
}
