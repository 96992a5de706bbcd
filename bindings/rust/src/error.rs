// SPDX-License-Identifier: Apache-2.0 OR MIT
use core::fmt;

/// Why a call failed. A call that fails changes nothing but the count of failed requests; a failed `init`
/// leaves the allocator empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AllocError {
    /// An argument violates the function's contract, or the allocator was moved while it owned memory.
    InvalidParam,
    /// The memory offered shares a byte with memory already owned.
    MemoryOverlap,
    /// No free space fits the request.
    NoMemory,
    /// The block, page or id is not a live one of this allocator.
    NotAllocated,
}

/// The result of every call that can fail.
pub type AllocResult<T = ()> = Result<T, AllocError>;

impl fmt::Display for AllocError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            AllocError::InvalidParam => "invalid parameter",
            AllocError::MemoryOverlap => "memory overlaps memory already owned",
            AllocError::NoMemory => "no free space fits",
            AllocError::NotAllocated => "not allocated",
        })
    }
}
