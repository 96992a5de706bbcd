// SPDX-License-Identifier: Apache-2.0 OR MIT
/**
 * @file
 * C++17: std::pmr, the standard containers and single objects on any byte allocator of acre. Header
 * only; for hosted programs. Works without exceptions and without RTTI.
 *
 *     acre::heap heap{ buffer, sizeof buffer };              // a memory resource in one line
 *     std::pmr::vector<std::pmr::string> names{ &heap };
 *     std::vector<int, acre::allocator<int>> numbers{ heap.handle() };
 *
 *     acre::shared handle = acre::shared::adopt(control);    // what acre_shared_make made
 *     acre::memory_resource resource{ handle };
 *     acre::set_default_heap(handle);                        // for allocators made without a heap
 *     std::vector<int, acre::allocator<int>> more;
 *
 *     auto *node = acre::create<node_type>(bytes, arguments...);   // null when there is no memory
 *     acre::destroy(bytes, node);
 *
 * shared, memory_resource and allocator hold a reference to a shared handle (acre/shared.h): the
 * pool stays until the last container is gone, and is then handed back to its owner. Copies of a
 * single-threaded handle belong to one thread.
 *
 * Exhaustion throws what the standard says: std::bad_alloc, and std::bad_array_new_length for a
 * number of objects whose size no std::size_t holds. Where the program is compiled without
 * exceptions, exhaustion ends the program as misuse does.
 *
 * Misuse (memory freed that is no live block of this heap, or with another size or alignment; a
 * reference too many or too few; no default heap where one is needed) is a fault of the program and
 * always reported: the handler of acre::set_misuse_handler is called. When it returns, or there is
 * none, one line is written to standard error and the process is aborted. The heap has not changed.
 */
#ifndef ACRE_ACRE_HPP
#define ACRE_ACRE_HPP

#include <acre/shared.h>

#if ACRE_TLSF
#include <acre/tlsf.h>
#include <acre/tlsf_quick.h>
#endif
#if ACRE_BUDDY
#include <acre/buddy.h>
#endif
#if ACRE_SLAB
#include <acre/slab.h>
#endif
#if ACRE_ARENA
#include <acre/arena.h>
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory_resource>
#include <new>
#include <type_traits>
#include <utility>

namespace acre {

/// The argument of a misuse handler.
struct misuse {
    /// "deallocate", "destroy", "copy", "drop", "default heap" or "heap"; without exceptions also
    /// "allocate".
    const char *call;
    const void *ptr;           ///< The pointer that was passed; null where there is none.
    struct acre_layout layout; ///< The layout that was passed; zero where there is none.
    /// ACRE_NOT_ALLOCATED: no live block, no reference left, no default heap. ACRE_INVALID_PARAM:
    /// not this block's layout; a heap destroyed while references to it are left. ACRE_NO_MEMORY:
    /// too many references; without exceptions: no memory.
    acre_status status;
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

namespace detail {

/// Reports that there is no memory for a request.
[[noreturn]] inline void exhausted(std::size_t size, std::size_t align)
{
#if defined(__cpp_exceptions)
    (void)size;
    (void)align;
    throw std::bad_alloc();
#else
    stop({ "allocate", nullptr, acre_layout(size, align), ACRE_NO_MEMORY });
#endif
}

/// Reports a number of objects whose size overflows.
[[noreturn]] inline void too_long(std::size_t align)
{
#if defined(__cpp_exceptions)
    (void)align;
    throw std::bad_array_new_length();
#else
    exhausted(SIZE_MAX, align);
#endif
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
    /// Takes over a reference that the caller holds: the maker's, or a cloned one.
    static shared adopt(acre_shared &control) noexcept
    {
        return shared(control);
    }

    /// Adds a reference.
    static shared clone(acre_shared &control)
    {
        retain(control);
        return shared(control);
    }

    /// Adds a reference that no object holds; adopt takes it over.
    static void retain(acre_shared &control)
    {
        acre_status status = acre_shared_clone(&control);
        if (status != ACRE_OK)
            detail::stop({ "copy", nullptr, { 0, 0 }, status });
    }

    /// One more reference to the same handle.
    shared(const shared &other) noexcept : bytes_(other.bytes_)
    {
        retain(control());
    }

    /// Drops the handle held, and refers to the other one.
    shared &operator=(const shared &other) noexcept
    {
        retain(other.control());
        drop();
        bytes_ = other.bytes_;
        return *this;
    }

    ~shared()
    {
        drop();
    }

    /// The handle as a byte allocator, for as long as this reference exists.
    acre_bytes bytes() const noexcept
    {
        return bytes_;
    }

    /// The shared handle.
    acre_shared &control() const noexcept
    {
        return *static_cast<acre_shared *>(bytes_.self);
    }

    /// Allocates a block; null when there is no memory. Size 0 yields a pointer of its own.
    [[nodiscard]] void *try_allocate(std::size_t size, std::size_t align) const noexcept
    {
        return acre_alloc(bytes_, acre_layout(size, align)).ptr;
    }

    /// Allocates a block; throws std::bad_alloc when there is no memory.
    [[nodiscard]] void *allocate(std::size_t size, std::size_t align) const
    {
        void *ptr = try_allocate(size, align);
        if (ptr == nullptr)
            detail::exhausted(size, align);
        return ptr;
    }

    /// Frees a block, with the size and alignment of its allocation.
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

    /// Whether they are references to two handles.
    friend bool operator!=(const shared &a, const shared &b) noexcept
    {
        return !(a == b);
    }

  private:
    explicit shared(acre_shared &control) noexcept : bytes_(acre_shared_bytes(&control))
    {
    }

    void drop() const
    {
        acre_status status = acre_shared_drop(&control()).status;
        if (status != ACRE_OK)
            detail::stop({ "drop", nullptr, { 0, 0 }, status });
    }

    acre_bytes bytes_;
};

namespace detail {

inline std::atomic<acre_shared *> &default_control() noexcept
{
    static std::atomic<acre_shared *> slot{ nullptr };
    return slot;
}

inline void replace_default(acre_shared *control) noexcept
{
    acre_shared *before = default_control().exchange(control);
    if (before != nullptr)
        (void)shared::adopt(*before);
}

} // namespace detail

/// Sets the heap of allocators that are made without one, and holds a reference to it. To be called
/// while no other thread makes such allocators. O(1).
inline void set_default_heap(const shared &heap) noexcept
{
    shared::retain(heap.control());
    detail::replace_default(&heap.control());
}

/// Drops the reference to the default heap; there is none then. O(1).
inline void reset_default_heap() noexcept
{
    detail::replace_default(nullptr);
}

/// The default heap. Misuse when none is set. O(1).
inline shared default_heap() noexcept
{
    acre_shared *control = detail::default_control().load();
    if (control == nullptr)
        detail::stop({ "default heap", nullptr, { 0, 0 }, ACRE_NOT_ALLOCATED });
    return shared::clone(*control);
}

/// A std::pmr::memory_resource over a shared handle. Equal to every other one over the same handle.
class memory_resource : public std::pmr::memory_resource {
  public:
    /// Over the heap, which lives at least as long as this.
    explicit memory_resource(const shared &heap) noexcept : heap_(heap)
    {
    }

    /// The heap below.
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
    /// What the standard asks of an allocator: see above for what containers do.
    /// @{
    using value_type = T;
    using propagate_on_container_copy_assignment = std::false_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;
    /// @}

    /// Over the default heap, which the program has set with acre::set_default_heap.
    allocator() noexcept : heap_(default_heap())
    {
    }

    /// Implicit, so that a container can be given the heap itself.
    allocator(const shared &heap) noexcept : heap_(heap)
    {
    }

    /// Over the heap of another, for the containers' own nodes.
    template <class U> allocator(const allocator<U> &other) noexcept : heap_(other.heap())
    {
    }

    /// Allocates `count` objects; throws std::bad_array_new_length or std::bad_alloc.
    [[nodiscard]] T *allocate(std::size_t count)
    {
        if (count > SIZE_MAX / sizeof(T))
            detail::too_long(alignof(T));
        return static_cast<T *>(heap_.allocate(count * sizeof(T), alignof(T)));
    }

    /// Frees what allocate(count) returned.
    void deallocate(T *ptr, std::size_t count)
    {
        std::size_t size = count > SIZE_MAX / sizeof(T) ? SIZE_MAX : count * sizeof(T);
        heap_.deallocate(ptr, size, alignof(T));
    }

    /// The heap below.
    const shared &heap() const noexcept
    {
        return heap_;
    }

  private:
    shared heap_;
};

/// Whether both are over one heap.
template <class T, class U> bool operator==(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return a.heap() == b.heap();
}

/// Whether they are over two heaps.
template <class T, class U> bool operator!=(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return !(a == b);
}

namespace detail {

#if ACRE_TLSF
inline acre_bytes bytes_of(acre_tlsf &self) noexcept
{
    return acre_tlsf_bytes(&self);
}

inline acre_bytes bytes_of(acre_tlsf_quick &self) noexcept
{
    return acre_tlsf_quick_bytes(&self);
}
#endif

#if ACRE_BUDDY
inline acre_bytes bytes_of(acre_buddy &self) noexcept
{
    return acre_buddy_bytes(&self);
}
#endif

#if ACRE_SLAB
inline acre_bytes bytes_of(acre_slab &self) noexcept
{
    return acre_slab_bytes(&self);
}
#endif

#if ACRE_ARENA
inline acre_bytes bytes_of(acre_arena &self) noexcept
{
    return acre_arena_bytes(&self);
}
#endif

/// An allocator over a buffer and its shared handle, which must exist before a resource over it.
template <class Allocator> class buffer_pool {
  protected:
    buffer_pool(void *buffer, std::size_t size)
    {
        acre_bytes bytes = bytes_of(allocator_);
        if (acre_bytes_init(bytes, buffer, size) != ACRE_OK ||
            acre_shared_make(&control_, bytes, { buffer, size, nullptr, nullptr }) != ACRE_OK)
            exhausted(size, 1);
    }

    ~buffer_pool()
    {
        if (acre_shared_count(&control_) != 0)
            stop({ "heap", nullptr, { 0, 0 }, ACRE_INVALID_PARAM });
    }

    Allocator allocator_{};
    acre_shared control_{};
};

} // namespace detail

/// A std::pmr::memory_resource over a buffer, with an allocator of its own: acre_tlsf,
/// acre_tlsf_quick, acre_buddy, acre_slab or acre_arena, with default settings. For one thread. As
/// every memory resource, it must outlive the containers on it; it neither copies nor moves.
template <class Allocator>
class basic_heap : private detail::buffer_pool<Allocator>, public memory_resource {
  public:
    /// Throws std::bad_alloc when the buffer is null or too small.
    basic_heap(void *buffer, std::size_t size)
        : detail::buffer_pool<Allocator>(buffer, size),
          memory_resource(shared::adopt(this->control_))
    {
    }

    basic_heap(const basic_heap &) = delete;
    basic_heap &operator=(const basic_heap &) = delete;

    /// The shared handle, for acre::allocator. References must not outlive this object.
    const shared &handle() const noexcept
    {
        return memory_resource::heap();
    }

    /// The heap as a byte allocator.
    acre_bytes bytes() const noexcept
    {
        return handle().bytes();
    }
};

#if ACRE_TLSF
using heap = basic_heap<acre_tlsf>;
#endif

/// Allocates an object and constructs it. Null when there is no memory. What the constructor throws
/// passes on, and the memory is freed before.
template <class T, class... Args> [[nodiscard]] T *create(acre_bytes bytes, Args &&...args)
{
    void *ptr = acre_alloc(bytes, acre_layout(sizeof(T), alignof(T))).ptr;
    if (ptr == nullptr)
        return nullptr;
#if defined(__cpp_exceptions)
    try {
        return ::new (ptr) T(std::forward<Args>(args)...);
    } catch (...) {
        acre_dealloc(bytes, ptr);
        throw;
    }
#else
    return ::new (ptr) T(std::forward<Args>(args)...);
#endif
}

/// Allocates `count` objects of a type that cannot fail to construct, and value-initialises them.
/// Null when there is no memory or their size overflows.
template <class T> [[nodiscard]] T *create_array(acre_bytes bytes, std::size_t count)
{
    static_assert(std::is_nothrow_default_constructible_v<T>, "construction must not throw");
    struct acre_layout layout = acre_layout_array(count, acre_layout(sizeof(T), alignof(T)));
    T *first = static_cast<T *>(acre_alloc(bytes, layout).ptr);
    for (std::size_t i = 0; first != nullptr && i < count; i++)
        ::new (static_cast<void *>(first + i)) T();
    return first;
}

/// Destroys an array of create_array and frees it; null is ignored. A pointer that is no live block
/// of the allocator is misuse, and is found before any destructor runs.
template <class T> void destroy_array(acre_bytes bytes, T *first, std::size_t count)
{
    if (first == nullptr)
        return;
    struct acre_layout layout = acre_layout_array(count, acre_layout(sizeof(T), alignof(T)));
    acre_num usable = acre_usable_size(bytes, first);
    if (usable.status == ACRE_OK && usable.num < layout.size)
        usable.status = ACRE_INVALID_PARAM;
    if (usable.status != ACRE_OK)
        detail::stop({ "destroy", first, layout, usable.status });
    for (std::size_t i = count; i-- > 0;)
        first[i].~T();
    acre_dealloc(bytes, first);
}

/// Destroys an object of create and frees it; null is ignored. Misuse as for destroy_array.
template <class T> void destroy(acre_bytes bytes, T *object)
{
    destroy_array(bytes, object, 1);
}

} // namespace acre

#endif
