//! A broker that faults happen to, perhaps on a disk of its own, and the traces of the run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io};

use super::checks::Outage;
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
    disks: Vec<Disk>,
    pub(super) broker: Broker,
    pub(super) seed: Seed,
    traces: PathBuf,
    /// When the broker ran without power: from just before it went, until it is started again,
    /// and all answers are there. The partitions, where it went from one disk alone.
    powerless: Vec<(Nanos, Nanos, Option<BTreeSet<i32>>)>,
    /// How long the broker took until it answered again, at most.
    pub(super) back_after: Duration,
}

impl Scene {
    /// Starts a broker with a disk of so many bytes for each of its log directories, or in a
    /// temporary folder.
    pub(super) fn set(
        (kind, title): (Kind, &str),
        settings: &[(&str, &str)],
        disk_bytes: &[u64],
        seed: u64,
    ) -> Result<Self, String> {
        let traces = traces(kind, title).map_err(|error| error.to_string())?;
        let mut broker = Broker::prepare(kind, settings);
        let mut disks = Vec::new();
        for bytes in disk_bytes {
            let make = if disks.is_empty() { Disk::below } else { Disk::beside };
            disks.push(make(&broker, *bytes).map_err(|error| error.to_string())?);
        }
        if let [first, second] = &disks[..] {
            let dirs = format!("{},{}", first.path().display(), second.path().display());
            broker.set("log.dirs", &dirs);
        }
        let seed = Seed::new(seed);
        let mut scene =
            Self { disks, broker, seed, traces, powerless: Vec::new(), back_after: Duration::ZERO };
        scene.broker.resume();
        Ok(scene)
    }

    pub(super) fn disk_path(&self) -> &Path {
        self.disks.first().expect("a run with a disk").path()
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
        let plugs = self.plugs()?;
        let moment = self.random_moment(load, after)?;
        let cut = self.pull(plugs)?;
        Ok((cut, moment))
    }

    /// Takes the power now.
    pub(super) fn cut_now(&mut self) -> Result<(), String> {
        let plugs = self.plugs()?;
        self.pull(plugs).map(|_| ())
    }

    fn plugs(&self) -> Result<Vec<Plug>, String> {
        let plugs = self.disks.iter().map(Plug::of);
        plugs.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    /// Takes the power from all disks, one right after the other.
    fn pull(&mut self, plugs: Vec<Plug>) -> Result<Cut, String> {
        let mut whole: Option<Cut> = None;
        for plug in plugs {
            let cut = plug.pull().map_err(|error| error.to_string())?;
            let before = whole.map_or(cut.before, |whole| whole.before);
            whole = Some(Cut { before, after: cut.after });
        }
        self.broker.kill();
        let cut = whole.ok_or("a run without a disk")?;
        // Until the power returns.
        self.powerless.push((cut.before, Nanos::MAX, None));
        Ok(cut)
    }

    /// Takes the power from the second disk alone, at a random moment, and lets the broker go on
    /// until producers are answered again, and for that time `away`. Then the broker is killed.
    pub(super) fn lose_second(
        &mut self,
        load: &mut Load,
        topic: &str,
        (after, away): ((Duration, Duration), (Duration, Duration)),
    ) -> Result<(Outage, Duration), String> {
        let plug = self.disks.get(1).map(Plug::of).ok_or("a run with one disk")?;
        let plug = plug.map_err(|error| error.to_string())?;
        let moment = self.random_moment(load, after)?;
        let lost = self.disks[1].partitions_of(topic);
        let cut = plug.pull().map_err(|error| error.to_string())?;
        self.powerless.push((cut.before, Nanos::MAX, Some(lost.clone())));
        self.random_moment(load, away)?;
        let to = now();
        self.broker.kill();
        Ok((Outage { from: cut.after, to, lost }, moment))
    }

    /// What a machine finds on its disks after it lost its power.
    pub(super) fn power_returns(&mut self) -> Result<(), String> {
        let Some((_, until, lost)) = self.powerless.last_mut() else { return Ok(()) };
        let first = usize::from(lost.is_some());
        let remounted = self.disks[first..].iter().try_for_each(Disk::remount);
        remounted.map_err(|error| error.to_string())?;
        *until = now();
        Ok(())
    }

    /// Starts the broker and takes the power while it recovers.
    pub(super) fn cut_while_starting(&mut self) -> Result<(), String> {
        let plugs = self.plugs()?;
        self.launch_for_a_moment();
        self.pull(plugs)?;
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
        for (from, to, lost) in &self.powerless {
            history.forget_between(*from, *to, lost.as_ref());
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
