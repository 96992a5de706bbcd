// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The byte allocators, all alike.

use crate::ffi::{sizes, CCheck, CLayout, CPtr, Stats, Status, Storage};
use crate::{AllocError, AllocResult, BaseAllocator, Broken, ByteAllocator};
use core::alloc::Layout;
use core::ffi::c_void;
use core::ptr::NonNull;

fn block(result: CPtr) -> AllocResult<NonNull<u8>> {
    result.status.result()?;
    NonNull::new(result.ptr).ok_or(AllocError::NoMemory)
}

macro_rules! byte_allocator {
    ($(#[$text:meta])* $name:ident, $calls:ident, $prefix:literal, $size:expr, $align:expr) => {
        mod $calls {
            use super::*;
            extern "C" {
                #[link_name = concat!("acre_", $prefix, "_add_memory")]
                pub fn add_memory(this: *mut c_void, start: *mut c_void, size: usize) -> Status;
                #[link_name = concat!("acre_", $prefix, "_remove_memory")]
                pub fn remove_memory(this: *mut c_void, start: *mut c_void) -> Status;
                #[link_name = concat!("acre_", $prefix, "_stats")]
                pub fn stats(this: *const c_void) -> Stats;
                #[link_name = concat!("acre_", $prefix, "_check")]
                pub fn check(this: *const c_void) -> CCheck;
                #[link_name = concat!("acre_", $prefix, "_alloc")]
                pub fn alloc(this: *mut c_void, layout: CLayout) -> CPtr;
                #[link_name = concat!("acre_", $prefix, "_dealloc_sized")]
                pub fn dealloc_sized(this: *mut c_void, ptr: *mut u8, layout: CLayout) -> Status;
                #[link_name = concat!("acre_", $prefix, "_realloc")]
                pub fn realloc(this: *mut c_void, ptr: *mut u8, layout: CLayout) -> CPtr;
            }
        }

        $(#[$text])*
        ///
        /// The value must not move while it owns memory; if it did, every call returns `InvalidParam`.
        pub struct $name {
            storage: Storage<{ $size }>,
        }
        const _: () = assert!($align <= core::mem::align_of::<Storage<{ $size }>>());

        impl $name {
            /// An allocator without memory, which refuses every request.
            pub const fn new() -> Self {
                $name { storage: Storage::new() }
            }

            /// Takes back a region in which no block is live.
            ///
            /// # Errors
            /// `NotAllocated`: no region has this start; `InvalidParam`: a live block lies in it.
            pub fn remove_memory(&mut self, start: usize) -> AllocResult {
                let this = self.storage.get()?;
                // SAFETY: `this` is a struct that the library has set up, or a zeroed one.
                unsafe { $calls::remove_memory(this, start as *mut c_void) }.result()
            }

            /// The statistics at this moment. Of an allocator that was moved: all 0.
            pub fn stats(&self) -> Stats {
                // SAFETY: as for remove_memory.
                self.storage.peek().map_or(Stats::default(), |this| unsafe { $calls::stats(this) })
            }

            /// Verifies the whole structure and changes nothing; linear in the memory owned.
            pub fn check(&self) -> Result<(), Broken> {
                match self.storage.peek() {
                    // SAFETY: as for remove_memory.
                    Some(this) => unsafe { $calls::check(this) }.result(),
                    None => Err(Broken { invariant: "the allocator was moved", location: 0 }),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl BaseAllocator for $name {
            unsafe fn init(&mut self, start: usize, size: usize) -> AllocResult {
                self.storage.clear();
                self.add_memory(start, size)
            }

            unsafe fn add_memory(&mut self, start: usize, size: usize) -> AllocResult {
                let this = self.storage.get()?;
                $calls::add_memory(this, start as *mut c_void, size).result()
            }
        }

        impl ByteAllocator for $name {
            fn alloc(&mut self, layout: Layout) -> AllocResult<NonNull<u8>> {
                let this = self.storage.get()?;
                // SAFETY: as for remove_memory; the memory is the allocator's by the contract of init.
                block(unsafe { $calls::alloc(this, layout.into()) })
            }

            fn dealloc(&mut self, pos: NonNull<u8>, layout: Layout) -> AllocResult {
                let this = self.storage.get()?;
                // SAFETY: as for alloc; the library proves the pointer before it uses it.
                unsafe { $calls::dealloc_sized(this, pos.as_ptr(), layout.into()) }.result()
            }

            fn realloc(
                &mut self,
                pos: NonNull<u8>,
                layout: Layout,
                new_size: usize,
            ) -> AllocResult<NonNull<u8>> {
                let this = self.storage.get()?;
                let wanted = CLayout { size: new_size, align: layout.align() };
                // SAFETY: as for dealloc.
                block(unsafe { $calls::realloc(this, pos.as_ptr(), wanted) })
            }

            fn total_bytes(&self) -> usize {
                self.stats().total
            }
            fn used_bytes(&self) -> usize {
                self.stats().used
            }
            fn available_bytes(&self) -> usize {
                self.stats().available
            }
        }
    };
}

byte_allocator!(
    /// Blocks of any size, with a bound on every call: constant time and no loop.
    Tlsf, tlsf_calls, "tlsf", sizes::TLSF_SIZE, sizes::TLSF_ALIGN
);
byte_allocator!(
    /// Blocks of powers of two in logarithmic time; keeps nothing in the blocks.
    Buddy, buddy_calls, "buddy", sizes::BUDDY_SIZE, sizes::BUDDY_ALIGN
);
byte_allocator!(
    /// Many small blocks, as fast as possible: size classes in constant time.
    Slab, slab_calls, "slab", sizes::SLAB_SIZE, sizes::SLAB_ALIGN
);
