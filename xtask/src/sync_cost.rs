//! `cargo xtask sync-cost`: what it costs to have many appended files on the disk itself.
//!
//! Measures what docs/adr/0005 rests on: after an append to each of so many files,
//! `fdatasync` one after the other, on several threads, and `syncfs`, for files that grow, that
//! were preallocated and that were filled with zeros before. Nothing of this is shipped.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use rustix::fs::FallocateFlags;

#[derive(Args)]
pub(crate) struct Options {
    /// A folder on the disk to be measured
    #[arg(long, default_value = "target")]
    dir: PathBuf,
    /// Bytes appended to each file before each sync
    #[arg(long, default_value_t = 4096)]
    bytes: usize,
    /// Syncs of each kind
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Numbers of files
    #[arg(long, value_delimiter = ',', default_value = "1,6,50,100,200,1000")]
    files: Vec<usize>,
}

/// How the files look before they are appended to.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// Each append makes the file longer and takes blocks.
    Growing,
    /// The blocks are taken, the length is still that of what was written.
    KeptSize,
    /// The blocks are taken, and the file is as long as they are.
    Preallocated,
    /// The blocks were written before: an append changes data only.
    Zeroed,
}

#[derive(Clone, Copy, Debug)]
enum Method {
    OneByOne,
    Threads(usize),
    FileSystem,
}

const LAYOUTS: [Layout; 4] =
    [Layout::Growing, Layout::KeptSize, Layout::Preallocated, Layout::Zeroed];
const METHODS: [Method; 6] = [
    Method::OneByOne,
    Method::Threads(2),
    Method::Threads(8),
    Method::Threads(16),
    Method::Threads(32),
    Method::FileSystem,
];

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let dir = options.dir.join(format!("sync-cost-{}", std::process::id()));
    let measured = table(options, &dir);
    fs::remove_dir_all(&dir).ok();
    measured.map_err(|cause| format!("{}: {cause}", dir.display()))
}

fn table(options: &Options, dir: &Path) -> io::Result<()> {
    println!("| files | synced by | {} |", LAYOUTS.map(|l| format!("{l:?}")).join(" | "));
    println!("|---|---|{}", "---|".repeat(LAYOUTS.len()));
    for count in &options.files {
        for method in METHODS {
            let cells = measure(options, dir, *count, method)?;
            println!("| {count} | {method:?} | {} |", cells.join(" | "));
        }
    }
    Ok(())
}

/// For each layout the median time of a sync, in milliseconds, between the first and the third
/// quarter. The layouts take turns, so that whatever else the disk does meets all of them.
fn measure(options: &Options, dir: &Path, count: usize, method: Method) -> io::Result<Vec<String>> {
    fs::create_dir_all(dir)?;
    let room = (options.bytes * (options.rounds + 1)) as u64;
    let mut sets = Vec::new();
    for layout in LAYOUTS {
        let name = |i: usize| dir.join(format!("{layout:?}-{i}"));
        let files = (0..count).map(|i| open(&name(i), layout, room));
        sets.push(files.collect::<io::Result<Vec<File>>>()?);
    }
    let folder = File::open(dir)?;
    rustix::fs::syncfs(&folder)?;
    let block = vec![7_u8; options.bytes];
    let mut times = vec![Vec::new(); sets.len()];
    for round in 0..options.rounds {
        let at = (round * options.bytes) as u64;
        for (files, times) in sets.iter().zip(&mut times) {
            files.iter().try_for_each(|file| file.write_all_at(&block, at))?;
            let begin = Instant::now();
            sync(files, &folder, method)?;
            times.push(begin.elapsed());
        }
    }
    drop(sets);
    fs::remove_dir_all(dir)?;
    Ok(times.into_iter().map(cell).collect())
}

fn cell(mut times: Vec<Duration>) -> String {
    times.sort();
    let quarter = |part: usize| times[(times.len() - 1) * part / 4].as_secs_f64() * 1e3;
    format!("{:.2} ({:.2}-{:.2})", quarter(2), quarter(1), quarter(3))
}

fn open(path: &Path, layout: Layout, room: u64) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    match layout {
        Layout::Growing => {}
        Layout::KeptSize => rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, 0, room)?,
        Layout::Preallocated => rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, room)?,
        Layout::Zeroed => file.write_all_at(&vec![0; room as usize], 0)?,
    }
    Ok(file)
}

fn sync(files: &[File], folder: &File, method: Method) -> io::Result<()> {
    match method {
        Method::OneByOne => files.iter().try_for_each(File::sync_data),
        Method::Threads(threads) => {
            let next = AtomicUsize::new(0);
            let work = || -> io::Result<()> {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    file.sync_data()?;
                }
                Ok(())
            };
            std::thread::scope(|scope| {
                let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
                all.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
            })
        }
        Method::FileSystem => rustix::fs::syncfs(folder).map_err(io::Error::from),
    }
}
