//! Power that is lost under load, once or several times, and what is there afterwards.
//!
//! A broker that waits for the disk is written to through the power losses by the same clients,
//! which send again what was not answered. One that does not wait may lose what it acknowledged,
//! and a client that went on would hide that: its clients end with the power. So do those that
//! make topics again.

use std::time::Duration;

use super::checks::{Loss, Promise};
use super::history::History;
use super::load::Writing;
use super::report::Report;
use super::scene::Scene;
use super::topic::Topic;
use crate::broker::Kind;

const DISK_BYTES: u64 = 2 << 30;
/// The default of `log.flush.interval.ms`: how much `page-cache` may lose, by the documentation.
const WINDOW: Duration = Duration::from_secs(1);
/// How long the sync itself, and an answer on its way, may take on a busy machine.
const SLACK: Duration = Duration::from_secs(4);
/// What is written to all the time.
const TOPIC: &str = "load";
/// How long a broker goes on with one disk of two, after the first answers.
const AWAY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(1500));
/// The number of the first of those who write when everything is over.
const LATER: usize = 100;
/// After how many sends they stop.
const ENOUGH: usize = 500;

/// How a broker is asked to keep what it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    Auto,
    Fsync,
    PageCache,
    /// Apache Kafka as it is shipped, which leaves it to the kernel.
    AsShipped,
}

impl Keeping {
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Fsync => "fsync",
            Self::PageCache => "page-cache",
            Self::AsShipped => "as shipped",
        }
    }

    pub(super) fn broker(self) -> Kind {
        if self == Self::AsShipped { Kind::Kafka } else { Kind::Gofka }
    }

    fn may_lose(self) -> bool {
        matches!(self, Self::PageCache | Self::AsShipped)
    }

    pub(super) fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::AsShipped | Self::Auto => &[],
            Self::Fsync => &[("durability", "fsync")],
            Self::PageCache => &[("durability", "page-cache")],
        }
    }
}

/// What loses its power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disks {
    /// The one disk that there is.
    One,
    /// Two, with a log directory on each.
    Both,
    /// One of two, while the broker goes on with the other.
    Second,
}

impl Disks {
    fn name(self) -> &'static str {
        match self {
            Self::One => "",
            Self::Both => "both disks ",
            Self::Second => "second disk ",
        }
    }

    fn bytes(self) -> &'static [u64] {
        if self == Self::One { &[DISK_BYTES] } else { &[DISK_BYTES; 2] }
    }
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub keeping: Keeping,
    pub topic: Topic,
    pub disks: Disks,
    pub seed: u64,
    /// How often the power goes. Once, where the broker may lose what it acknowledged.
    pub cuts: usize,
    /// The power goes at a random moment between these, counted from the first answers.
    pub after: (Duration, Duration),
}

impl Run {
    /// Its name.
    pub fn title(&self) -> String {
        let Self { keeping, topic, disks, seed, .. } = self;
        format!("power {} {} {}{seed}", keeping.name(), topic.name(), disks.name())
    }

    /// Whether clients that go on would hide what was lost: what may be, and that of topics which
    /// they would make again.
    fn ends_with_power(&self) -> bool {
        self.keeping.may_lose() || self.topic == Topic::Again
    }
}

/// Does the run and judges it.
pub fn run(run: &Run) -> Result<Report, String> {
    let title = run.title();
    let kind = run.keeping.broker();
    let settings = [run.keeping.settings(), run.topic.settings()].concat();
    let mut scene = Scene::set((kind, &title), &settings, run.disks.bytes(), run.seed)?;
    let outcome = match run.disks {
        Disks::Second => one_of_two(&mut scene, run),
        _ if run.ends_with_power() => read_at_once(&mut scene, run),
        _ => lossless(&mut scene, run),
    };
    scene.leave_traces();
    let outcome = outcome.map_err(|error| format!("{kind:?} {title}: {error}"))?;
    let mut report = Report::of(kind, &title, &outcome.history, &outcome.promise);
    let moments = outcome.moments.iter().map(|at| format!("{:.1}", at.as_secs_f32()));
    report.fault = format!("power lost after {} s", moments.collect::<Vec<_>>().join(", "));
    report.back_after = scene.back_after;
    Ok(report)
}

struct Outcome {
    history: History,
    promise: Promise,
    /// When the power went, from when it was there and clients were answered.
    moments: Vec<Duration>,
}

/// The same clients write through all power losses. Every other one comes again at once, while
/// the broker recovers.
fn lossless(scene: &mut Scene, run: &Run) -> Result<Outcome, String> {
    let mut load = scene.load(run.topic.writing());
    let mut moments = Vec::new();
    for number in 0..run.cuts {
        let (_, moment) = scene.cut(&mut load, run.after)?;
        moments.push(moment);
        scene.power_returns()?;
        if number % 2 == 1 {
            scene.cut_while_starting()?;
        }
        scene.start_again();
    }
    if !load.goes_on(ENOUGH) {
        return Err("nothing is acknowledged after the power loss".to_owned());
    }
    let mut history = History::default();
    scene.add_load(&mut history, &load.finish()?);
    scene.read_into(&mut history)?;
    Ok(Outcome { history, promise: run.topic.promise(None), moments })
}

/// One disk fails under the broker, which goes on with the other, until it is killed. Only the
/// failed disk is mounted again.
fn one_of_two(scene: &mut Scene, run: &Run) -> Result<Outcome, String> {
    let mut load = scene.load(run.topic.writing());
    let (outage, moment) = scene.lose_second(&mut load, TOPIC, (run.after, AWAY))?;
    scene.power_returns()?;
    scene.start_again();
    if !load.goes_on(ENOUGH) {
        return Err("nothing is acknowledged after the disk is back".to_owned());
    }
    let mut history = History::default();
    scene.add_load(&mut history, &load.finish()?);
    scene.read_into(&mut history)?;
    let promise = Promise { outage: Some(outage), ..run.topic.promise(None) };
    Ok(Outcome { history, promise, moments: vec![moment] })
}

/// What is there is read before anybody writes again, and once more after that. Every other seed
/// leaves syncing to the broker's background alone.
fn read_at_once(scene: &mut Scene, run: &Run) -> Result<Outcome, String> {
    let admin = !run.keeping.may_lose() || run.seed.is_multiple_of(2);
    let mut load = scene.load(Writing { admin, ..run.topic.writing() });
    let (cut, moment) = scene.cut(&mut load, run.after)?;
    let mut history = History::default();
    scene.add_load(&mut history, &load.kill());
    scene.power_returns()?;
    scene.start_again();
    scene.read_into(&mut history)?;
    let ends = history.last().bounds.iter().map(|(partition, (_, end))| (*partition, *end));
    let (window, others) = run.topic.windows(WINDOW);
    let since = |window: Duration| match run.keeping.broker() {
        // It promises no window.
        Kind::Kafka => i64::MIN,
        // What is synced before it is acknowledged needs no time for it.
        Kind::Gofka if window.is_zero() => cut.before,
        Kind::Gofka => cut.before - (window + SLACK).as_nanos() as i64,
    };
    let loss = Loss {
        acknowledged_since: since(window),
        others_since: since(others),
        at: cut.after,
        ends: ends.collect(),
    };
    let promise = run.topic.promise(run.keeping.may_lose().then_some(loss));
    let mut load = scene.load(Writing { first: LATER, ..run.topic.writing() });
    if !load.goes_on(ENOUGH) {
        return Err("nothing is acknowledged after the power loss".to_owned());
    }
    scene.add_load(&mut history, &load.finish()?);
    scene.read_into(&mut history)?;
    Ok(Outcome { history, promise, moments: vec![moment] })
}
