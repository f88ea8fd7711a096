//! Log lines: text or JSON on stderr, with levels that change while the process runs.
//!
//! Started by `cli/` once. The handle is Kafka's broker loggers: a level for `root`, and levels
//! for single modules, which `IncrementalAlterConfigs` sets. They are written with dots
//! (`gofka_server.net`), since Kafka's tools take no colons.

mod one_line;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use one_line::{OneLine, Spelling};
use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

/// The logger that stands for all that have no level of their own.
pub const ROOT: &str = "root";

/// Modules that can have a level of their own, with everything inside them.
pub const LOGGERS: &[&str] = &[
    ROOT,
    "gofka_core",
    "gofka_raft",
    "gofka_server",
    "gofka_server.api",
    "gofka_server.coordinator",
    "gofka_server.net",
    "gofka_server.partition",
    "gofka_storage",
    "openraft",
];

/// Lines that are said whatever the level: that the broker serves, or why it does not.
const ALWAYS: (&str, LevelFilter) = ("startup", LevelFilter::INFO);

/// openraft tells every step at these levels; only its warnings are for a person.
const QUIET: (&str, LevelFilter) = ("openraft", LevelFilter::WARN);

/// The levels in force, and the way to change them. Clones speak of the same.
#[derive(Clone)]
pub struct Logging {
    levels: Arc<Mutex<BTreeMap<&'static str, LevelFilter>>>,
    start_level: LevelFilter,
    handle: Option<reload::Handle<Targets, Registry>>,
    is_json: bool,
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging").field("levels", &self.levels).finish_non_exhaustive()
    }
}

impl Logging {
    /// Sends log lines of `level` and above to stderr from now on; `encoding` is text or json.
    /// Both have been checked with the settings.
    pub fn start(level: &str, encoding: &str) -> Self {
        let logging = Self::silent(level);
        let (filter, handle) = reload::Layer::new(logging.targets());
        let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let spelling = match encoding {
            "json" => Spelling::Json,
            _ if ansi => Spelling::Colours,
            _ => Spelling::Text,
        };
        let writer = move || OneLine::new(std::io::stderr(), spelling);
        let lines = tracing_subscriber::fmt::layer().with_writer(writer);
        let lines = match encoding {
            "json" => lines.json().flatten_event(true).boxed(),
            _ => lines.with_ansi(ansi).boxed(),
        };
        // A second subscriber in one process is a test's; the first stays.
        let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
        Self { handle: Some(handle), is_json: encoding == "json", ..logging }
    }

    /// Levels without lines, for tests.
    pub fn silent(level: &str) -> Self {
        let start_level = level.parse().unwrap_or(LevelFilter::INFO);
        let levels = BTreeMap::from([(ROOT, start_level)]);
        Self { levels: Arc::new(Mutex::new(levels)), start_level, handle: None, is_json: false }
    }

    /// Says that the broker serves: a line for a person on stdout, or one more line of JSON.
    pub fn announce(&self, line: &str) {
        if self.is_json {
            tracing::info!(target: ALWAYS.0, "{line}");
        } else {
            println!("{line}");
        }
    }

    /// Says why the process ends: a line for a person on stderr, or one more line of JSON.
    pub fn give_up(&self, why: &str) {
        if self.is_json {
            tracing::error!(target: ALWAYS.0, "{why}");
        } else {
            eprintln!("gofka: {why}");
        }
    }

    /// The levels that can be set, as Kafka spells them.
    pub const LEVELS: [&'static str; 6] = ["DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"];

    /// Every logger with the level in force, in Kafka's spelling.
    pub fn levels(&self) -> BTreeMap<&'static str, String> {
        let levels = self.levels.lock();
        LOGGERS.iter().map(|logger| (*logger, spell(in_force(&levels, logger)))).collect()
    }

    /// Whether `logger` can have a level.
    pub fn knows(logger: &str) -> bool {
        LOGGERS.contains(&logger)
    }

    /// Gives `logger` a level of its own, or takes it away; then its parent's holds, and for
    /// `root` the one that the process was started with.
    pub fn set(&self, logger: &str, level: Option<&str>) -> Result<(), String> {
        let known = LOGGERS.iter().find(|known| **known == logger);
        let Some(known) = known else { return Err(format!("there is no logger {logger}")) };
        let level = match level {
            Some(text) => Some(parse(text).ok_or_else(|| format!("{text} is no level"))?),
            None if logger == ROOT => Some(self.start_level),
            None => None,
        };
        let mut levels = self.levels.lock();
        match level {
            Some(level) => levels.insert(*known, level),
            None => levels.remove(known),
        };
        drop(levels);
        if let Some(handle) = &self.handle {
            handle.reload(self.targets()).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn targets(&self) -> Targets {
        let levels = self.levels.lock();
        let own = levels.iter().filter(|(logger, _)| **logger != ROOT);
        let quiet = (!levels.contains_key(QUIET.0)).then_some(QUIET);
        Targets::new()
            .with_default(levels[ROOT])
            .with_target(ALWAYS.0, ALWAYS.1)
            .with_targets(quiet)
            .with_targets(own.map(|(logger, level)| (logger.replace('.', "::"), *level)))
    }
}

fn in_force(levels: &BTreeMap<&'static str, LevelFilter>, logger: &str) -> LevelFilter {
    let mut name = logger;
    loop {
        if let Some(level) = levels.get(name) {
            return *level;
        }
        match name.rsplit_once('.') {
            Some((parent, _)) => name = parent,
            None if name == QUIET.0 => return QUIET.1.min(levels[ROOT]),
            None => return levels[ROOT],
        }
    }
}

/// Kafka's `FATAL` counts as `ERROR`.
fn parse(level: &str) -> Option<LevelFilter> {
    match level.to_ascii_uppercase().as_str() {
        "FATAL" => Some(LevelFilter::ERROR),
        other => other.parse().ok().filter(|_| other.parse::<u8>().is_err()),
    }
}

fn spell(level: LevelFilter) -> String {
    level.to_string().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logger_without_a_level_has_its_parents() {
        let logging = Logging::silent("info");
        logging.set("gofka_server", Some("debug")).unwrap();
        let levels = logging.levels();
        assert_eq!(levels[ROOT], "INFO");
        assert_eq!(levels["gofka_server.net"], "DEBUG");
        assert_eq!(levels["gofka_storage"], "INFO");
        assert_eq!(levels["openraft"], "WARN");
    }

    #[test]
    fn a_level_reaches_the_lines_of_its_module() {
        let logging = Logging::silent("info");
        logging.set("gofka_server.net", Some("debug")).unwrap();
        let targets = logging.targets();
        assert!(targets.would_enable("gofka_server::net::listener", &tracing::Level::DEBUG));
        assert!(!targets.would_enable("gofka_server::api", &tracing::Level::DEBUG));
    }

    #[test]
    fn taking_a_level_away_brings_back_what_was() {
        let logging = Logging::silent("warn");
        logging.set(ROOT, Some("TRACE")).unwrap();
        logging.set(ROOT, None).unwrap();
        assert_eq!(logging.levels()[ROOT], "WARN");
    }

    #[test]
    fn what_is_no_logger_or_level_is_refused() {
        let logging = Logging::silent("info");
        assert!(logging.set("kafka.server", Some("INFO")).is_err());
        assert!(logging.set(ROOT, Some("LOUD")).is_err());
        assert!(Logging::LEVELS.iter().all(|level| logging.set(ROOT, Some(level)).is_ok()));
    }
}
