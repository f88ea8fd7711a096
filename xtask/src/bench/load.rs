//! A client program under the clock: `compat-tests/clients/bench/load.py` or
//! `compat-tests/clients/go/bench`.

use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use compat_tests::process::Process;
use compat_tests::{paths, setup};

/// How long a load has to end by itself.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A running load; its process ends with it.
pub(super) struct Load {
    process: Process,
    output: BufReader<ChildStdout>,
}

impl Load {
    /// A load in Python.
    pub(super) fn spawn(name: &str, bootstrap: &str, more: &[&str]) -> Result<Self, String> {
        let script = paths::clients().join("bench/load.py");
        Self::run(Command::new(setup::python()).arg(script), name, bootstrap, more)
    }

    /// A load in Go.
    pub(super) fn spawn_go(name: &str, bootstrap: &str, more: &[&str]) -> Result<Self, String> {
        Self::run(&mut Command::new(setup::go_bench()), name, bootstrap, more)
    }

    fn run(
        program: &mut Command,
        name: &str,
        bootstrap: &str,
        more: &[&str],
    ) -> Result<Self, String> {
        program.args([name, "--bootstrap", bootstrap]).args(more);
        program.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::spawn(program, None).map_err(|cause| {
            let program = program.get_program().display();
            format!("{program}: {cause}; `cargo run -p compat-tests --bin setup` installs it")
        })?;
        let output = process.child().stdout.take().map(BufReader::new).ok_or("no output")?;
        Ok(Self { process, output })
    }

    /// The next line it prints.
    pub(super) fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|cause| format!("load: {cause}"))?;
        if line.is_empty() { Err("the load ended without a result".to_owned()) } else { Ok(line) }
    }

    /// The line of JSON that it prints.
    pub(super) fn seen(&mut self) -> Result<Seen, String> {
        let line = self.line()?;
        let fields = serde_json::from_str(&line).map_err(|cause| format!("{line}: {cause}"))?;
        Ok(Seen(fields))
    }

    /// Tells a load that goes on until then to end.
    pub(super) fn end(&mut self) -> Result<Seen, String> {
        drop(self.process.child().stdin.take());
        self.seen()
    }
}

/// What a load has seen.
pub(super) struct Seen(serde_json::Value);

impl Seen {
    /// The number called `name`.
    pub(super) fn number(&self, name: &str) -> Result<f64, String> {
        self.0[name].as_f64().ok_or_else(|| format!("{}: no {name}", self.0))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Closing its input lets a load that holds something end by itself.
        drop(self.process.child().stdin.take());
        self.process.wait(END_LIMIT);
    }
}
