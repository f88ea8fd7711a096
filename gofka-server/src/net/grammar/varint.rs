//! Unsigned variable-length numbers, as compact lengths and tags are written (KIP-482).
//!
//! Used by the walker and by the request header's parser.

use super::Refusal;

/// Reads a number of at most five bytes, and how many it took. Longer than needed is accepted,
/// as Kafka does; bits above the 32nd are lost, as there.
pub(in crate::net) fn read(bytes: &[u8]) -> Result<(u32, usize), Refusal> {
    let mut value = 0u32;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((value, index + 1));
        }
    }
    Err(if bytes.len() < 5 { Refusal::Truncated } else { Refusal::Varint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_kafka_reads() {
        assert_eq!(read(&[0]), Ok((0, 1)));
        assert_eq!(read(&[0x7f, 9]), Ok((127, 1)));
        assert_eq!(read(&[0xac, 0x02]), Ok((300, 2)));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok((u32::MAX, 5)));
        assert_eq!(read(&[0x80, 0x80, 0x00]), Ok((0, 3)));
    }

    #[test]
    fn refuses_a_sixth_byte_and_an_end_in_the_middle() {
        assert_eq!(read(&[0x80; 6]), Err(Refusal::Varint));
        assert_eq!(read(&[0x80, 0x80]), Err(Refusal::Truncated));
        assert_eq!(read(&[]), Err(Refusal::Truncated));
    }
}
