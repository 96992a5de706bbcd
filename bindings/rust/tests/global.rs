// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A program with the standard library whose every block comes from acre: collections, threads, channels.

use acre::{BaseAllocator, Global, Lock, Refill, Tlsf};
use std::alloc::{GlobalAlloc, Layout};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

const POOL_SIZE: usize = 64 << 20;
static mut POOL: [u8; POOL_SIZE] = [0; POOL_SIZE];

/// A ticket lock: the lock of a caller.
struct Ticket {
    next: AtomicUsize,
    serving: AtomicUsize,
}

unsafe impl Lock for Ticket {
    type State = usize;
    fn lock(&self) -> usize {
        let mine = self.next.fetch_add(1, Ordering::Relaxed);
        while self.serving.load(Ordering::Acquire) != mine {
            thread::yield_now();
        }
        mine
    }
    unsafe fn unlock(&self, mine: usize) {
        self.serving.store(mine + 1, Ordering::Release);
    }
}

struct Pool;

impl Refill<Tlsf> for Pool {
    fn refill(heap: &mut Tlsf, _: Layout) -> bool {
        unsafe { heap.add_memory(std::ptr::addr_of_mut!(POOL) as usize, POOL_SIZE).is_ok() }
    }
}

#[global_allocator]
static HEAP: Global<Tlsf, Ticket, Pool> = Global::with_refill(
    Tlsf::new(),
    Ticket { next: AtomicUsize::new(0), serving: AtomicUsize::new(0) },
);

fn in_pool<T>(value: &T) -> bool {
    #[allow(unused_unsafe)] // newer compilers need none here
    let start = unsafe { std::ptr::addr_of!(POOL) } as usize;
    let at = value as *const T as usize;
    start <= at && at < start + POOL_SIZE
}

#[test]
fn collections() {
    let mut words: HashMap<String, usize> = HashMap::new();
    let mut sorted = BTreeMap::new();
    let mut queue = VecDeque::new();
    for n in 0..20_000usize {
        *words.entry(format!("word {}", n % 1000)).or_default() += n;
        sorted.insert(n.wrapping_mul(2654435761) % 65_536, vec![n; n % 50]);
        queue.push_back(Box::new(n));
        if n % 3 == 0 {
            queue.pop_front();
        }
    }
    assert!(in_pool(&**queue.front().unwrap()));
    assert_eq!(words.len(), 1000);
    assert_eq!(words["word 7"], (0..20).map(|k| 7 + 1000 * k).sum());
    assert!(sorted.keys().zip(sorted.keys().skip(1)).all(|(a, b)| a < b));
    assert!(sorted.values().all(|v| v.iter().all(|n| *n == v[0])));
    assert_eq!(HEAP.refused(), 0);
}

#[test]
fn threads() {
    let total = Arc::new(Mutex::new(Vec::new()));
    let (send, receive) = mpsc::channel::<Vec<u8>>();
    let workers: Vec<_> = (0..4u8)
        .map(|id| {
            let (send, total) = (send.clone(), Arc::clone(&total));
            thread::spawn(move || {
                for n in 0..2_000usize {
                    send.send(vec![id; n % 300 + 1]).unwrap();
                }
                total.lock().unwrap().push(id.to_string());
            })
        })
        .collect();
    drop(send);
    let mut bytes = 0;
    for block in receive {
        assert!(block.iter().all(|byte| *byte == block[0]));
        bytes += block.len();
    }
    for worker in workers {
        worker.join().unwrap();
    }
    assert_eq!(bytes, 4 * (0..2_000usize).map(|n| n % 300 + 1).sum::<usize>());
    assert_eq!(total.lock().unwrap().len(), 4);
    assert_eq!(HEAP.refused(), 0);
}

#[test]
fn a_request_for_too_much_is_refused() {
    let mut vector: Vec<u8> = Vec::new();
    assert!(vector.try_reserve(POOL_SIZE).is_err());
    assert!(HEAP.used_bytes() <= HEAP.total_bytes());
    assert!(HEAP.available_bytes() > 0);
}

/// Misuse of an allocator of the test's own is counted, and changes nothing.
#[test]
fn wrong_frees_are_counted() {
    use acre::{Slab, Spin};
    let memory = Box::leak(vec![0u64; 1 << 16].into_boxed_slice());
    let heap = Box::new(Global::new(Slab::new(), Spin::new()));
    let layout = Layout::from_size_align(100, 8).unwrap();
    unsafe {
        assert!(heap.alloc(layout).is_null());
        heap.init(memory.as_mut_ptr() as usize, 8 << 16).unwrap();
        let block = heap.alloc(layout);
        assert!(!block.is_null());
        heap.dealloc(block, layout);
        heap.dealloc(block, layout);
        heap.dealloc(std::ptr::null_mut(), layout);
        assert!(heap.realloc(block, layout, 200).is_null());
        assert!(heap.add_memory(memory.as_mut_ptr() as usize, 4096).is_err());
        assert_eq!(heap.with(|slab| slab.check()), Ok(()));
    }
    assert_eq!((heap.refused(), heap.used_bytes()), (3, 0));
}
