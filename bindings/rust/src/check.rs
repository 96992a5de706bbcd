// SPDX-License-Identifier: Apache-2.0 OR MIT
use crate::ffi::CCheck;

/// A broken invariant, as `check` finds it: memory that the allocator relies on was overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// The invariant, such as "TLSF-3: ...".
    pub invariant: &'static str,
    /// Address of the block, region or field that breaks it; 0: not known.
    pub location: usize,
}

impl CCheck {
    pub(crate) fn result(self) -> Result<(), Broken> {
        if self.invariant.is_null() {
            return Ok(());
        }
        // SAFETY: the library returns a static string, which ends in 0.
        let text = unsafe {
            let length = (0..).take_while(|at| *self.invariant.add(*at) != 0).count();
            core::slice::from_raw_parts(self.invariant, length)
        };
        Err(Broken {
            invariant: core::str::from_utf8(text).unwrap_or("an invariant without a name"),
            location: self.location as usize,
        })
    }
}
