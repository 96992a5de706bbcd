// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A kernel's heap without the standard library: compiled as a static library that C links.
#![no_std]

use acre::{Global, Lock, Slab};
use core::alloc::{GlobalAlloc, Layout};

/// Stands for an interrupt mask: the state before is what unlock puts back.
struct Mask;
unsafe impl Lock for Mask {
    type State = bool;
    fn lock(&self) -> bool {
        true
    }
    unsafe fn unlock(&self, before: bool) {
        assert!(before);
    }
}

static HEAP: Global<Slab, Mask> = Global::new(Slab::new(), Mask);

/// Gives the heap its memory, fills a block and returns the sum; 0: something was refused.
#[no_mangle]
pub extern "C" fn kernel_main(start: usize, size: usize) -> u32 {
    let layout = Layout::new::<[u32; 1000]>();
    unsafe {
        if HEAP.init(start, size).is_err() {
            return 0;
        }
        let block = HEAP.alloc(layout) as *mut u32;
        (0..1000).for_each(|at| block.add(at).write(at as u32 + 1));
        let sum = (0..1000).map(|at| block.add(at).read()).sum();
        HEAP.dealloc(block as *mut u8, layout);
        HEAP.dealloc(block as *mut u8, layout); // refused, and counted
        if HEAP.used_bytes() == 0 && HEAP.refused() == 1 {
            sum
        } else {
            0
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
