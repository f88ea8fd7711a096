//! Micro-benchmarks of the way of a record: validated, appended, read, and the requests around it.
//!
//! Each file has a table of operations and what they need. `cargo xtask micro` measures them all
//! and writes the result; it calls this program in three ways, each on one thread:
//! - `--operations` names them, with the bytes of each;
//! - `--bench` measures their time, with divan;
//! - `--count NAME TIMES` does one so many times inside [`run_counted`], which callgrind looks at.
//!
//! Without any of these, as `cargo test` calls it, every operation is done once.

mod append;
mod decode;
mod read;
mod records;
mod request;
mod validate;

use std::cell::RefCell;
use std::fmt;

use divan::Bencher;

/// Done before anything is counted, so that what is made at the first use is there.
const WARM_UP: usize = 16;

/// Something that is done again and again.
trait Work {
    /// Makes room for the next time. Not measured.
    fn make_room(&mut self) {}

    /// Does it once.
    fn run(&mut self);
}

impl<F: FnMut()> Work for F {
    fn run(&mut self) {
        self();
    }
}

/// A row of the result.
struct Operation {
    name: &'static str,
    /// Bytes that go by once; 0 where their number says nothing about the work.
    bytes: usize,
    /// Makes what it needs.
    prepare: fn() -> Box<dyn Work>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// All of them, in the order of the result.
fn operations() -> impl Iterator<Item = &'static Operation> {
    let tables = [
        append::OPERATIONS,
        read::OPERATIONS,
        validate::OPERATIONS,
        decode::OPERATIONS,
        request::OPERATIONS,
    ];
    tables.into_iter().flatten()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--operations"] => operations().for_each(|of| println!("{}\t{}", of.bytes, of.name)),
        ["--count", name, times] => count(name, times.parse().expect("a number of times")),
        words if words.contains(&"--bench") => divan::main(),
        words => each_once(words.iter().find(|word| !word.starts_with('-'))),
    }
}

#[divan::bench(args = operations(), sample_count = 200, sample_size = 64)]
fn time(bencher: Bencher<'_, '_>, operation: &Operation) {
    let work = RefCell::new((operation.prepare)());
    bencher
        .with_inputs(|| work.borrow_mut().make_room())
        .bench_local_values(|()| work.borrow_mut().run());
}

fn count(name: &str, times: usize) {
    let operation = operations().find(|of| of.name == name).expect("an operation of this name");
    let mut work = (operation.prepare)();
    for _ in 0..WARM_UP {
        work.make_room();
        work.run();
    }
    run_counted(&mut *work, times);
}

/// What callgrind counts: only what is done between entering and leaving this function, by the
/// thread that does. Its name is known to `xtask`.
#[inline(never)]
fn run_counted(work: &mut dyn Work, times: usize) {
    for _ in 0..times {
        work.run();
    }
}

/// With the tests, so that an operation that no longer works is found on the day it breaks.
fn each_once(filter: Option<&&str>) {
    let wanted = operations().filter(|of| filter.is_none_or(|part| of.name.contains(part)));
    let mut done = 0;
    for operation in wanted {
        let mut work = (operation.prepare)();
        work.make_room();
        work.run();
        done += 1;
    }
    println!("{done} operations done once");
}
