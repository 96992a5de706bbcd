// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The C interface, and the storage of a C struct in a Rust value.

use crate::{AllocError, AllocResult};
use core::ffi::c_void;
use core::marker::PhantomPinned;

#[allow(dead_code)] // some are used in assertions only, which older compilers do not count
pub mod sizes {
    include!(concat!(env!("OUT_DIR"), "/sizes.rs"));
}

/// enum acre_status. The library returns no other value.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(dead_code)]
pub enum Status {
    Ok = 0,
    InvalidParam = 1,
    MemoryOverlap = 2,
    NoMemory = 3,
    NotAllocated = 4,
}
/// Both compilers give an enum the same size (ARM's short enums included).
const _: () = assert!(core::mem::size_of::<Status>() == sizes::STATUS_SIZE);

impl Status {
    pub fn result(self) -> AllocResult {
        match self {
            Status::Ok => Ok(()),
            Status::InvalidParam => Err(AllocError::InvalidParam),
            Status::MemoryOverlap => Err(AllocError::MemoryOverlap),
            Status::NoMemory => Err(AllocError::NoMemory),
            Status::NotAllocated => Err(AllocError::NotAllocated),
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CLayout {
    pub size: usize,
    pub align: usize,
}

impl From<core::alloc::Layout> for CLayout {
    fn from(layout: core::alloc::Layout) -> Self {
        CLayout { size: layout.size(), align: layout.align() }
    }
}

#[repr(C)]
pub struct CPtr {
    pub ptr: *mut u8,
    pub status: Status,
}

#[repr(C)]
pub struct CNum {
    pub num: usize,
    pub status: Status,
}

impl CNum {
    pub fn result(self) -> AllocResult<usize> {
        self.status.result().map(|()| self.num)
    }
}

#[repr(C)]
pub struct CCheck {
    pub invariant: *const u8,
    pub location: *const c_void,
}

/// Statistics at one moment, in bytes; for ids, the unit is one id. `total` is `metadata + used + available`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// All memory owned, metadata that lies elsewhere included.
    pub total: usize,
    /// The part of `total` that can never hold a block.
    pub metadata: usize,
    /// What live blocks take.
    pub used: usize,
    /// The rest.
    pub available: usize,
    /// The highest value of `used`.
    pub peak: usize,
    /// The largest size that succeeds at natural alignment; 0: none does.
    pub largest_free: usize,
    /// Live blocks, pages or ids.
    pub live_blocks: usize,
    /// Requests that failed with `NoMemory`.
    pub failed: usize,
}

/// A zeroed C struct, which is an empty allocator, at a place that it must keep while it owns memory.
#[repr(C, align(16))]
pub struct Storage<const SIZE: usize> {
    bytes: [u8; SIZE],
    home: usize, // where it stood when it was given memory; 0: it owns none
    _pinned: PhantomPinned,
}

impl<const SIZE: usize> Storage<SIZE> {
    pub const fn new() -> Self {
        Storage { bytes: [0; SIZE], home: 0, _pinned: PhantomPinned }
    }

    fn place(&self) -> usize {
        self as *const Self as usize
    }

    /// Forgets what the allocator had; it is new again.
    pub fn clear(&mut self) {
        *self = Self::new();
        self.home = self.place();
    }

    fn is_home(&self) -> bool {
        self.home == 0 || self.home == self.place()
    }

    /// The struct, for a call that may change it; an error when it was moved.
    pub fn get(&mut self) -> AllocResult<*mut c_void> {
        if !self.is_home() {
            return Err(AllocError::InvalidParam);
        }
        self.home = self.place();
        Ok(self as *mut Self as *mut c_void)
    }

    /// The struct, for a call that reads it; none when it was moved.
    pub fn peek(&self) -> Option<*const c_void> {
        self.is_home().then_some(self as *const Self as *const c_void)
    }
}
