// SPDX-License-Identifier: Apache-2.0 OR MIT
//! GlobalAlloc over any byte allocator.

use crate::{AllocError, AllocResult, ByteAllocator};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ptr::{null_mut, NonNull};
#[cfg(target_has_atomic = "8")]
use core::sync::atomic::{AtomicBool, Ordering};

/// A lock of the caller's: a mutex of the kernel, an interrupt mask, or both.
///
/// # Safety
/// From `lock` until `unlock`, no other thread, processor or interrupt handler may be between the same two
/// calls on the same lock. Neither may allocate or unwind.
pub unsafe trait Lock {
    /// What `unlock` needs to know: the interrupt mask before, for instance.
    type State;
    /// Takes the lock; waits for it if need be.
    fn lock(&self) -> Self::State;
    /// Gives the lock back.
    ///
    /// # Safety
    /// `state` is what `lock` returned to the same caller, who holds the lock.
    unsafe fn unlock(&self, state: Self::State);
}

/// A spin lock. An interrupt handler that allocates needs a lock that masks interrupts instead.
#[cfg(target_has_atomic = "8")]
pub struct Spin(AtomicBool);

#[cfg(target_has_atomic = "8")]
impl Spin {
    /// A lock that nobody holds.
    pub const fn new() -> Self {
        Spin(AtomicBool::new(false))
    }
}

#[cfg(target_has_atomic = "8")]
impl Default for Spin {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: one caller at a time turns false into true.
#[cfg(target_has_atomic = "8")]
unsafe impl Lock for Spin {
    type State = ();

    fn lock(&self) {
        while self.0.swap(true, Ordering::Acquire) {
            while self.0.load(Ordering::Relaxed) {
                core::hint::spin_loop();
            }
        }
    }

    unsafe fn unlock(&self, (): ()) {
        self.0.store(false, Ordering::Release);
    }
}

/// No lock: for a program with one thread and no allocating interrupt handler.
pub struct NoLock(());

impl NoLock {
    /// # Safety
    /// Nothing may allocate or free while another call on the same allocator has not returned.
    pub const unsafe fn new() -> Self {
        NoLock(())
    }
}

// SAFETY: by the contract of new.
unsafe impl Lock for NoLock {
    type State = ();
    fn lock(&self) {}
    unsafe fn unlock(&self, (): ()) {}
}

/// Where an allocator gets memory from when it has none left for a request.
pub trait Refill<A> {
    /// Called under the lock when a request finds no memory; true: memory was added, try again. It must not
    /// use the global allocator, only the one that it is given.
    fn refill(allocator: &mut A, layout: Layout) -> bool;
}

/// No more memory than the caller adds.
pub struct NoRefill;

impl<A> Refill<A> for NoRefill {
    fn refill(_: &mut A, _: Layout) -> bool {
        false
    }
}

/// How often one request calls the refill function, at most.
const RETRIES: usize = 8;

/// A byte allocator behind a lock, as a program's global allocator.
///
/// ```
/// use acre::{BaseAllocator, Global, Refill, Spin, Tlsf};
/// use core::alloc::Layout;
///
/// const SIZE: usize = 8 << 20;
/// static mut POOL: [u8; SIZE] = [0; SIZE];
/// struct Pool;
///
/// impl Refill<Tlsf> for Pool {
///     /// The first request finds no memory, and gets the pool. Later there is no more to add.
///     fn refill(heap: &mut Tlsf, _: Layout) -> bool {
///         unsafe { heap.add_memory(core::ptr::addr_of_mut!(POOL) as usize, SIZE).is_ok() }
///     }
/// }
///
/// #[global_allocator]
/// static HEAP: Global<Tlsf, Spin, Pool> = Global::with_refill(Tlsf::new(), Spin::new());
///
/// let squares: Vec<u64> = (0..1000).map(|n| n * n).collect();
/// assert_eq!(squares[999], 998001);
/// assert_eq!(HEAP.refused(), 0);
/// ```
///
/// A kernel that finds its memory at boot calls [`init`](Global::init) or [`add_memory`](Global::add_memory)
/// instead.
pub struct Global<A, L, R = NoRefill> {
    lock: L,
    inner: UnsafeCell<Inner<A, R>>,
}

struct Inner<A, R> {
    allocator: A,
    refused: usize,
    _refill: PhantomData<R>,
}

// SAFETY: `inner` is used under the lock only.
unsafe impl<A: Send, L: Lock + Sync, R> Sync for Global<A, L, R> {}

impl<A, L> Global<A, L> {
    /// Puts an allocator behind a lock.
    pub const fn new(allocator: A, lock: L) -> Self {
        Self::with_refill(allocator, lock)
    }
}

impl<A, L, R> Global<A, L, R> {
    /// The same with a source of more memory, which is named in the type.
    pub const fn with_refill(allocator: A, lock: L) -> Self {
        let inner = Inner { allocator, refused: 0, _refill: PhantomData };
        Global { lock, inner: UnsafeCell::new(inner) }
    }
}

impl<A: ByteAllocator, L: Lock, R: Refill<A>> Global<A, L, R> {
    fn locked<T>(&self, work: impl FnOnce(&mut Inner<A, R>) -> T) -> T {
        let state = self.lock.lock();
        // SAFETY: the lock is held, so that no other reference exists.
        let result = work(unsafe { &mut *self.inner.get() });
        // SAFETY: state comes from lock.
        unsafe { self.lock.unlock(state) };
        result
    }

    /// Starts the allocator anew, with one region.
    ///
    /// # Errors
    /// As [`crate::BaseAllocator::init`].
    ///
    /// # Safety
    /// As [`crate::BaseAllocator::init`]; and no block may be live.
    pub unsafe fn init(&self, start: usize, size: usize) -> AllocResult {
        self.locked(|inner| inner.allocator.init(start, size))
    }

    /// Gives the allocator one more region.
    ///
    /// # Errors
    /// As [`crate::BaseAllocator::add_memory`].
    ///
    /// # Safety
    /// As [`crate::BaseAllocator::add_memory`].
    pub unsafe fn add_memory(&self, start: usize, size: usize) -> AllocResult {
        self.locked(|inner| inner.allocator.add_memory(start, size))
    }

    /// Lends the allocator for a call that may change it.
    ///
    /// # Safety
    /// `work` must not use the global allocator, replace the value, or free blocks of others.
    pub unsafe fn with<T>(&self, work: impl FnOnce(&mut A) -> T) -> T {
        self.locked(|inner| work(&mut inner.allocator))
    }

    /// Bytes owned.
    pub fn total_bytes(&self) -> usize {
        self.locked(|inner| inner.allocator.total_bytes())
    }
    /// Bytes that live blocks take.
    pub fn used_bytes(&self) -> usize {
        self.locked(|inner| inner.allocator.used_bytes())
    }
    /// Free bytes, not always in one piece.
    pub fn available_bytes(&self) -> usize {
        self.locked(|inner| inner.allocator.available_bytes())
    }
    /// Frees and reallocations that were refused for a wrong pointer or layout, and changed nothing.
    pub fn refused(&self) -> usize {
        self.locked(|inner| inner.refused)
    }
}

impl<A: ByteAllocator, R: Refill<A>> Inner<A, R> {
    /// Makes a request, and again each time the refill function adds memory.
    fn request(
        &mut self,
        layout: Layout,
        mut call: impl FnMut(&mut A) -> AllocResult<NonNull<u8>>,
    ) -> *mut u8 {
        for _ in 0..=RETRIES {
            match call(&mut self.allocator) {
                Ok(block) => return block.as_ptr(),
                Err(AllocError::NoMemory) if R::refill(&mut self.allocator, layout) => {}
                Err(AllocError::NoMemory) => break,
                Err(_) => {
                    self.refused += 1;
                    break;
                }
            }
        }
        null_mut()
    }
}

// SAFETY: the allocator hands out blocks of the layout asked for, each once, and does not unwind.
unsafe impl<A: ByteAllocator, L: Lock, R: Refill<A>> GlobalAlloc for Global<A, L, R> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.locked(|inner| inner.request(layout, |allocator| allocator.alloc(layout)))
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        self.locked(|inner| {
            let freed = match NonNull::new(ptr) {
                Some(block) => inner.allocator.dealloc(block, layout),
                None => Err(AllocError::NotAllocated),
            };
            inner.refused += usize::from(freed.is_err());
        });
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.locked(|inner| match NonNull::new(ptr) {
            Some(block) => inner.request(
                Layout::from_size_align_unchecked(new_size, layout.align()),
                |allocator| allocator.realloc(block, layout, new_size),
            ),
            None => null_mut(),
        })
    }
}
