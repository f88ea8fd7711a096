//! The allocator of the process: jemalloc, set to give memory back soon.
//!
//! Linked into every binary. Few arenas and short decay times keep an idle broker small; the
//! hot path allocates little enough not to feel them.

// jemalloc reads its settings from a symbol of a fixed name before `main`; naming a symbol by
// hand is what the compiler counts as unsafe. The text is constant and ends in NUL.
#![allow(unsafe_code)]

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[unsafe(export_name = "_rjem_malloc_conf")]
static SETTINGS: &[u8; 59] = b"narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0,tcache:true\0";
