//! What is outside of a batch's checksum: a changed offset is found, and not written on.

use super::*;
use std::fs;

/// A log of which nothing was compacted, closed; and what is in it when it is.
fn closed() -> (Home, Vec<(String, Option<String>, i64)>) {
    let home = Home::new(compacted());
    let (dirs, log) = home.open();
    for n in 0..40 {
        put(&log, &format!("key{}", n % 7), Some(&format!("value {n}")));
        put(&log, &format!("once{n}"), Some("kept"));
    }
    log.roll().unwrap();
    dirs.close(no_watermark).unwrap();
    let copy = copied(&home);
    let (_dirs, log) = copy.open();
    compact(&log, NOW.0).unwrap();
    (home, contents(&log))
}

fn copied(home: &Home) -> Home {
    let copy = Home { root: tempfile::tempdir().unwrap(), config: Arc::clone(&home.config) };
    copy_folder(home.root.path(), copy.root.path());
    copy
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        if from.is_dir() {
            copy_folder(&from, &to.join(name));
        } else {
            fs::copy(&from, to.join(name)).unwrap();
        }
    }
}

#[test]
fn no_bit_of_any_batchs_offset_gets_into_what_is_written() {
    let (home, expected) = closed();
    let logs: Vec<String> =
        home.files().into_iter().filter(|name| name.ends_with(".log")).collect();
    assert!(logs.len() > 4, "{logs:?}");
    for name in &logs[..2] {
        let bytes = fs::read(home.log_dir().join(name)).unwrap();
        let mut positions = vec![0];
        while let Ok(header) = BatchHeader::parse(&bytes[positions[positions.len() - 1]..]) {
            positions.push(positions[positions.len() - 1] + header.size());
        }
        // Of the last one, no batch after it in the file tells.
        for position in [positions[1], positions[positions.len() - 2]] {
            for bit in 0..64 {
                let copy = copied(&home);
                let mut changed = bytes.clone();
                changed[position + bit / 8] ^= 1 << (bit % 8);
                fs::write(copy.log_dir().join(name), changed).unwrap();
                let (_dirs, log) = copy.open();
                let run = compact_log(&log, NOW, log.log_end_offset(), MAP_BYTES);
                let what = format!("bit {bit} of the batch at {position} of {name}");
                assert!(matches!(run, Err(StorageError::Corrupt { .. })), "{what}: {run:?}");
                // With that bit back, everything is there.
                if copy.log_dir().join(name).exists() {
                    fs::write(copy.log_dir().join(name), &bytes).unwrap();
                }
                assert_eq!(latest(&contents(&log)), latest(&expected), "{what}");
            }
        }
    }
}
