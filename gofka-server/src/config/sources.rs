//! Reads the layers that settings come from, weakest first: file, environment, flags.
//!
//! Called by `config/mod.rs` once, at start. Each layer becomes a flat map of Kafka's dotted keys
//! and knows what to call itself in a complaint.

use std::collections::BTreeMap;
use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use gofka_core::config::{broker_keys, nearest, unused_broker_names};

use super::properties;

/// What the names of environment variables begin with.
const PREFIX: &str = "GOFKA_";

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    /// What a complaint calls it, such as `the environment`.
    pub name: String,
    /// Its settings.
    pub settings: BTreeMap<String, String>,
}

/// A layer as figment merges it: keys stay whole, dots and all.
impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let entries = self.settings.iter().map(|(key, value)| (key.clone(), value.clone().into()));
        Ok(Profile::Default.collect(entries.collect()))
    }
}

/// The layers in one map, a later one winning.
pub(super) fn merge(layers: &[Layer]) -> BTreeMap<String, String> {
    let merged = layers.iter().fold(Figment::new(), |figment, layer| figment.merge(layer));
    merged.extract().expect("a layer holds only texts")
}

/// The settings of a file: TOML, or Kafka's properties.
pub(super) fn file(path: &Path) -> Result<Layer, String> {
    let name = format!("{}", path.display());
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("config file {name} cannot be read: {error}"))?;
    let settings = if is_properties(path, &text) {
        properties::parse(&text).into_iter().collect()
    } else {
        if let Err(error) = text.parse::<toml::Table>() {
            return Err(format!("config file {name}{}", in_one_line(&text, &error)));
        }
        toml(path).map_err(|error| format!("config file {name}: {error}"))?
    };
    Ok(Layer { name, settings })
}

/// By extension; a file that has neither is TOML when it reads as such.
fn is_properties(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("properties") => true,
        Some("toml") => false,
        _ => text.parse::<toml::Table>().is_err(),
    }
}

/// Where a file is no TOML, and why.
fn in_one_line(text: &str, error: &toml::de::Error) -> String {
    let why = error.message().replace('\n', "; ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!(", line {}: {why}", before.matches('\n').count() + 1),
        None => format!(": {why}"),
    }
}

fn toml(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let data = Toml::file_exact(path).data().map_err(|error| error.to_string())?;
    let mut flat = BTreeMap::new();
    for (key, value) in data.into_values().flatten() {
        flatten(&key, value, &mut flat)?;
    }
    Ok(flat)
}

/// Tables give their name and a dot to what is inside.
fn flatten(key: &str, value: Value, flat: &mut BTreeMap<String, String>) -> Result<(), String> {
    if let Value::Dict(_, entries) = value {
        for (inner, value) in entries {
            flatten(&format!("{key}.{inner}"), value, flat)?;
        }
        return Ok(());
    }
    let text = text(&value).ok_or_else(|| format!("{key} has a value that is no text"))?;
    match flat.insert(key.to_owned(), text) {
        Some(_) => Err(format!("{key} is given twice")),
        None => Ok(()),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, c) => Some(c.to_string()),
        Value::Bool(_, flag) => Some(flag.to_string()),
        Value::Num(_, number) => {
            let whole = number.to_i128().map(|n| n.to_string());
            let whole = whole.or_else(|| number.to_u128().map(|n| n.to_string()));
            whole.or_else(|| number.to_f64().map(|n| n.to_string()))
        }
        Value::Array(_, values) => {
            let texts: Option<Vec<String>> = values.iter().map(text).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Empty(..) | Value::Dict(..) => None,
    }
}

/// The variables of the environment that begin with `GOFKA_`: dots are written as underscores.
///
/// A variable that is no setting's is a problem when it looks like one. Others only earn a
/// warning: orchestrators put `GOFKA_PORT` and the like into every process beside a service.
pub(super) fn environment(
    variables: impl Iterator<Item = (String, String)>,
    problems: &mut Vec<String>,
    warnings: &mut Vec<String>,
) -> Layer {
    let names: BTreeMap<String, &'static str> = broker_keys()
        .map(|key| key.name)
        .chain(unused_broker_names())
        .map(|name| (variable(name), name))
        .collect();
    let mut settings = BTreeMap::new();
    for (variable, value) in variables.filter(|(variable, _)| variable.starts_with(PREFIX)) {
        if let Some(name) = names.get(variable.as_str()) {
            settings.insert((*name).to_owned(), value);
            continue;
        }
        let meant = variable[PREFIX.len()..].to_ascii_lowercase().replace('_', ".");
        match nearest(&meant, names.values().copied()) {
            Some(name) => problems.push(format!(
                "the environment's {variable} is no setting; did you mean {}?",
                self::variable(name)
            )),
            None => warnings.push(format!("the environment's {variable} is no setting")),
        }
    }
    Layer { name: "the environment".to_owned(), settings }
}

fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace(['.', '-'], "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str, text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn files_are_read_by_extension_or_content() {
        let toml =
            "\"log.dirs\" = [\"a\", \"b\"]\n[num]\npartitions = 3\n[log.retention]\nms = -1\n";
        let properties = "log.dirs=a,b\nnum.partitions=3\nlog.retention.ms=-1\n";
        let cases =
            [("x.toml", toml), ("x.properties", properties), ("x.conf", toml), ("x", properties)];
        for (name, text) in cases {
            let (_dir, path) = write(name, text);
            let layer = file(&path).unwrap();
            let expected =
                [("log.dirs", "a,b"), ("log.retention.ms", "-1"), ("num.partitions", "3")];
            let found: Vec<(&str, &str)> =
                layer.settings.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_missing_or_wrong_file_is_named() {
        let error = file(Path::new("no/such.toml")).unwrap_err();
        assert!(error.starts_with("config file no/such.toml cannot be read: "), "{error}");
        let (_dir, path) = write("x.toml", "a = \n");
        assert!(file(&path).unwrap_err().contains("x.toml, line 1: "));
        let (_dir, path) = write("x.toml", "a.b = 1\n[a]\nb = 2\n");
        let error = file(&path).unwrap_err();
        assert!(error.contains("x.toml, line 2: ") && error.lines().count() == 1, "{error}");
    }

    #[test]
    fn toml_values_become_kafkas_texts() {
        let (_dir, path) = write("x.toml", "a = true\nb = 0.5\nc = 9223372036854775807\nd = ''\n");
        let settings = file(&path).unwrap().settings;
        let values: Vec<&str> = settings.values().map(String::as_str).collect();
        assert_eq!(values, ["true", "0.5", "9223372036854775807", ""]);
    }

    #[test]
    fn the_environment_names_settings_with_underscores() {
        let variables = [
            ("GOFKA_NUM_PARTITIONS", "3"),
            ("GOFKA_DURABILITY", "fsync"),
            ("GOFKA_NUM_PARTITION", "4"),
            ("GOFKA_SERVICE_PORT_KAFKA", "9092"),
            ("PATH", "/bin"),
        ];
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let variables = variables.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned()));
        let layer = environment(variables, &mut problems, &mut warnings);
        let names: Vec<&str> = layer.settings.keys().map(String::as_str).collect();
        assert_eq!(names, ["durability", "num.partitions"]);
        let problem = "the environment's GOFKA_NUM_PARTITION is no setting; \
                       did you mean GOFKA_NUM_PARTITIONS?";
        assert_eq!(problems, [problem]);
        assert_eq!(warnings, ["the environment's GOFKA_SERVICE_PORT_KAFKA is no setting"]);
    }

    #[test]
    fn a_later_layer_wins_and_dots_stay() {
        let layer = |value: &str| Layer {
            name: value.to_owned(),
            settings: [("a.b".to_owned(), value.to_owned())].into(),
        };
        let merged = merge(&[layer("1"), layer("2")]);
        assert_eq!(merged, [("a.b".to_owned(), "2".to_owned())].into());
    }
}
