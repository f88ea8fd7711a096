//! `cargo xtask micro`: how long the parts of a request take, and how many instructions.
//!
//! The operations are those of `gofka-server/benches/micro`. Their time is measured by that
//! program itself, with divan, whose table is read here. Their instructions are counted by
//! valgrind's callgrind, which runs the program once for each: it collects only inside the one
//! function that repeats the operation, so that neither what is prepared nor other threads count.

use std::path::Path;
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::Value;

use crate::document::{self, Place};
use crate::root;

/// How often an operation is done while its instructions are counted: what is done at every
/// hundredth time only, such as an entry of an index, has its share.
const TIMES: u64 = 1000;

/// The function that `gofka-server/benches/micro/main.rs` repeats an operation in.
const COUNTED: &str = "--toggle-collect=*run_counted*";

/// Has libc fill and copy large buffers with vectors. callgrind takes each byte that a `rep stosb`
/// or `rep movsb` writes for an instruction: a MiB of zeros would be a million.
const LIBC: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.cpu.x86_rep_stosb_threshold=1073741824:glibc.cpu.x86_rep_movsb_threshold=1073741824",
);

const HEAD: &str = "\
| | ns each time | instructions | bytes | GB/s |
|---|---|---|---|---|
";

#[derive(Args)]
pub(crate) struct Options {
    /// Operations whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// Put the result into docs/performance.md
    #[arg(long)]
    write: bool,
}

/// A row of the table.
#[derive(Debug)]
struct Operation {
    name: String,
    /// That go by each time; 0 where their number says nothing.
    bytes: u64,
}

/// Nanoseconds each time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Time {
    fastest: f64,
    slowest: f64,
    median: f64,
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let valgrind = output(Command::new("valgrind").arg("--version"));
    valgrind.map_err(|cause| format!("{cause}\ninstall it: apt-get install valgrind"))?;
    let program = build()?;
    let listed = output(Command::new(&program).arg("--operations"))?;
    let mut operations: Vec<Operation> = listed.lines().filter_map(operation).collect();
    operations.retain(|operation| operation.name.contains(&options.only));
    if operations.is_empty() {
        let only = &options.only;
        return Err(format!("no operation has {only:?} in its name; there are\n{listed}"));
    }
    eprintln!("== times");
    let times = output(Command::new(&program).args(["--bench", &options.only]))?;
    let mut table = HEAD.to_owned();
    for operation in &operations {
        eprintln!("== instructions: {}", operation.name);
        let time = time(&times, &operation.name)
            .ok_or_else(|| format!("no time for {} in\n{times}", operation.name))?;
        table += &line(operation, time, instructions(&program, operation)?);
    }
    let only = match options.only.as_str() {
        "" => String::new(),
        only => format!(" --only {only:?}"),
    };
    let text = format!("{}\n\n{table}", document::describe(&format!("cargo xtask micro{only}")));
    println!("{text}");
    if options.write { document::write(Place::Micro, &text) } else { Ok(()) }
}

/// Builds the program as a release is built, and tells where it is.
fn build() -> Result<String, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["bench", "-p", "gofka-server", "--bench", "micro", "--no-run"];
    let mut command = Command::new(cargo);
    command.args(arguments).arg("--message-format=json-render-diagnostics");
    let messages = output(&mut command)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| {
        let is_ours = message["target"]["name"] == "micro";
        message["executable"].as_str().filter(|_| is_ours).map(str::to_owned)
    });
    programs.next_back().ok_or_else(|| "cargo has not named the benchmark".to_owned())
}

/// What `command` prints; what it complains of is seen.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.current_dir(root()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|cause| format!("{}: {cause}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `BYTES`, a tabulator, `NAME`.
fn operation(line: &str) -> Option<Operation> {
    let (bytes, name) = line.split_once('\t')?;
    Some(Operation { name: name.to_owned(), bytes: bytes.parse().ok()? })
}

/// What divan's table says of `name`: the fastest and the slowest sample, the median.
fn time(table: &str, name: &str) -> Option<Time> {
    let row = table.lines().find_map(|line| {
        let (_, rest) = line.split_once("─ ")?;
        rest.strip_prefix(name).filter(|rest| rest.starts_with("  "))
    })?;
    let mut cells = row.split('│').map(nanoseconds);
    let (fastest, slowest, median) = (cells.next()??, cells.next()??, cells.next()??);
    Some(Time { fastest, slowest, median })
}

/// `1.5 µs` is 1500.
fn nanoseconds(cell: &str) -> Option<f64> {
    let mut words = cell.split_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let unit = match words.next()? {
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some(number * unit)
}

/// Instructions each time.
fn instructions(program: &str, operation: &Operation) -> Result<u64, String> {
    let counts = Path::new(program).with_file_name("micro.callgrind");
    let mut command = Command::new("valgrind");
    command.env(LIBC.0, LIBC.1).args(["--tool=callgrind", "--quiet", COUNTED]);
    command.arg(format!("--callgrind-out-file={}", counts.display()));
    command.args([program, "--count", &operation.name, &TIMES.to_string()]);
    output(&mut command)?;
    let text = std::fs::read_to_string(&counts)
        .map_err(|cause| format!("{}: {cause}", counts.display()))?;
    match total(&text) {
        Some(total) if total > 0 => Ok(total / TIMES),
        _ => Err(format!("{}: nothing was counted in `run_counted`", operation.name)),
    }
}

/// The sum in a file of callgrind's.
fn total(counts: &str) -> Option<u64> {
    counts.lines().find_map(|line| line.strip_prefix("totals:")?.trim().parse().ok())
}

fn line(operation: &Operation, time: Time, instructions: u64) -> String {
    let Operation { name, bytes } = operation;
    let Time { fastest, slowest, median } = time;
    let (bytes, rate) = match bytes {
        0 => ("-".to_owned(), "-".to_owned()),
        bytes => (bytes.to_string(), format!("{:.2}", *bytes as f64 / median)),
    };
    let times = format!("{median:.0} ({fastest:.0}-{slowest:.0})");
    format!("| {name} | {times} | {instructions} | {bytes} | {rate} |\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
micro                           fastest       │ slowest       │ median        │ samples
╰─ time                                       │               │               │
   ├─ append one record         2.139 µs      │ 51.87 µs      │ 2.5 µs        │ 200
   ╰─ append one record, again  99.1 ns       │ 1.2 ms        │ 102.4 ns      │ 200
";

    #[test]
    fn times_are_read_from_divans_table() {
        let first = Time { fastest: 2139.0, slowest: 51870.0, median: 2500.0 };
        assert_eq!(time(TABLE, "append one record"), Some(first));
        let second = Time { fastest: 99.1, slowest: 1_200_000.0, median: 102.4 };
        assert_eq!(time(TABLE, "append one record, again"), Some(second));
        assert_eq!(time(TABLE, "append"), None);
    }

    #[test]
    fn a_line_has_a_rate_where_bytes_go_by() {
        let time = Time { fastest: 9.0, slowest: 30.5, median: 10.0 };
        let of = |bytes| line(&Operation { name: "a".into(), bytes }, time, 7);
        assert_eq!(of(25), "| a | 10 (9-30) | 7 | 25 | 2.50 |\n");
        assert_eq!(of(0), "| a | 10 (9-30) | 7 | - | - |\n");
    }

    #[test]
    fn the_sum_is_found_in_callgrinds_file() {
        assert_eq!(total("events: Ir\nfn=(1) a\n3 4\n\ntotals: 123456\n"), Some(123_456));
        assert_eq!(total("events: Ir\n"), None);
    }
}
