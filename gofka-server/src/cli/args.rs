//! Command lines as the flag packages of Go take them: `-x` or `--x`, `=` or a space.
//!
//! Called by `cli/mod.rs` before clap sees the arguments.

/// Flags that stand alone: `--bootstrap`, or `--bootstrap=false`.
const SWITCHES: &[&str] = &["bootstrap"];

/// Arguments as clap wants them: long flags with two dashes, a setting's own name as a flag
/// (`--num.partitions=3`) turned into `--set`. `declared` says which flags clap knows, `is_setting`
/// which other names are settings; a name with a dot is taken for one that is wrong.
pub(super) fn normalise(
    arguments: impl Iterator<Item = String>,
    declared: impl Fn(&str) -> bool,
    is_setting: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut arguments = arguments.peekable();
    let mut normal: Vec<String> = arguments.next().into_iter().collect();
    while let Some(argument) = arguments.next() {
        let dashes = argument.len() - argument.trim_start_matches('-').len();
        let (name, value) = match argument[dashes.min(2)..].split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&argument[dashes.min(2)..], None),
        };
        let is_flag = (dashes == 1 && name.len() > 1) || (dashes == 2 && !name.is_empty());
        if !is_flag {
            normal.push(argument);
            continue;
        }
        let takes_next = value.is_none() && !SWITCHES.contains(&name);
        if declared(name) {
            normal.push(format!("--{}", &argument[dashes..]));
            if takes_next && !matches!(name, "help" | "version") {
                // The next argument is the value, whatever it begins with: `--log.dir -x`.
                if let Some(next) = arguments.next() {
                    let flag = normal.pop().expect("pushed above");
                    normal.push(format!("{flag}={next}"));
                }
            }
        } else if name.contains('.') || is_setting(name) {
            let value = match value {
                Some(value) => value.to_owned(),
                None => arguments.next().unwrap_or_default(),
            };
            normal.push(format!("--set={name}={value}"));
        } else {
            normal.push(format!("--{}", &argument[dashes..]));
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_flag() {
        let declared =
            |name: &str| matches!(name, "node.id" | "bootstrap" | "peers" | "help" | "override");
        let cases: &[(&str, &[&str])] = &[
            ("gofka", &[]),
            ("gofka -node.id=b1", &["--node.id=b1"]),
            ("gofka --node.id b1 -peers a:1", &["--node.id=b1", "--peers=a:1"]),
            ("gofka -node.id -1", &["--node.id=-1"]),
            ("gofka -bootstrap --node.id=1", &["--bootstrap", "--node.id=1"]),
            ("gofka --bootstrap=false", &["--bootstrap=false"]),
            ("gofka -h --help", &["-h", "--help"]),
            ("gofka --num.partitions=3", &["--set=num.partitions=3"]),
            ("gofka -num.partitions 3 x", &["--set=num.partitions=3", "x"]),
            ("gofka --wrong=1 -", &["--wrong=1", "-"]),
            ("gofka --node.id", &["--node.id"]),
            ("gofka -listeners A://:1", &["--set=listeners=A://:1"]),
            ("gofka --override a=1 f", &["--override=a=1", "f"]),
        ];
        for (line, expected) in cases {
            let found =
                normalise(line.split(' ').map(str::to_owned), declared, |n| n == "listeners");
            assert_eq!(found[1..], **expected, "{line}");
        }
    }
}
