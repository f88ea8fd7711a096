//! From a setting's text to its value: types and ranges, with Kafka's reasons for refusing.

use super::key::{ConfigValue, Kind};

impl Kind {
    /// Checks `text`; the reason of a refusal names neither setting nor value.
    pub fn parse(&self, text: &str) -> Result<ConfigValue, String> {
        let trimmed = text.trim();
        match *self {
            Self::Bool => parse_bool(trimmed),
            Self::Short(min, max) => {
                whole(trimmed, min.into(), max.into(), i16::MAX.into(), "SHORT")
            }
            Self::Int(min, max) => whole(trimmed, min.into(), max.into(), i32::MAX.into(), "INT"),
            Self::Long(min, max) => whole(trimmed, min, max, i64::MAX, "LONG"),
            Self::Double(min, max) => decimal(trimmed, min, max),
            Self::LevelOrDefault(min, max) => level(trimmed, min, max),
            Self::NonEmptyText if trimmed.is_empty() => Err("String must be non-empty".to_owned()),
            Self::Text | Self::NonEmptyText | Self::Password | Self::Class => {
                Ok(ConfigValue::Text(trimmed.to_owned()))
            }
            Self::OneOf(allowed) => one_of(trimmed, allowed),
            Self::List => Ok(ConfigValue::List(split_list(trimmed))),
            Self::ListOf(allowed) => list_of(trimmed, allowed),
            Self::ThrottledReplicas => throttled_replicas(trimmed),
            Self::AddressLimits => address_limits(trimmed),
            Self::OffsetReset => offset_reset(trimmed),
        }
    }

    /// The value as a refusal shows it: of a list what is wrong in it, of a number what was read.
    pub(super) fn shown(&self, text: &str) -> String {
        let text = text.trim();
        match *self {
            Self::ListOf(allowed) => {
                let wrong = |entry: &String| !allowed.contains(&entry.as_str());
                split_list(text).into_iter().find(wrong).unwrap_or_default()
            }
            Self::ThrottledReplicas => format!("[{}]", split_list(text).join(", ")),
            Self::Double(..) => {
                text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| format!("{number:?}"))
            }
            _ => text.to_owned(),
        }
    }

    /// Whether values of this type are lists, to which single entries can be added.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        matches!(self, Self::List | Self::ListOf(_) | Self::ThrottledReplicas)
    }
}

/// Whether one of several entries is no text at all.
pub(super) fn has_empty_entry(text: &str) -> bool {
    split_list(text).iter().any(String::is_empty)
}

/// The entries of a comma-separated text; none for an empty one.
pub(super) fn split_list(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|entry| entry.trim().to_owned()).collect()
}

fn parse_bool(text: &str) -> Result<ConfigValue, String> {
    if text.eq_ignore_ascii_case("true") {
        Ok(ConfigValue::Bool(true))
    } else if text.eq_ignore_ascii_case("false") {
        Ok(ConfigValue::Bool(false))
    } else {
        Err("Expected value to be either true or false".to_owned())
    }
}

fn whole(
    text: &str,
    min: i64,
    max: i64,
    type_max: i64,
    type_name: &str,
) -> Result<ConfigValue, String> {
    let not_a_number = || format!("Not a number of type {type_name}");
    let value: i64 = text.parse().map_err(|_| not_a_number())?;
    if value > type_max || value < -type_max - 1 {
        return Err(not_a_number());
    }
    if value < min {
        return Err(format!("Value must be at least {min}"));
    }
    if value > max {
        return Err(format!("Value must be no more than {max}"));
    }
    Ok(ConfigValue::Integer(value))
}

fn decimal(text: &str, min: f64, max: f64) -> Result<ConfigValue, String> {
    let value: f64 = text.parse().map_err(|_| "Not a number of type DOUBLE".to_owned())?;
    if value.is_nan() || value < min {
        return Err(format!("Value must be at least {min}"));
    }
    if value > max {
        return Err(format!("Value must be no more than {max}"));
    }
    Ok(ConfigValue::Double(value))
}

fn level(text: &str, min: i32, max: i32) -> Result<ConfigValue, String> {
    let refused = || format!("Value must be between {min} and {max} or equal to -1");
    match whole(text, i32::MIN.into(), i32::MAX.into(), i32::MAX.into(), "INT")? {
        ConfigValue::Integer(-1) => Ok(ConfigValue::Integer(-1)),
        ConfigValue::Integer(value) if (i64::from(min)..=i64::from(max)).contains(&value) => {
            Ok(ConfigValue::Integer(value))
        }
        _ => Err(refused()),
    }
}

fn one_of(text: &str, allowed: &[&str]) -> Result<ConfigValue, String> {
    if allowed.contains(&text) {
        Ok(ConfigValue::Text(text.to_owned()))
    } else {
        Err(format!("String must be one of: {}", allowed.join(", ")))
    }
}

/// Addresses may be names, which are not looked up here.
fn address_limits(text: &str) -> Result<ConfigValue, String> {
    for entry in split_list(text) {
        let pair = entry.rsplit_once(':').map(|(host, limit)| (host.trim(), limit.trim()));
        if !pair.is_some_and(|(host, limit)| !host.is_empty() && limit.parse::<u32>().is_ok()) {
            return Err(format!("{entry} is no address and limit"));
        }
    }
    Ok(ConfigValue::Text(text.to_owned()))
}

fn list_of(text: &str, allowed: &[&str]) -> Result<ConfigValue, String> {
    let entries = split_list(text);
    if entries.iter().any(|entry| !allowed.contains(&entry.as_str())) {
        return Err(format!("String must be one of: {}", allowed.join(", ")));
    }
    Ok(ConfigValue::List(entries))
}

fn throttled_replicas(text: &str) -> Result<ConfigValue, String> {
    let entries = split_list(text);
    let is_pair = |entry: &String| {
        entry.split_once(':').is_some_and(|(partition, broker)| {
            partition.parse::<u32>().is_ok() && broker.parse::<u32>().is_ok()
        })
    };
    if entries.as_slice() == ["*"] || entries.iter().all(is_pair) {
        return Ok(ConfigValue::List(entries));
    }
    Err("must be the literal '*' or a list of replicas in the following format: \
         [partitionId]:[brokerId],[partitionId]:[brokerId],..."
        .to_owned())
}

fn offset_reset(text: &str) -> Result<ConfigValue, String> {
    let is_duration = |duration: &str| {
        let digits = duration.strip_prefix(['P', 'p']).unwrap_or("");
        digits.chars().any(|c| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || ".TDHMStdhms".contains(c))
    };
    let known = matches!(text, "earliest" | "latest")
        || text.strip_prefix("by_duration:").is_some_and(is_duration);
    if known {
        return Ok(ConfigValue::Text(text.to_owned()));
    }
    Err("The value must be either 'earliest', 'latest' or of the format \
         'by_duration:<PnDTnHnMn.nS>'."
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, text: &str, expected: Result<ConfigValue, &str>) {
        assert_eq!(kind.parse(text), expected.map_err(str::to_owned), "{kind:?} of {text:?}");
    }

    #[test]
    fn numbers_keep_to_type_and_range() {
        let seven = Ok(ConfigValue::Integer(7));
        check(Kind::Int(1, 9), " 7 ", seven.clone());
        check(Kind::Int(1, 9), "0", Err("Value must be at least 1"));
        check(Kind::Int(1, 9), "10", Err("Value must be no more than 9"));
        check(Kind::Int(0, i32::MAX), "2147483648", Err("Not a number of type INT"));
        check(Kind::Short(0, 9), "40000", Err("Not a number of type SHORT"));
        check(Kind::Long(i64::MIN, i64::MAX), "7", seven);
        check(Kind::Long(0, 1), "1.5", Err("Not a number of type LONG"));
        check(Kind::Double(0.0, 1.0), "0.25", Ok(ConfigValue::Double(0.25)));
        check(Kind::Double(0.0, 1.0), "NaN", Err("Value must be at least 0"));
        check(Kind::LevelOrDefault(1, 9), "-1", Ok(ConfigValue::Integer(-1)));
        let level = Err("Value must be between 1 and 9 or equal to -1");
        check(Kind::LevelOrDefault(1, 9), "0", level);
    }

    #[test]
    fn texts_keep_to_what_is_allowed() {
        check(Kind::Bool, "TRUE", Ok(ConfigValue::Bool(true)));
        check(Kind::Bool, "yes", Err("Expected value to be either true or false"));
        check(Kind::OneOf(&["a", "b"]), "c", Err("String must be one of: a, b"));
        check(Kind::ListOf(&["a", "b"]), "b, a", Ok(list(&["b", "a"])));
        check(Kind::ListOf(&["a", "b"]), "a,a", Ok(list(&["a", "a"])));
        check(Kind::ListOf(&["a"]), "", Ok(list(&[])));
        check(Kind::ThrottledReplicas, "0:1,2:3", Ok(list(&["0:1", "2:3"])));
        assert!(Kind::ThrottledReplicas.parse("0").is_err());
        let limits = "127.0.0.1:3, [::1]:4,name:0";
        check(Kind::AddressLimits, limits, Ok(ConfigValue::Text(limits.to_owned())));
        check(Kind::AddressLimits, "", Ok(ConfigValue::Text(String::new())));
        for wrong in ["127.0.0.1", "a:", ":3", "a:-1", "a:1,"] {
            assert!(Kind::AddressLimits.parse(wrong).is_err(), "{wrong}");
        }
        assert!(Kind::OffsetReset.parse("by_duration:PT1H").is_ok());
        assert!(Kind::OffsetReset.parse("by_duration:1h").is_err());
    }

    fn list(entries: &[&str]) -> ConfigValue {
        ConfigValue::List(entries.iter().map(|&entry| entry.to_owned()).collect())
    }
}
