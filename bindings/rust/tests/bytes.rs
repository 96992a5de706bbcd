// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The byte allocators through their trait: each test runs over all.

use acre::{AllocError, BaseAllocator, Buddy, ByteAllocator, Slab, Tlsf};
use std::alloc::Layout;
use std::ptr::NonNull;

/// Memory for a test, aligned for pages; never freed, so that no allocator outlives it.
fn memory(size: usize) -> usize {
    let layout = Layout::from_size_align(size, 4096).unwrap();
    unsafe { std::alloc::alloc(layout) as usize }
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}

/// Runs a generic function over the three allocators, each with a region of 1 MiB.
macro_rules! over_all {
    ($($test:ident),*) => {
        mod tlsf { $(#[test] fn $test() { super::$test(&mut acre::Tlsf::new()); })* }
        mod buddy { $(#[test] fn $test() { super::$test(&mut acre::Buddy::new()); })* }
        mod slab { $(#[test] fn $test() { super::$test(&mut acre::Slab::new()); })* }
    };
}
over_all!(
    starts_empty,
    serves_and_balances,
    aligns,
    refuses_wrong_frees,
    refuses_bad_memory,
    grows,
    reallocs,
    random_blocks_keep_their_bytes
);

const MIB: usize = 1 << 20;

fn filled<A: ByteAllocator>(heap: &mut A) -> usize {
    let start = memory(MIB);
    assert_eq!(unsafe { heap.init(start, MIB) }, Ok(()));
    start
}

fn starts_empty<A: ByteAllocator>(heap: &mut A) {
    assert_eq!(heap.alloc(layout(8, 8)), Err(AllocError::NoMemory));
    assert_eq!((heap.total_bytes(), heap.used_bytes(), heap.available_bytes()), (0, 0, 0));
    let stranger = NonNull::from(&0u64).cast();
    assert_eq!(heap.dealloc(stranger, layout(8, 8)), Err(AllocError::NotAllocated));
}

fn serves_and_balances<A: ByteAllocator>(heap: &mut A) {
    filled(heap);
    assert_eq!(heap.total_bytes(), MIB);
    let available = heap.available_bytes();
    let block = heap.alloc(layout(1000, 8)).unwrap();
    assert!(heap.used_bytes() >= 1000);
    assert_eq!(heap.used_bytes() + heap.available_bytes(), available);
    assert_eq!(heap.alloc(layout(2 * MIB, 8)), Err(AllocError::NoMemory));
    assert_eq!(heap.dealloc(block, layout(1000, 8)), Ok(()));
    assert_eq!((heap.used_bytes(), heap.available_bytes()), (0, available));
}

fn aligns<A: ByteAllocator>(heap: &mut A) {
    filled(heap);
    for log in 0..13 {
        let wanted = layout(100, 1 << log);
        let block = heap.alloc(wanted).unwrap();
        assert_eq!(block.as_ptr() as usize % wanted.align(), 0);
        assert_eq!(heap.dealloc(block, wanted), Ok(()));
    }
}

fn refuses_wrong_frees<A: ByteAllocator>(heap: &mut A) {
    let start = filled(heap);
    let block = heap.alloc(layout(512, 8)).unwrap();
    let inside = NonNull::new((block.as_ptr() as usize + 16) as *mut u8).unwrap();
    let used = heap.used_bytes();
    assert_eq!(heap.dealloc(inside, layout(512, 8)), Err(AllocError::NotAllocated));
    assert_eq!(heap.dealloc(block, layout(5000, 8)), Err(AllocError::InvalidParam));
    let beyond = NonNull::new((start + MIB) as *mut u8).unwrap();
    assert_eq!(heap.dealloc(beyond, layout(512, 8)), Err(AllocError::NotAllocated));
    assert_eq!(heap.used_bytes(), used);
    assert_eq!(heap.dealloc(block, layout(512, 8)), Ok(()));
    assert_eq!(heap.dealloc(block, layout(512, 8)), Err(AllocError::NotAllocated));
    assert_eq!(heap.realloc(block, layout(512, 8), 600), Err(AllocError::NotAllocated));
}

fn refuses_bad_memory<A: ByteAllocator>(heap: &mut A) {
    let start = filled(heap);
    unsafe {
        assert_eq!(heap.add_memory(start + MIB / 2, MIB), Err(AllocError::MemoryOverlap));
        assert_eq!(heap.add_memory(0, MIB), Err(AllocError::InvalidParam));
        assert_eq!(heap.add_memory(usize::MAX - 4096, 8192), Err(AllocError::InvalidParam));
        assert_eq!(heap.add_memory(memory(4096), 1), Err(AllocError::InvalidParam));
        assert_eq!(heap.total_bytes(), MIB);
        assert_eq!(heap.init(start, 8), Err(AllocError::InvalidParam));
        assert_eq!(heap.total_bytes(), 0);
        assert_eq!(heap.init(start, MIB), Ok(()));
    }
}

fn grows<A: ByteAllocator>(heap: &mut A) {
    filled(heap);
    let big = layout(200 << 10, 8); // buddy has one of 256 KiB wherever the region starts
    let first = heap.alloc(big).unwrap();
    let mut others = Vec::new();
    while let Ok(block) = heap.alloc(big) {
        others.push(block);
    }
    let more = memory(2 * MIB);
    assert_eq!(unsafe { heap.add_memory(more, 2 * MIB) }, Ok(()));
    assert_eq!(heap.total_bytes(), 3 * MIB);
    others.push(heap.alloc(big).unwrap());
    for block in others.into_iter().chain([first]) {
        assert_eq!(heap.dealloc(block, big), Ok(()));
    }
    assert_eq!(heap.used_bytes(), 0);
}

fn reallocs<A: ByteAllocator>(heap: &mut A) {
    filled(heap);
    let mut block = heap.alloc(layout(10, 16)).unwrap();
    unsafe { block.as_ptr().write_bytes(0x5a, 10) };
    let mut size = 10;
    for new in [20, 3000, 40_000, 10] {
        block = heap.realloc(block, layout(size, 16), new).unwrap();
        size = new;
        assert!((0..10).all(|at| unsafe { *block.as_ptr().add(at) } == 0x5a));
    }
    assert_eq!(heap.realloc(block, layout(size, 16), 2 * MIB), Err(AllocError::NoMemory));
    assert_eq!(heap.dealloc(block, layout(size, 16)), Ok(()));
}

fn random_blocks_keep_their_bytes<A: ByteAllocator>(heap: &mut A) {
    filled(heap);
    let mut live: Vec<(NonNull<u8>, usize, u8)> = Vec::new();
    let mut seed = 12345u32;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed as usize
    };
    for round in 0..20_000 {
        if live.len() < 200 && next() % 2 == 0 {
            let size = 1 + next() % 1500;
            if let Ok(block) = heap.alloc(layout(size, 8)) {
                unsafe { block.as_ptr().write_bytes(round as u8, size) };
                live.push((block, size, round as u8));
            }
        } else if !live.is_empty() {
            let (block, size, fill) = live.swap_remove(next() % live.len());
            let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr(), size) };
            assert!(bytes.iter().all(|byte| *byte == fill));
            assert_eq!(heap.dealloc(block, layout(size, 8)), Ok(()));
        }
    }
}

#[test]
fn check_finds_nothing_wrong_and_what_was_overwritten() {
    let mut heap = Tlsf::new();
    let start = filled(&mut heap);
    assert_eq!(heap.check(), Ok(()));
    unsafe { std::ptr::write_bytes(start as *mut u8, 0xff, MIB) };
    assert!(heap.check().unwrap_err().invariant.starts_with("TLSF"));
}

#[test]
fn a_region_comes_back_when_nothing_in_it_is_live() {
    let mut heap = Slab::new();
    let start = filled(&mut heap);
    let block = heap.alloc(layout(64, 8)).unwrap();
    assert_eq!(heap.remove_memory(start), Err(AllocError::InvalidParam));
    assert_eq!(heap.remove_memory(start + 1), Err(AllocError::NotAllocated));
    heap.dealloc(block, layout(64, 8)).unwrap();
    assert_eq!(heap.remove_memory(start), Ok(()));
    assert_eq!(heap.stats().total, 0);
}

#[test]
fn a_moved_allocator_is_refused_and_init_starts_it_anew() {
    let mut heap = Box::new(Buddy::new());
    let start = filled(&mut *heap);
    let block = heap.alloc(layout(64, 8)).unwrap();
    let mut moved = Box::new(*heap);
    assert_eq!(moved.alloc(layout(64, 8)), Err(AllocError::InvalidParam));
    assert_eq!(moved.dealloc(block, layout(64, 8)), Err(AllocError::InvalidParam));
    assert_eq!(moved.stats().total, 0);
    assert!(moved.check().is_err());
    assert_eq!(unsafe { moved.init(start, MIB) }, Ok(()));
    assert!(moved.alloc(layout(64, 8)).is_ok());
}
