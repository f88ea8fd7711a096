//! A client program under the clock: `compat-tests/clients/bench/load.py` or
//! `compat-tests/clients/go/bench`.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use compat_tests::{paths, setup};

/// A running load; its process ends with it.
pub(super) struct Load {
    child: Child,
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
        let mut child = program
            .args([name, "--bootstrap", bootstrap])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|cause| {
                let program = program.get_program().display();
                format!("{program}: {cause}; `cargo run -p compat-tests --bin setup` installs it")
            })?;
        let output = child.stdout.take().map(BufReader::new).ok_or("no output")?;
        Ok(Self { child, output })
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
        drop(self.child.stdin.take());
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
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}
