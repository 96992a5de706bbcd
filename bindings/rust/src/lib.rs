// SPDX-License-Identifier: Apache-2.0 OR MIT
#![no_std]
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod bitmap;
mod bytes;
mod check;
mod error;
mod ffi;
mod global;
mod traits;

pub use bitmap::{id_words, BitmapIds, BitmapPages};
pub use bytes::{Buddy, Slab, Tlsf};
pub use check::Broken;
pub use error::{AllocError, AllocResult};
pub use ffi::Stats;
#[cfg(target_has_atomic = "8")]
pub use global::Spin;
pub use global::{Global, Lock, NoLock, NoRefill, Refill};
pub use traits::{BaseAllocator, ByteAllocator, IdAllocator, PageAllocator};
