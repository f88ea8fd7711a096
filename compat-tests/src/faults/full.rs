//! A small disk that fills up and is freed again, while the same clients write, retention and the
//! deletion of topics are at work, and the broker is killed or loses its power when it is full.

use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

use super::history::History;
use super::load::Load;
use super::power::Keeping;
use super::report::Report;
use super::scene::Scene;
use super::topic::Topic;
use crate::process::eventually;

const DISK_BYTES: u64 = 192 << 20;
/// What another process leaves free.
const LEFT: u64 = 3 << 20;
/// How long it stays full.
const FULL: (Duration, Duration) = (Duration::from_millis(300), Duration::from_millis(1500));
const AFTER: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(1));
const ENOUGH: usize = 500;
/// What the broker keeps free for everything but records.
const KEPT_FREE: &[(&str, &str)] = &[("log.dir.min.free.bytes", "16777216")];

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub keeping: Keeping,
    pub seed: u64,
    /// How often the disk fills up.
    pub fills: usize,
}

impl Run {
    /// Its name.
    pub fn title(&self) -> String {
        format!("full {} {}", self.keeping.name(), self.seed)
    }
}

/// Does the run and judges it.
pub fn run(run: &Run) -> Result<Report, String> {
    let kind = run.keeping.broker();
    let title = run.title();
    let topic = Topic::Expiring;
    let settings = [run.keeping.settings(), topic.settings(), KEPT_FREE].concat();
    let mut scene = Scene::set((kind, &title), &settings, &[DISK_BYTES], run.seed)?;
    let outcome = fill(&mut scene, run);
    scene.leave_traces();
    let (history, done) = outcome.map_err(|error| format!("{kind:?} {title}: {error}"))?;
    let mut report = Report::of(kind, &title, &history, &topic.promise(None));
    report.fault = format!("full {} times ({done})", run.fills);
    report.back_after = scene.back_after;
    Ok(report)
}

fn fill(scene: &mut Scene, run: &Run) -> Result<(History, String), String> {
    let mut load = scene.load(Topic::Expiring.writing());
    let (mut kills, mut cuts, mut refused) = (0, 0, 0);
    for _ in 0..run.fills {
        scene.random_moment(&mut load, AFTER)?;
        let filler = scene.disk_path().join("filler");
        // Really full, or just so that the broker takes no more records.
        let left = scene.seed.below(2) * LEFT;
        fill_up(&filler, left, scene).map_err(|error| format!("filling the disk: {error}"))?;
        refused += usize::from(stands_still(&mut load, scene));
        match scene.seed.below(4) {
            0 | 1 => {
                scene.broker.kill();
                scene.start_again();
                kills += 1;
            }
            2 if run.keeping != Keeping::PageCache => {
                scene.cut_now()?;
                scene.power_returns()?;
                scene.start_again();
                cuts += 1;
            }
            _ => {}
        }
        // A power loss may have taken it.
        fs::remove_file(&filler).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error.to_string()),
        })?;
    }
    if !load.goes_on(ENOUGH) {
        return Err(format!("nothing is acknowledged any more:\n{}", scene.broker.output()));
    }
    let mut history = History::default();
    scene.add_load(&mut history, &load.finish()?);
    scene.read_into(&mut history)?;
    let done = format!("stood still {refused}, killed {kills}, power lost {cuts} times");
    Ok((history, done))
}

/// Whether nothing is acknowledged for a while.
fn stands_still(load: &mut Load, scene: &mut Scene) -> bool {
    let moment = scene.seed.between(FULL.0, FULL.1);
    let mut before = load.acknowledged();
    // It ends as soon as nothing has come since the last look that long.
    let mut still = false;
    for _ in 0..20 {
        eventually(moment, || false);
        let now = load.acknowledged();
        still = now == before;
        if still {
            break;
        }
        before = now;
    }
    still
}

/// Writes a file until no more than `left` bytes are free.
fn fill_up(path: &std::path::Path, left: u64, scene: &Scene) -> std::io::Result<()> {
    let mut filler = File::create(path)?;
    let block = vec![7; 64 << 10];
    loop {
        let stat = rustix::fs::statvfs(scene.disk_path())?;
        if stat.f_bavail * stat.f_frsize <= left || filler.write_all(&block).is_err() {
            return filler.sync_data();
        }
    }
}
