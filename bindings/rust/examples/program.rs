// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A whole program on acre: every allocation of the standard library comes from a static pool.

use acre::{BaseAllocator, Global, Refill, Slab, Spin};
use std::alloc::Layout;
use std::collections::HashMap;
use std::thread;

const POOL_SIZE: usize = 32 << 20;
static mut POOL: [u8; POOL_SIZE] = [0; POOL_SIZE];

struct Pool;

impl Refill<Slab> for Pool {
    /// The first request finds no memory, and gets the pool. Later there is no more to add.
    fn refill(heap: &mut Slab, _: Layout) -> bool {
        unsafe { heap.add_memory(std::ptr::addr_of_mut!(POOL) as usize, POOL_SIZE).is_ok() }
    }
}

#[global_allocator]
static HEAP: Global<Slab, Spin, Pool> = Global::with_refill(Slab::new(), Spin::new());

fn count(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    for word in text.split_whitespace() {
        *words.entry(word.to_owned()).or_default() += 1;
    }
    words
}

fn main() {
    let workers: Vec<_> = (0..4)
        .map(|n| thread::spawn(move || count(&"to be or not to be ".repeat(100 * (n + 1)))))
        .collect();
    let total: usize = workers.into_iter().map(|worker| worker.join().unwrap()["be"]).sum();
    assert_eq!(total, 2000);
    let (used, total) = (HEAP.used_bytes(), HEAP.total_bytes());
    println!("{used} bytes in use of {total}, {} frees refused", HEAP.refused());
}
