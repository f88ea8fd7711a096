//! Zigzag variable-length integers, as records carry them.
//!
//! Called by `iterate` and `builder`. Reading refuses what is longer than the type can need, as
//! Kafka does (`ByteUtils.readVarint`).

/// Reads a signed 32-bit integer and moves `bytes` past it; `None` where it ends early or does
/// not end within five bytes.
pub(super) fn read_i32(bytes: &mut &[u8]) -> Option<i32> {
    if let Some((&first, rest)) = bytes.split_first()
        && first < 0x80
    {
        *bytes = rest;
        return Some(i32::from(first >> 1) ^ -i32::from(first & 1));
    }
    let raw = read_unsigned(bytes, 5)? as u32;
    Some((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

/// Reads a signed 64-bit integer and moves `bytes` past it; `None` where it ends early or does
/// not end within ten bytes.
pub(super) fn read_i64(bytes: &mut &[u8]) -> Option<i64> {
    let raw = read_unsigned(bytes, 10)?;
    Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

fn read_unsigned(bytes: &mut &[u8], longest: usize) -> Option<u64> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(longest).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *bytes = &bytes[index + 1..];
            return Some(value);
        }
    }
    None
}

/// Appends a signed 64-bit integer; one of 32 bits has the same form.
pub(super) fn write_i64(out: &mut Vec<u8>, value: i64) {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_numbers_take_one_byte() {
        for (value, expected) in [(0, 0u8), (-1, 1), (1, 2), (63, 126), (-64, 127)] {
            let mut out = Vec::new();
            write_i64(&mut out, value);
            assert_eq!(out, [expected]);
        }
    }

    #[test]
    fn endless_and_cut_numbers_are_refused() {
        assert_eq!(read_i32(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..]), None);
        assert_eq!(read_i64(&mut &[0xff; 11][..]), None);
        assert_eq!(read_i32(&mut &[0x80][..]), None);
        assert_eq!(read_i32(&mut &[][..]), None);
    }

    proptest! {
        #[test]
        fn numbers_come_back(wide: i64, narrow: i32) {
            let mut out = Vec::new();
            write_i64(&mut out, wide);
            write_i64(&mut out, i64::from(narrow));
            let mut rest = &out[..];
            prop_assert_eq!(read_i64(&mut rest), Some(wide));
            prop_assert_eq!(read_i32(&mut rest), Some(narrow));
            prop_assert!(rest.is_empty());
        }
    }
}
