//! Feeds [`passerelle_fuzz::inbox`], and counts what it allocates.
#![no_main]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use passerelle::federation::strict_json;

/// Most bytes that reading may hold at one time for each byte of the document, and whatever the document:
/// two bytes of a list (`0,`) become one value of 32 bytes, in a vector that grows by doubling.
const PER_BYTE: usize = 128;
const FIXED: usize = 16 * 1024;

/// The system's allocator with a count of what is held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn grow(by: usize) {
    let held = HELD.fetch_add(by, Ordering::Relaxed) + by;
    MOST.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged; beside it, numbers are added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // While it moves, both are there.
        grow(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let read = strict_json::parse(data);
    let most = MOST.load(Ordering::Relaxed).saturating_sub(before);
    drop(read);
    assert!(most <= FIXED + PER_BYTE * data.len(), "{most} bytes were held for a document of {}", data.len());
    passerelle_fuzz::inbox::check(data);
});
