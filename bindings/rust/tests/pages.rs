// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pages and ids.

use acre::{
    id_words, AllocError, BaseAllocator, BitmapIds, BitmapPages, IdAllocator, PageAllocator,
};

const PAGE: usize = 4096;

/// 1024 pages at 1 GiB, which nobody touches; the metadata lies elsewhere.
fn pages() -> Box<BitmapPages<PAGE>> {
    let mut pages = Box::new(BitmapPages::new());
    let size = BitmapPages::<PAGE>::metadata_size(1024);
    let meta = Box::leak(vec![0u64; size / 8 + 1].into_boxed_slice()).as_mut_ptr();
    let added =
        unsafe { pages.add_memory_apart(1 << 30, 1024 * PAGE, meta as *mut u8, size / 8 * 8 + 8) };
    assert_eq!(added, Ok(()));
    pages
}

#[test]
fn pages_start_empty() {
    let mut pages = BitmapPages::<PAGE>::new();
    assert_eq!(pages.alloc_pages(1, PAGE), Err(AllocError::NoMemory));
    assert_eq!(pages.dealloc_pages(0, 1), Err(AllocError::NotAllocated));
    assert_eq!((pages.total_pages(), pages.used_pages(), pages.available_pages()), (0, 0, 0));
}

#[test]
fn pages_are_served_lowest_first_and_aligned() {
    let mut pages = pages();
    assert_eq!(pages.total_pages(), 1024);
    assert_eq!(pages.alloc_pages(1, PAGE), Ok(1 << 30));
    assert_eq!(pages.alloc_pages(2, 16 * PAGE), Ok((1 << 30) + 16 * PAGE));
    assert_eq!(pages.alloc_pages(1, 1), Ok((1 << 30) + PAGE));
    assert_eq!((pages.used_pages(), pages.available_pages()), (4, 1020));
    assert_eq!(pages.alloc_pages(0, PAGE), Err(AllocError::InvalidParam));
    assert_eq!(pages.alloc_pages(1, 3 * PAGE), Err(AllocError::InvalidParam));
    assert_eq!(pages.alloc_pages(2000, PAGE), Err(AllocError::NoMemory));
    assert_eq!(pages.check(), Ok(()));
}

#[test]
fn pages_at_an_address() {
    let mut pages = pages();
    let at = (1 << 30) + 100 * PAGE;
    assert_eq!(pages.alloc_pages_at(at, 10, PAGE), Ok(at));
    assert_eq!(pages.alloc_pages_at(at + 9 * PAGE, 2, PAGE), Err(AllocError::NoMemory));
    assert_eq!(pages.alloc_pages_at(at + 1, 1, PAGE), Err(AllocError::InvalidParam));
    assert_eq!(pages.alloc_pages_at(0, 1, PAGE), Err(AllocError::NoMemory));
    assert_eq!(pages.dealloc_pages(at + 2 * PAGE, 3), Ok(()));
    assert_eq!(pages.dealloc_pages(at, 10), Err(AllocError::NotAllocated));
    assert_eq!(pages.used_pages(), 7);
    assert_eq!(pages.remove_memory(1 << 30), Err(AllocError::InvalidParam));
    assert_eq!(pages.dealloc_pages(at, 2), Ok(()));
    assert_eq!(pages.dealloc_pages(at + 5 * PAGE, 5), Ok(()));
    assert_eq!(pages.remove_memory(1 << 30), Ok(()));
}

#[test]
fn pages_with_their_metadata_in_the_range() {
    let size = 256 * PAGE;
    let layout = std::alloc::Layout::from_size_align(size, PAGE).unwrap();
    let start = unsafe { std::alloc::alloc(layout) } as usize;
    let mut pages = BitmapPages::<PAGE>::new();
    unsafe {
        assert_eq!(pages.init(start, size), Ok(()));
        assert_eq!(pages.add_memory(start + PAGE, size), Err(AllocError::MemoryOverlap));
    }
    assert!(pages.total_pages() >= 254 && pages.total_pages() < 256);
    assert!(pages.alloc_pages(1, PAGE).unwrap() > start);
}

#[test]
fn small_pages_and_a_page_size_that_is_none() {
    let mut fine = BitmapPages::<64>::new();
    let mut wrong = BitmapPages::<100>::new();
    let mut meta = vec![0u64; 1000];
    let at = meta.as_mut_ptr() as *mut u8;
    unsafe {
        assert_eq!(fine.add_memory_apart(0, 64 * 100, at, 8000), Ok(()));
        assert_eq!(wrong.add_memory_apart(0, 6400, at, 8000), Err(AllocError::InvalidParam));
        assert_eq!(
            fine.add_memory_apart(1 << 20, 64, std::ptr::null_mut(), 8),
            Err(AllocError::InvalidParam)
        );
    }
    assert_eq!(fine.alloc_pages(100, 64), Ok(0));
}

#[test]
fn ids() {
    let mut ids = BitmapIds::<{ 2 * id_words(100) }>::new();
    assert_eq!(ids.alloc_id(1, 1), Err(AllocError::NoMemory));
    unsafe {
        assert_eq!(ids.init(10, 0), Err(AllocError::InvalidParam));
        assert_eq!(ids.init(10, 100), Ok(()));
        assert_eq!(ids.add_memory(109, 5), Err(AllocError::MemoryOverlap));
        assert_eq!(ids.add_memory(1 << 20, 1 << 20), Err(AllocError::NoMemory));
        assert_eq!(ids.add_memory(500, 100), Ok(()));
    }
    assert_eq!((ids.size(), ids.used(), ids.available()), (200, 0, 200));
    assert_eq!(ids.alloc_id(1, 1), Ok(10));
    assert_eq!(ids.alloc_id(8, 8), Ok(16));
    assert_eq!(ids.alloc_fixed_id(12), Ok(()));
    assert_eq!(ids.alloc_fixed_id(12), Err(AllocError::NoMemory));
    assert_eq!(ids.alloc_fixed_id(9), Err(AllocError::InvalidParam));
    assert_eq!(ids.alloc_id(100, 1), Ok(500));
    assert!(ids.is_allocated(12) && !ids.is_allocated(13) && !ids.is_allocated(9));
    assert_eq!(ids.alloc_id(1, 3), Err(AllocError::InvalidParam));
    assert_eq!(ids.dealloc_id(12, 0), Err(AllocError::InvalidParam));
    assert_eq!(ids.dealloc_id(12, 2), Err(AllocError::NotAllocated));
    assert_eq!(ids.dealloc_id(12, 1), Ok(()));
    assert_eq!(ids.used(), 109);
    assert_eq!(ids.check(), Ok(()));
}

#[test]
fn moved_ids_are_refused() {
    let mut ids = Box::new(BitmapIds::<{ id_words(10) }>::new());
    unsafe { ids.init(0, 10).unwrap() };
    let mut moved = Box::new(*ids);
    assert_eq!(moved.alloc_id(1, 1), Err(AllocError::InvalidParam));
    assert_eq!(moved.size(), 0);
}
