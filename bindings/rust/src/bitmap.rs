// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pages and ids: the bitmap.

use crate::ffi::{sizes, CCheck, CNum, Stats, Status, Storage};
use crate::{AllocError, AllocResult, BaseAllocator, Broken, IdAllocator, PageAllocator};
use core::ffi::c_void;

extern "C" {
    fn acre_bitmap_setup(this: *mut c_void, page_size: usize) -> Status;
    fn acre_bitmap_setup_ids(this: *mut c_void) -> Status;
    fn acre_bitmap_add_memory(this: *mut c_void, start: *mut c_void, size: usize) -> Status;
    fn acre_bitmap_add_memory_apart(
        this: *mut c_void,
        start: *mut c_void,
        size: usize,
        meta: *mut c_void,
        meta_size: usize,
    ) -> Status;
    fn acre_bitmap_add_ids(
        this: *mut c_void,
        first: usize,
        count: usize,
        meta: *mut c_void,
        meta_size: usize,
    ) -> Status;
    fn acre_bitmap_metadata_size(pages: usize) -> usize;
    fn acre_bitmap_remove_memory(this: *mut c_void, start: *mut c_void) -> Status;
    fn acre_bitmap_alloc_pages(this: *mut c_void, count: usize, align: usize) -> CNum;
    fn acre_bitmap_alloc_pages_at(
        this: *mut c_void,
        pos: usize,
        count: usize,
        align: usize,
    ) -> CNum;
    fn acre_bitmap_dealloc_pages(this: *mut c_void, pos: usize, count: usize) -> Status;
    fn acre_bitmap_is_allocated(this: *const c_void, pos: usize, count: usize) -> bool;
    fn acre_bitmap_alloc_id(this: *mut c_void, count: usize, align: usize) -> CNum;
    fn acre_bitmap_alloc_fixed_id(this: *mut c_void, id: usize) -> Status;
    fn acre_bitmap_dealloc_id(this: *mut c_void, start: usize, count: usize) -> Status;
    fn acre_bitmap_stats(this: *const c_void) -> Stats;
    fn acre_bitmap_check(this: *const c_void) -> CCheck;
}

type Bits = Storage<{ sizes::BITMAP_SIZE }>;
const _: () = assert!(sizes::BITMAP_ALIGN <= core::mem::align_of::<Bits>());

fn stats_of(bits: &Bits) -> Stats {
    // SAFETY: the struct is zeroed or one that the library has set up.
    bits.peek().map_or(Stats::default(), |this| unsafe { acre_bitmap_stats(this) })
}

fn check_of(bits: &Bits) -> Result<(), Broken> {
    match bits.peek() {
        // SAFETY: as for stats_of.
        Some(this) => unsafe { acre_bitmap_check(this) }.result(),
        None => Err(Broken { invariant: "the allocator was moved", location: 0 }),
    }
}

/// Pages of `PAGE` bytes: the lowest run of any length and alignment, in logarithmic time.
///
/// `init` and `add_memory` put the metadata, 1.2 bits per page, into the first pages of the range;
/// [`add_memory_apart`](BitmapPages::add_memory_apart) puts it elsewhere, and the range is never touched.
/// The value must not move while it owns memory; if it did, every call returns `InvalidParam`.
pub struct BitmapPages<const PAGE: usize = 4096> {
    bits: Bits,
}

impl<const PAGE: usize> BitmapPages<PAGE> {
    /// An allocator without pages, which refuses every request.
    pub const fn new() -> Self {
        BitmapPages { bits: Storage::new() }
    }

    /// Bytes of metadata that a range of `pages` pages needs.
    pub fn metadata_size(pages: usize) -> usize {
        // SAFETY: a pure function.
        unsafe { acre_bitmap_metadata_size(pages) }
    }

    /// The struct, its page size set. The library refuses the setting while the allocator owns memory, which
    /// has it already.
    fn ready(&mut self) -> AllocResult<*mut c_void> {
        let this = self.bits.get()?;
        // SAFETY: as for stats_of.
        let set = unsafe { acre_bitmap_setup(this, PAGE) }.result();
        // SAFETY: as for stats_of.
        if unsafe { acre_bitmap_stats(this) }.total == 0 {
            set?;
        }
        Ok(this)
    }

    /// Adds a range that is never touched: physical or device memory, address 0 included.
    ///
    /// # Errors
    /// As for `add_memory`; also `InvalidParam`: `meta_size` is less than `metadata_size` of the pages.
    ///
    /// # Safety
    /// `meta_size` bytes at `meta` must be valid for reads and writes and used by nobody else until the
    /// range is removed or the allocator is started anew.
    pub unsafe fn add_memory_apart(
        &mut self,
        start: usize,
        size: usize,
        meta: *mut u8,
        meta_size: usize,
    ) -> AllocResult {
        let this = self.ready()?;
        let start = start as *mut c_void;
        acre_bitmap_add_memory_apart(this, start, size, meta as *mut c_void, meta_size).result()
    }

    /// Takes back a range of which no page is in use.
    ///
    /// # Errors
    /// `NotAllocated`: no range has this start; `InvalidParam`: a page of it is in use.
    pub fn remove_memory(&mut self, start: usize) -> AllocResult {
        let this = self.bits.get()?;
        // SAFETY: as for stats_of.
        unsafe { acre_bitmap_remove_memory(this, start as *mut c_void) }.result()
    }

    /// The statistics at this moment, in bytes. Of an allocator that was moved: all 0.
    pub fn stats(&self) -> Stats {
        stats_of(&self.bits)
    }

    /// Verifies the whole structure and changes nothing; linear in the memory owned.
    pub fn check(&self) -> Result<(), Broken> {
        check_of(&self.bits)
    }
}

impl<const PAGE: usize> Default for BitmapPages<PAGE> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const PAGE: usize> BaseAllocator for BitmapPages<PAGE> {
    unsafe fn init(&mut self, start: usize, size: usize) -> AllocResult {
        self.bits.clear();
        self.add_memory(start, size)
    }

    unsafe fn add_memory(&mut self, start: usize, size: usize) -> AllocResult {
        let this = self.ready()?;
        acre_bitmap_add_memory(this, start as *mut c_void, size).result()
    }
}

impl<const PAGE: usize> PageAllocator for BitmapPages<PAGE> {
    const PAGE_SIZE: usize = PAGE;

    fn alloc_pages(&mut self, num_pages: usize, align_pow2: usize) -> AllocResult<usize> {
        let this = self.bits.get()?;
        // SAFETY: as for stats_of; the metadata is the allocator's by the contract of init.
        unsafe { acre_bitmap_alloc_pages(this, num_pages, align_pow2) }.result()
    }

    fn alloc_pages_at(
        &mut self,
        base: usize,
        num_pages: usize,
        align_pow2: usize,
    ) -> AllocResult<usize> {
        let this = self.bits.get()?;
        // SAFETY: as for alloc_pages.
        unsafe { acre_bitmap_alloc_pages_at(this, base, num_pages, align_pow2) }.result()
    }

    fn dealloc_pages(&mut self, pos: usize, num_pages: usize) -> AllocResult {
        let this = self.bits.get()?;
        // SAFETY: as for alloc_pages.
        unsafe { acre_bitmap_dealloc_pages(this, pos, num_pages) }.result()
    }

    fn total_pages(&self) -> usize {
        let stats = self.stats();
        (stats.used + stats.available) / PAGE
    }
    fn used_pages(&self) -> usize {
        self.stats().used / PAGE
    }
    fn available_pages(&self) -> usize {
        self.stats().available / PAGE
    }
}

/// Words of metadata for `ids` ids in one range: the argument of [`BitmapIds`].
pub const fn id_words(ids: usize) -> usize {
    let word = core::mem::size_of::<usize>();
    let bytes = 1024
        + (ids / 512 + 1) * 72
        + (ids / 4096 + 1) * 24
        + ids / 4096 / 63 * 16
        + ids / 4096 / 7 * (3 * word);
    (bytes + 7) / 8
}

/// Ids out of ranges of integers. Its metadata is part of the value: `WORDS` words of 8 bytes.
///
/// ```
/// use acre::{id_words, AllocError, BaseAllocator, BitmapIds, IdAllocator};
///
/// let mut pids = BitmapIds::<{ id_words(1000) }>::new();
/// unsafe { pids.init(1, 1000)? }; // 1 to 1000
/// assert_eq!(pids.alloc_id(1, 1)?, 1);
/// pids.alloc_fixed_id(2)?;
/// assert_eq!(pids.alloc_fixed_id(2), Err(AllocError::NoMemory));
/// assert_eq!(pids.alloc_id(4, 4)?, 4); // 4 to 7
/// pids.dealloc_id(1, 2)?;
/// assert_eq!(pids.dealloc_id(1, 1), Err(AllocError::NotAllocated));
/// # Ok::<(), AllocError>(())
/// ```
///
/// The value must not move while it has ids; if it did, every call returns `InvalidParam`.
#[repr(C)]
pub struct BitmapIds<const WORDS: usize> {
    bits: Bits,
    words: [u64; WORDS],
    taken: usize, // words in use, from the first on
}

impl<const WORDS: usize> BitmapIds<WORDS> {
    /// An allocator without ids, which refuses every request.
    pub const fn new() -> Self {
        BitmapIds { bits: Storage::new(), words: [0; WORDS], taken: 0 }
    }

    /// The statistics at this moment, in ids. Of an allocator that was moved: all 0.
    pub fn stats(&self) -> Stats {
        stats_of(&self.bits)
    }

    /// Verifies the whole structure and changes nothing; linear in the number of ids.
    pub fn check(&self) -> Result<(), Broken> {
        check_of(&self.bits)
    }
}

impl<const WORDS: usize> Default for BitmapIds<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const WORDS: usize> BaseAllocator for BitmapIds<WORDS> {
    /// `start` is the first id, `size` the number of ids; no memory is touched but the value's own. Also
    /// `NoMemory`: `WORDS` is less than `id_words(size)`.
    unsafe fn init(&mut self, start: usize, size: usize) -> AllocResult {
        self.bits.clear();
        self.taken = 0;
        self.add_memory(start, size)
    }

    /// As `init`, for one more range; the words that are left must do for it.
    unsafe fn add_memory(&mut self, start: usize, size: usize) -> AllocResult {
        let this = self.bits.get()?;
        if self.taken == 0 {
            acre_bitmap_setup_ids(this).result()?;
        }
        if size == 0 {
            return Err(AllocError::InvalidParam);
        }
        let needed = acre_bitmap_metadata_size(size) / 8 + 1;
        if needed > WORDS - self.taken {
            return Err(AllocError::NoMemory);
        }
        let meta = self.words.as_mut_ptr().add(self.taken) as *mut c_void;
        acre_bitmap_add_ids(this, start, size, meta, needed * 8).result()?;
        self.taken += needed;
        Ok(())
    }
}

impl<const WORDS: usize> IdAllocator for BitmapIds<WORDS> {
    fn alloc_id(&mut self, count: usize, align_pow2: usize) -> AllocResult<usize> {
        let this = self.bits.get()?;
        // SAFETY: the struct and its metadata are this value's.
        unsafe { acre_bitmap_alloc_id(this, count, align_pow2) }.result()
    }

    fn alloc_fixed_id(&mut self, id: usize) -> AllocResult {
        let this = self.bits.get()?;
        // SAFETY: as for alloc_id.
        unsafe { acre_bitmap_alloc_fixed_id(this, id) }.result()
    }

    fn dealloc_id(&mut self, start_id: usize, count: usize) -> AllocResult {
        let this = self.bits.get()?;
        // SAFETY: as for alloc_id.
        unsafe { acre_bitmap_dealloc_id(this, start_id, count) }.result()
    }

    fn is_allocated(&self, id: usize) -> bool {
        // SAFETY: as for alloc_id.
        self.bits.peek().map_or(false, |this| unsafe { acre_bitmap_is_allocated(this, id, 1) })
    }

    fn size(&self) -> usize {
        let stats = self.stats();
        stats.used + stats.available
    }
    fn used(&self) -> usize {
        self.stats().used
    }
    fn available(&self) -> usize {
        self.stats().available
    }
}
