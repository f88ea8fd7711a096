//! A broker that is killed again and again while the same clients write: nothing that it
//! acknowledged is lost in any durability mode, since the kernel still has the pages.

use std::time::Duration;

use super::checks::Promise;
use super::history::History;
use super::load::Writing;
use super::power::Keeping;
use super::report::Report;
use super::scene::Scene;

/// The kill comes between these, counted from the first answers.
const AFTER: (Duration, Duration) = (Duration::ZERO, Duration::from_millis(500));
/// One kill in so many is followed by another while the broker recovers.
const AGAIN: u64 = 4;
/// After how many sends the clients stop, when all is over.
const ENOUGH: usize = 500;
/// Rolls all the time.
const ROLLING: &str = "segment.bytes=1048576";
/// And removes what it has rolled, and renames and removes the folders of deleted topics.
const EXPIRING: &str = "segment.bytes=1048576,retention.bytes=2097152,file.delete.delay.ms=100";
/// So many of the longest records are less than `retention.bytes`.
const KEPT: i64 = 900;
const OFTEN: &[(&str, &str)] =
    &[("log.retention.check.interval.ms", "100"), ("log.segment.delete.delay.ms", "100")];

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub keeping: Keeping,
    pub seed: u64,
    pub kills: usize,
    /// Whether retention is at work as well.
    pub expiring: bool,
}

/// Does the run and judges it.
pub fn run(run: &Run) -> Result<Report, String> {
    let kind = run.keeping.broker();
    let expiring = if run.expiring { " expiring" } else { "" };
    let title = format!("kill {}{expiring} {}", run.keeping.name(), run.seed);
    let mut settings = run.keeping.settings().to_vec();
    if run.expiring {
        settings.extend(OFTEN);
    }
    let mut scene = Scene::set((kind, &title), &settings, None, run.seed)?;
    let history = kills(&mut scene, run);
    scene.leave_traces();
    let history = history.map_err(|error| format!("{kind:?} {title}: {error}"))?;
    let promise = Promise { loss: None, kept: run.expiring.then_some(KEPT) };
    let mut report = Report::of(kind, &title, &history, &promise);
    report.fault = format!("killed {} times", run.kills);
    report.back_after = scene.back_after;
    Ok(report)
}

fn kills(scene: &mut Scene, run: &Run) -> Result<History, String> {
    let configs = if run.expiring { EXPIRING } else { ROLLING };
    let writing = Writing {
        partitions: 6,
        producers: 4,
        first: 0,
        rate: 500,
        size: 2_000,
        admin: true,
        configs,
    };
    let mut load = scene.load(writing);
    for _ in 0..run.kills {
        scene.random_moment(&mut load, AFTER)?;
        scene.broker.kill();
        if scene.seed.below(AGAIN) == 0 {
            scene.kill_while_starting();
        }
        scene.start_again();
    }
    if !load.goes_on(ENOUGH) {
        return Err("nothing is acknowledged after the last kill".to_owned());
    }
    let mut history = History::default();
    history.add_load(&load.finish()?);
    scene.read_into(&mut history)?;
    Ok(history)
}
