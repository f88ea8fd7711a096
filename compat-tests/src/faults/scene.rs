//! A broker that faults happen to, perhaps on a disk of its own, and the traces of the run.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io};

use super::disk::{Cut, Disk, Plug};
use super::history::{History, Nanos};
use super::load::{Load, Writing, read_everything};
use super::seed::Seed;
use crate::broker::{Broker, Kind};
use crate::paths;
use crate::process::eventually;

/// How many sends are acknowledged after a fault before the next may come.
const BETWEEN: usize = 500;
/// A start that is ended in its midst is ended before this.
const START: Duration = Duration::from_millis(120);

/// The broker and what is around it.
#[derive(Debug)]
pub(super) struct Scene {
    // Unmounted before the broker's folder is removed.
    disk: Option<Disk>,
    pub(super) broker: Broker,
    pub(super) seed: Seed,
    traces: PathBuf,
    /// When the broker ran without power: from just before it went, until it is started again,
    /// and all answers are there.
    powerless: Vec<(Nanos, Nanos)>,
    /// How long the broker took until it answered again, at most.
    pub(super) back_after: Duration,
}

impl Scene {
    /// Starts a broker, on a disk of so many bytes or in a temporary folder.
    pub(super) fn set(
        (kind, title): (Kind, &str),
        settings: &[(&str, &str)],
        disk_bytes: Option<u64>,
        seed: u64,
    ) -> Result<Self, String> {
        let traces = traces(kind, title).map_err(|error| error.to_string())?;
        let broker = Broker::prepare(kind, settings);
        let disk = disk_bytes.map(|bytes| Disk::below(&broker, bytes)).transpose();
        let disk = disk.map_err(|error| error.to_string())?;
        let seed = Seed::new(seed);
        let mut scene =
            Self { disk, broker, seed, traces, powerless: Vec::new(), back_after: Duration::ZERO };
        scene.broker.resume();
        Ok(scene)
    }

    fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("a run with a disk")
    }

    pub(super) fn disk_path(&self) -> &Path {
        self.disk().path()
    }

    /// Starts clients whose first producer has this number; no other load of the run has it.
    pub(super) fn load(&self, writing: Writing) -> Load {
        Load::start(&self.broker, writing, &self.traces.join(format!("load-{}", writing.first)))
    }

    /// Waits until producers are answered, and then for a random time.
    pub(super) fn random_moment(
        &mut self,
        load: &mut Load,
        (least, most): (Duration, Duration),
    ) -> Result<Duration, String> {
        if !load.goes_on(BETWEEN) {
            return Err(format!("nothing is acknowledged:\n{}", self.broker.output()));
        }
        let moment = self.seed.between(least, most);
        eventually(moment, || false);
        Ok(moment)
    }

    /// Takes the power at a random moment; the broker ends with it.
    pub(super) fn cut(
        &mut self,
        load: &mut Load,
        after: (Duration, Duration),
    ) -> Result<(Cut, Duration), String> {
        let plug = Plug::of(self.disk()).map_err(|error| error.to_string())?;
        let moment = self.random_moment(load, after)?;
        let cut = self.pull(plug)?;
        Ok((cut, moment))
    }

    /// Takes the power now.
    pub(super) fn cut_now(&mut self) -> Result<(), String> {
        let plug = Plug::of(self.disk()).map_err(|error| error.to_string())?;
        self.pull(plug).map(|_| ())
    }

    fn pull(&mut self, plug: Plug) -> Result<Cut, String> {
        let cut = plug.pull().map_err(|error| error.to_string())?;
        self.broker.kill();
        // Until the power returns.
        self.powerless.push((cut.before, Nanos::MAX));
        Ok(cut)
    }

    /// What a machine finds on its disk after it lost its power.
    pub(super) fn power_returns(&mut self) -> Result<(), String> {
        self.disk().remount().map_err(|error| error.to_string())?;
        if let Some((_, until)) = self.powerless.last_mut() {
            *until = now();
        }
        Ok(())
    }

    /// Starts the broker and takes the power while it recovers.
    pub(super) fn cut_while_starting(&mut self) -> Result<(), String> {
        let plug = Plug::of(self.disk()).map_err(|error| error.to_string())?;
        self.launch_for_a_moment();
        self.pull(plug)?;
        self.power_returns()
    }

    /// Starts the broker and kills it while it recovers.
    pub(super) fn kill_while_starting(&mut self) {
        self.launch_for_a_moment();
        self.broker.kill();
    }

    fn launch_for_a_moment(&mut self) {
        self.broker.launch();
        let moment = self.seed.between(Duration::ZERO, START);
        eventually(moment, || false);
    }

    /// Starts the broker and waits until it answers.
    pub(super) fn start_again(&mut self) {
        let begin = Instant::now();
        self.broker.resume();
        self.back_after = self.back_after.max(begin.elapsed());
    }

    /// Adds what clients were told, as far as a broker with power told it.
    pub(super) fn add_load(&self, history: &mut History, lines: &Path) {
        history.add_load(lines);
        for (from, to) in &self.powerless {
            history.forget_between(*from, *to);
        }
    }

    /// Reads everything that there is.
    pub(super) fn read_into(&self, history: &mut History) -> Result<(), String> {
        let lines = self.traces.join(format!("read-{}", history.readings.len()));
        read_everything(&self.broker, &lines)?;
        history.add_reading(&lines);
        Ok(())
    }

    pub(super) fn leave_traces(&self) {
        fs::write(self.traces.join("broker"), self.broker.output()).ok();
    }
}

fn now() -> Nanos {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as Nanos)
}

/// An empty folder for the traces of a run; they stay until the next run of that name.
fn traces(kind: Kind, title: &str) -> io::Result<PathBuf> {
    let name = format!("{kind:?} {title}").to_lowercase().replace(' ', "-");
    let dir = paths::target().join("faults").join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    Ok(dir)
}
