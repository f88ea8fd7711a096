//! Which names a topic may have (`org.apache.kafka.common.internals.Topic`): those that are safe as
//! the name of a folder everywhere.
//!
//! Asked by the controller and by the handlers that take names of topics.

const LENGTH_MAX: usize = 249;

/// Refuses names that could not be folders, with Kafka's sentence.
pub fn check(name: &str) -> Result<(), String> {
    let why = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => format!("'{name}' is not allowed"),
        _ if name.len() > LENGTH_MAX => {
            format!("the length of '{name}' is longer than the max allowed length {LENGTH_MAX}")
        }
        _ if !name.bytes().all(is_legal) => format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' \
             and '-'"
        ),
        _ => return Ok(()),
    };
    Err(format!("Topic name is invalid: {why}"))
}

/// Whether a topic may have this name.
#[must_use]
pub fn is_valid(name: &str) -> bool {
    !["", ".", ".."].contains(&name) && name.len() <= LENGTH_MAX && name.bytes().all(is_legal)
}

fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_kafkas_rules() {
        let longest = "x".repeat(249);
        for good in ["a", "a.b_c-D9", "...", longest.as_str(), "__consumer_offsets"] {
            assert!(is_valid(good), "{good}");
            assert_eq!(check(good), Ok(()));
        }
        let too_long = "x".repeat(250);
        for bad in ["", ".", "..", "a/b", "a b", "\u{e4}", "a\0", too_long.as_str()] {
            assert!(!is_valid(bad), "{bad}");
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
