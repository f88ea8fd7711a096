//! Data directories that earlier releases have left, after a stop and after a kill: today's binary
//! opens each, and a client reads from it what it read then. Then it is written to, and closed.

use compat_tests::fixture::{ENDINGS, broker_on, expected, names, read};

#[test]
fn old_directories_are_read_as_they_were_written() {
    let names = names();
    assert!(!names.is_empty());
    for name in names {
        for ending in ENDINGS {
            let mut broker = broker_on(&name, ending);
            broker.resume();
            assert_eq!(read(&broker), expected(&name), "{name}-{ending}");
            broker.stop();
            broker.resume();
            assert_eq!(read(&broker), expected(&name), "{name}-{ending}, closed by this release");
            broker.kill();
            broker.resume();
            assert_eq!(read(&broker), expected(&name), "{name}-{ending}, killed");
        }
    }
}
