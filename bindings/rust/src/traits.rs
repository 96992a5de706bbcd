// SPDX-License-Identifier: Apache-2.0 OR MIT
use crate::AllocResult;
use core::alloc::Layout;
use core::ptr::NonNull;

/// What byte, page and id allocators share.
pub trait BaseAllocator {
    /// Starts the allocator anew, with one region; regions and blocks that it had are forgotten.
    ///
    /// # Errors
    /// `InvalidParam`: the range is null, wraps or is too small to be of use. The allocator is then empty.
    ///
    /// # Safety
    /// Where the allocator uses the memory (bytes; pages without metadata elsewhere), the range must be
    /// valid for reads and writes and used by nobody else until the allocator is dropped or started anew.
    unsafe fn init(&mut self, start: usize, size: usize) -> AllocResult;

    /// Gives the allocator one more region; the number of regions has no limit.
    ///
    /// # Errors
    /// `InvalidParam`: as for `init`; `MemoryOverlap`: the range shares a byte with a region already owned.
    ///
    /// # Safety
    /// As for `init`.
    unsafe fn add_memory(&mut self, start: usize, size: usize) -> AllocResult;
}

/// Blocks of any size and alignment.
pub trait ByteAllocator: BaseAllocator {
    /// Allocates a block with undefined contents. A size of 0 is served as 1.
    ///
    /// # Errors
    /// `NoMemory`: no free space fits.
    fn alloc(&mut self, layout: Layout) -> AllocResult<NonNull<u8>>;

    /// Frees a block. The pointer and the layout are proven first; nothing is read through the pointer.
    ///
    /// # Errors
    /// `NotAllocated`: `pos` is not the start of a live block of this allocator; `InvalidParam`: a request
    /// of this layout would not have made this block.
    fn dealloc(&mut self, pos: NonNull<u8>, layout: Layout) -> AllocResult;

    /// Changes a block's size, and moves the block when it cannot stay. The contents are kept up to the
    /// smaller size.
    ///
    /// # Errors
    /// `NotAllocated`, `InvalidParam`: as for `dealloc` with `layout`; `NoMemory`: no free space fits, and
    /// the old block is untouched.
    fn realloc(
        &mut self,
        pos: NonNull<u8>,
        layout: Layout,
        new_size: usize,
    ) -> AllocResult<NonNull<u8>>;

    /// Bytes owned: metadata, used and available.
    fn total_bytes(&self) -> usize;
    /// Bytes that live blocks take, headers and rounding included.
    fn used_bytes(&self) -> usize;
    /// Free bytes, not always in one piece.
    fn available_bytes(&self) -> usize;
}

/// Runs of whole pages, identified by address.
pub trait PageAllocator: BaseAllocator {
    /// Bytes per page, a power of two.
    const PAGE_SIZE: usize;

    /// Allocates the lowest free run of `num_pages` pages at a multiple of `align_pow2` bytes.
    ///
    /// # Errors
    /// `InvalidParam`: `num_pages` is 0 or `align_pow2` is not a power of two; `NoMemory`: no run is free.
    fn alloc_pages(&mut self, num_pages: usize, align_pow2: usize) -> AllocResult<usize>;

    /// Allocates the run that begins at `base`.
    ///
    /// # Errors
    /// `InvalidParam`: as for `alloc_pages`, or `base` is not a multiple of `align_pow2` and of the page;
    /// `NoMemory`: a page of the run is in use or not owned.
    fn alloc_pages_at(
        &mut self,
        base: usize,
        num_pages: usize,
        align_pow2: usize,
    ) -> AllocResult<usize>;

    /// Frees any run of pages in use.
    ///
    /// # Errors
    /// `InvalidParam`: `num_pages` is 0 or `pos` is not a multiple of the page; `NotAllocated`: a page of
    /// the run is free or not owned, and none has been freed.
    fn dealloc_pages(&mut self, pos: usize, num_pages: usize) -> AllocResult;

    /// Pages that can be allocated, in use or not.
    fn total_pages(&self) -> usize;
    /// Pages in use.
    fn used_pages(&self) -> usize;
    /// Free pages, not always in one run.
    fn available_pages(&self) -> usize;
}

/// Runs of integers: process numbers, ports, interrupt vectors.
pub trait IdAllocator: BaseAllocator {
    /// Allocates `count` consecutive ids, the first a multiple of `align_pow2`.
    ///
    /// # Errors
    /// `InvalidParam`: `count` is 0 or `align_pow2` is not a power of two; `NoMemory`: no run is free.
    fn alloc_id(&mut self, count: usize, align_pow2: usize) -> AllocResult<usize>;

    /// Allocates one given id.
    ///
    /// # Errors
    /// `InvalidParam`: the id is outside the range; `NoMemory`: it is in use.
    fn alloc_fixed_id(&mut self, id: usize) -> AllocResult;

    /// Frees any run of ids in use.
    ///
    /// # Errors
    /// `InvalidParam`: `count` is 0; `NotAllocated`: an id of the run is free or outside the range, and none
    /// has been freed.
    fn dealloc_id(&mut self, start_id: usize, count: usize) -> AllocResult;

    /// Whether an id is in use; false outside the range.
    fn is_allocated(&self, id: usize) -> bool;

    /// Ids in the range, in use or not.
    fn size(&self) -> usize;
    /// Ids in use.
    fn used(&self) -> usize;
    /// Free ids.
    fn available(&self) -> usize;
}
