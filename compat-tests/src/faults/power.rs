//! Power that is lost under load, once or several times, and what is there afterwards.
//!
//! A broker that waits for the disk is written to through the power losses by the same clients,
//! which send again what was not answered. One that does not wait may lose what it acknowledged,
//! and a client that went on would hide that: its clients end with the power.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::checks::{Loss, Promise};
use super::disk::{Cut, Disk, Plug};
use super::history::History;
use super::load::{Load, Writing, read_everything};
use super::report::{Report, traces};
use super::seed::Seed;
use crate::broker::{Broker, Kind};
use crate::process::eventually;

const DISK_BYTES: u64 = 2 << 30;
/// How many sends are acknowledged after a fault before the next may come.
const BETWEEN: usize = 500;
/// The default of `log.flush.interval.ms`: how much `page-cache` may lose, by the documentation.
const WINDOW: Duration = Duration::from_secs(1);
/// How long the sync itself, and an answer on its way, may take on a busy machine.
const SLACK: Duration = Duration::from_secs(4);
/// Small segments, so that files are made, synced and named all the time.
const SEGMENTS: &str = "segment.bytes=1048576";

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

    fn broker(self) -> Kind {
        if self == Self::AsShipped { Kind::Kafka } else { Kind::Gofka }
    }

    fn may_lose(self) -> bool {
        matches!(self, Self::PageCache | Self::AsShipped)
    }
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub keeping: Keeping,
    pub seed: u64,
    /// How often the power goes. Once, where the broker may lose what it acknowledged.
    pub cuts: usize,
    /// The power goes at a random moment between these.
    pub after: (Duration, Duration),
}

/// Does the run and judges it.
pub fn run(run: &Run) -> Result<Report, String> {
    let title = format!("power {} {}", run.keeping.name(), run.seed);
    let kind = run.keeping.broker();
    let mut scene = Scene::set(kind, run, traces(kind, &title))?;
    let outcome = if run.keeping.may_lose() { scene.lossy() } else { scene.lossless(run) };
    scene.leave_traces();
    let (history, promise) = outcome.map_err(|error| format!("{title}: {error}"))?;
    let mut report = Report::of(kind, &title, &history, &promise);
    let times: Vec<String> =
        scene.moments.iter().map(|at| format!("{:.1}", at.as_secs_f32())).collect();
    report.fault = format!("power lost after {} s", times.join(", "));
    report.back_after = scene.back_after;
    Ok(report)
}

/// A broker on its disk.
struct Scene {
    // Unmounted before the broker's folder is removed.
    disk: Disk,
    broker: Broker,
    traces: PathBuf,
    seed: Seed,
    after: (Duration, Duration),
    moments: Vec<Duration>,
    back_after: Duration,
}

impl Scene {
    fn set(kind: Kind, run: &Run, traces: PathBuf) -> Result<Self, String> {
        let settings: &[(&str, &str)] = match run.keeping {
            Keeping::AsShipped | Keeping::Auto => &[],
            Keeping::Fsync => &[("durability", "fsync")],
            Keeping::PageCache => &[("durability", "page-cache")],
        };
        let broker = Broker::prepare(kind, settings);
        let disk = Disk::below(&broker, DISK_BYTES).map_err(|error| error.to_string())?;
        let (seed, after) = (Seed::new(run.seed), run.after);
        let mut scene = Self {
            disk,
            broker,
            traces,
            seed,
            after,
            moments: Vec::new(),
            back_after: Duration::ZERO,
        };
        scene.broker.resume();
        Ok(scene)
    }

    /// The same clients write through all power losses.
    fn lossless(&mut self, run: &Run) -> Result<(History, Promise), String> {
        let mut load = Load::start(&self.broker, writing(0), &self.traces.join("load"));
        for _ in 0..run.cuts {
            self.cut(&mut load)?;
            self.start_again()?;
        }
        if !load.goes_on(BETWEEN) {
            return Err("nothing is acknowledged after the power loss".to_owned());
        }
        let lines = load.finish()?;
        let mut history = History::default();
        history.add_load(&lines);
        self.read_into(&mut history, "read")?;
        Ok((history, Promise::default()))
    }

    /// What is there is read before anybody writes again, and once more after that.
    fn lossy(&mut self) -> Result<(History, Promise), String> {
        let mut load = Load::start(&self.broker, writing(0), &self.traces.join("load"));
        let cut = self.cut(&mut load)?;
        let mut history = History::default();
        history.add_load(&load.kill());
        self.start_again()?;
        self.read_into(&mut history, "read")?;
        let ends = history.last().bounds.iter().map(|(partition, (_, end))| (*partition, *end));
        let window = (WINDOW + SLACK).as_nanos() as i64;
        let shipped = self.broker.kind() == Kind::Kafka;
        let acknowledged_since = if shipped { i64::MIN } else { cut.before - window };
        let promise = Promise {
            loss: Some(Loss { acknowledged_since, at: cut.after, ends: ends.collect() }),
            start_moves: false,
        };
        let mut load = Load::start(&self.broker, writing(100), &self.traces.join("load-2"));
        if !load.goes_on(BETWEEN) {
            return Err("nothing is acknowledged after the power loss".to_owned());
        }
        history.add_load(&load.finish()?);
        self.read_into(&mut history, "read-2")?;
        Ok((history, promise))
    }

    /// Takes the power at a random moment; the broker ends with it.
    fn cut(&mut self, load: &mut Load) -> Result<Cut, String> {
        if !load.goes_on(BETWEEN) {
            return Err("nothing is acknowledged before the power loss".to_owned());
        }
        let plug = Plug::of(&self.disk).map_err(|error| error.to_string())?;
        let moment = self.seed.between(self.after.0, self.after.1);
        eventually(moment, || false);
        let cut = plug.pull().map_err(|error| error.to_string())?;
        self.broker.kill();
        self.moments.push(moment);
        Ok(cut)
    }

    /// The machine is there again, with what the disk kept.
    fn start_again(&mut self) -> Result<(), String> {
        self.disk.remount().map_err(|error| error.to_string())?;
        let begin = Instant::now();
        self.broker.resume();
        self.back_after = self.back_after.max(begin.elapsed());
        Ok(())
    }

    fn read_into(&self, history: &mut History, name: &str) -> Result<(), String> {
        let lines = self.traces.join(name);
        read_everything(&self.broker, &lines)?;
        history.add_reading(&lines);
        Ok(())
    }

    fn leave_traces(&self) {
        fs::write(self.traces.join("broker"), self.broker.output()).ok();
    }
}

fn writing(first: usize) -> Writing {
    Writing { partitions: 6, producers: 4, first, rate: 500, size: 2_000, configs: SEGMENTS }
}
