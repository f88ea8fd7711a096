//! A broker that is killed again and again while the same clients write: nothing that it
//! acknowledged is lost in any durability mode, since the kernel still has the pages.

use std::time::Duration;

use super::history::History;
use super::power::Keeping;
use super::report::Report;
use super::scene::Scene;
use super::topic::Topic;

/// The kill comes between these, counted from the first answers.
const AFTER: (Duration, Duration) = (Duration::ZERO, Duration::from_millis(500));
/// One kill in so many is followed by another while the broker recovers.
const AGAIN: u64 = 4;
/// After how many sends the clients stop, when all is over.
const ENOUGH: usize = 500;

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub keeping: Keeping,
    pub seed: u64,
    pub kills: usize,
    pub topic: Topic,
}

impl Run {
    /// Its name.
    pub fn title(&self) -> String {
        format!("kill {} {} {}", self.keeping.name(), self.topic.name(), self.seed)
    }
}

/// Does the run and judges it.
pub fn run(run: &Run) -> Result<Report, String> {
    let kind = run.keeping.broker();
    let title = run.title();
    let settings = [run.keeping.settings(), run.topic.settings()].concat();
    let mut scene = Scene::set((kind, &title), &settings, &[], run.seed)?;
    let history = kills(&mut scene, run);
    scene.leave_traces();
    let history = history.map_err(|error| format!("{kind:?} {title}: {error}"))?;
    let mut report = Report::of(kind, &title, &history, &run.topic.promise(None));
    report.fault = format!("killed {} times", run.kills);
    report.back_after = scene.back_after;
    Ok(report)
}

fn kills(scene: &mut Scene, run: &Run) -> Result<History, String> {
    let mut load = scene.load(run.topic.writing());
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
    scene.add_load(&mut history, &load.finish()?);
    scene.read_into(&mut history)?;
    Ok(history)
}
