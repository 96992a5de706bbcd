// SPDX-License-Identifier: Apache-2.0 OR MIT
/**
 * @file
 * C++17 on a shared handle: std::pmr and the standard containers take their memory from any byte
 * allocator of acre. Header only; for hosted programs.
 *
 *     acre::shared heap = acre::shared::adopt(control); // what acre_shared_make made
 *     acre::memory_resource resource{heap};
 *     std::pmr::vector<std::pmr::string> names{&resource};
 *     std::vector<int, acre::allocator<int>> numbers{heap};
 *
 * All three classes hold a reference to the handle: the pool stays until the last container is
 * gone, and is then handed back to its owner (acre/shared.h). Copies of a single-threaded handle
 * belong to one thread.
 *
 * Exhaustion throws what the standard says: std::bad_alloc, and std::bad_array_new_length for a
 * number of objects whose size no std::size_t holds.
 *
 * Misuse (memory given back that is no live block of this heap, or with another size or alignment;
 * a reference too many or too few) is a fault of the program, and is never passed over: the
 * handler of acre::set_misuse_handler is called, and when it returns, or there is none, one line is
 * written to standard error and the process aborted. Nothing has changed in the heap then.
 */
#ifndef ACRE_ACRE_HPP
#define ACRE_ACRE_HPP

#include <acre/shared.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory_resource>
#include <new>
#include <type_traits>

namespace acre {

/// What a misuse handler is told.
struct misuse {
    const char *call;          ///< "deallocate", "copy" or "drop".
    const void *ptr;           ///< The pointer given back; null for copy and drop.
    struct acre_layout layout; ///< What it was given back with; zero for copy and drop.
    acre_status status;        ///< ACRE_NOT_ALLOCATED: no live block, or no reference left;
        ///< ACRE_INVALID_PARAM: not this block's layout; ACRE_NO_MEMORY: too many
        ///< references.
};

/// Called on misuse, in the thread that misuses. It may throw where the standard lets the caller
/// throw, longjmp or end the process; when it returns, the process is aborted.
using misuse_handler = void (*)(const misuse &what);

namespace detail {

inline std::atomic<misuse_handler> &handler() noexcept
{
    static std::atomic<misuse_handler> slot{ nullptr };
    return slot;
}

[[noreturn]] inline void stop(const misuse &what)
{
    if (misuse_handler call = handler().load())
        call(what);
    std::fprintf(stderr, "acre: %s(%p, size %zu, align %zu): %s\n", what.call, what.ptr,
        what.layout.size, what.layout.align, acre_status_text(what.status));
    std::abort();
}

} // namespace detail

/// Sets what is called on misuse, for the whole program. O(1), from any thread.
/// @param handler null for the default.
/// @return what was set before, or null.
inline misuse_handler set_misuse_handler(misuse_handler handler) noexcept
{
    return detail::handler().exchange(handler);
}

/// A reference to a shared handle. Never empty: a move copies, as the standard wants it of
/// allocators. Copying, assigning and destroying are O(1), and what the owner's callback takes.
class shared {
  public:
    /// Takes a reference over that the caller holds: the maker's own, or one he cloned.
    static shared adopt(acre_shared &control) noexcept
    {
        return shared(control);
    }

    /// Counts one reference more.
    static shared clone(acre_shared &control)
    {
        count(control);
        return shared(control);
    }

    shared(const shared &other) noexcept : bytes_(other.bytes_)
    {
        count(control());
    }

    shared &operator=(const shared &other) noexcept
    {
        count(other.control());
        drop();
        bytes_ = other.bytes_;
        return *this;
    }

    ~shared()
    {
        drop();
    }

    /// The handle as a byte allocator, for as long as this reference stands.
    acre_bytes bytes() const noexcept
    {
        return bytes_;
    }

    /// What the reference is to.
    acre_shared &control() const noexcept
    {
        return *static_cast<acre_shared *>(bytes_.self);
    }

    /// A block; throws std::bad_alloc. Size 0 yields a pointer of its own.
    [[nodiscard]] void *allocate(std::size_t size, std::size_t align) const
    {
        acre_ptr got = acre_alloc(bytes_, acre_layout(size, align));
        if (got.status != ACRE_OK)
            throw std::bad_alloc();
        return got.ptr;
    }

    /// Takes a block back, with the size and alignment it was asked for.
    void deallocate(void *ptr, std::size_t size, std::size_t align) const
    {
        struct acre_layout layout = acre_layout(size, align);
        acre_status status = acre_dealloc_sized(bytes_, ptr, layout);
        if (status != ACRE_OK)
            detail::stop({ "deallocate", ptr, layout, status });
    }

    /// Whether both are references to one handle.
    friend bool operator==(const shared &a, const shared &b) noexcept
    {
        return a.bytes_.self == b.bytes_.self;
    }

    friend bool operator!=(const shared &a, const shared &b) noexcept
    {
        return !(a == b);
    }

  private:
    explicit shared(acre_shared &control) noexcept : bytes_(acre_shared_bytes(&control))
    {
    }

    static void count(acre_shared &control)
    {
        acre_status status = acre_shared_clone(&control);
        if (status != ACRE_OK)
            detail::stop({ "copy", nullptr, { 0, 0 }, status });
    }

    void drop() const
    {
        acre_status status = acre_shared_drop(&control()).status;
        if (status != ACRE_OK)
            detail::stop({ "drop", nullptr, { 0, 0 }, status });
    }

    acre_bytes bytes_;
};

/// A std::pmr::memory_resource over a shared handle. Equal to every other one over the same handle.
class memory_resource : public std::pmr::memory_resource {
  public:
    explicit memory_resource(const shared &heap) noexcept : heap_(heap)
    {
    }

    const shared &heap() const noexcept
    {
        return heap_;
    }

  private:
    void *do_allocate(std::size_t size, std::size_t align) override
    {
        return heap_.allocate(size, align);
    }

    void do_deallocate(void *ptr, std::size_t size, std::size_t align) override
    {
        heap_.deallocate(ptr, size, align);
    }

    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        if (this == &other)
            return true;
#if defined(__cpp_rtti)
        auto *same = dynamic_cast<const memory_resource *>(&other);
        return same != nullptr && same->heap_ == heap_;
#else
        return false;
#endif
    }

    shared heap_;
};

/// A standard allocator over a shared handle. Two are equal when their handle is the same one,
/// whatever their types.
///
/// Containers keep their heap when they are copied to, as those of std::pmr do; they take it along
/// when they are moved or swapped, so that neither ever copies elements. A container that is
/// constructed as a copy lives on the heap of what it was copied from.
template <class T> class allocator {
  public:
    using value_type = T;
    using propagate_on_container_copy_assignment = std::false_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    /// Implicit, so that a container can be given the heap itself.
    allocator(const shared &heap) noexcept : heap_(heap)
    {
    }

    template <class U> allocator(const allocator<U> &other) noexcept : heap_(other.heap())
    {
    }

    /// Room for `count` objects; throws std::bad_array_new_length or std::bad_alloc.
    [[nodiscard]] T *allocate(std::size_t count)
    {
        if (count > SIZE_MAX / sizeof(T))
            throw std::bad_array_new_length();
        return static_cast<T *>(heap_.allocate(count * sizeof(T), alignof(T)));
    }

    /// Takes back what allocate(count) yielded.
    void deallocate(T *ptr, std::size_t count)
    {
        std::size_t size = count > SIZE_MAX / sizeof(T) ? SIZE_MAX : count * sizeof(T);
        heap_.deallocate(ptr, size, alignof(T));
    }

    const shared &heap() const noexcept
    {
        return heap_;
    }

  private:
    shared heap_;
};

template <class T, class U> bool operator==(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return a.heap() == b.heap();
}

template <class T, class U> bool operator!=(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return !(a == b);
}

} // namespace acre

#endif
