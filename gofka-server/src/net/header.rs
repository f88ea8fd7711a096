//! Request headers in, reply headers out.
//!
//! Called by `connection.rs`. The codec's own header parser panics on short frames, and knows
//! nothing of what a header's tags may cost.

use bytes::{BufMut, BytesMut};

use super::grammar::Refusal;
use super::grammar::read_varint;

/// Tagged fields in a header; no client sends any today.
const TAGS_MAX: u32 = 64;

/// The part of every request header that is at the same place in all versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prelude {
    pub(super) key: i16,
    pub(super) version: i16,
    pub(super) correlation_id: i32,
}

/// The size of [`Prelude`] on the wire.
pub(super) const PRELUDE_BYTES: usize = 8;

impl Prelude {
    pub(super) fn parse(bytes: [u8; PRELUDE_BYTES]) -> Self {
        let [k0, k1, v0, v1, c0, c1, c2, c3] = bytes;
        Self {
            key: i16::from_be_bytes([k0, k1]),
            version: i16::from_be_bytes([v0, v1]),
            correlation_id: i32::from_be_bytes([c0, c1, c2, c3]),
        }
    }
}

/// The rest of a request header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rest<'a> {
    pub(super) client_id: Option<&'a [u8]>,
    /// Where the body begins, counted from the start of `bytes`.
    pub(super) size: usize,
}

/// Parses what follows the prelude: the client id (any negative length is null, as in Kafka) and,
/// in header version 2, tagged fields, which have no meaning yet.
pub(super) fn parse_rest(bytes: &[u8], header_version: i16) -> Result<Rest<'_>, Refusal> {
    let (length, after) = bytes.split_first_chunk::<2>().ok_or(Refusal::Truncated)?;
    let (client_id, mut after) = match usize::try_from(i16::from_be_bytes(*length)) {
        Ok(length) => {
            let (client_id, after) = after.split_at_checked(length).ok_or(Refusal::Length)?;
            (Some(client_id), after)
        }
        Err(_) => (None, after),
    };
    if header_version >= 2 {
        after = skip_tags(after)?;
    }
    Ok(Rest { client_id, size: bytes.len() - after.len() })
}

fn skip_tags(bytes: &[u8]) -> Result<&[u8], Refusal> {
    let mut rest = bytes;
    let varint = |rest: &mut &[u8]| -> Result<u32, Refusal> {
        let (value, size) = read_varint(rest)?;
        *rest = &rest[size..];
        Ok(value)
    };
    let tags = varint(&mut rest)?;
    if tags > TAGS_MAX {
        return Err(Refusal::UnknownTags);
    }
    for _ in 0..tags {
        varint(&mut rest)?;
        let size = varint(&mut rest)? as usize;
        rest = rest.get(size..).ok_or(Refusal::Length)?;
    }
    Ok(rest)
}

/// The most that [`write_reply`] writes.
pub(super) const REPLY_BYTES_MAX: usize = 9;

/// Writes the size and header of a reply whose body has `body_bytes`.
pub(super) fn write_reply(
    out: &mut BytesMut,
    correlation_id: i32,
    header_version: i16,
    body_bytes: usize,
) {
    let header_bytes = if header_version >= 1 { 5 } else { 4 };
    let frame_bytes = i32::try_from(header_bytes + body_bytes).unwrap_or(i32::MAX);
    out.put_i32(frame_bytes);
    out.put_i32(correlation_id);
    if header_version >= 1 {
        out.put_u8(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_both_header_versions() {
        let v1 = parse_rest(b"\0\x02ab\x09", 1).unwrap();
        assert_eq!(v1, Rest { client_id: Some(b"ab"), size: 4 });
        let v2 = parse_rest(b"\xff\xff\x01\x05\x02xy\x09", 2).unwrap();
        assert_eq!(v2, Rest { client_id: None, size: 7 });
    }

    #[test]
    fn refuses_lengths_that_lie() {
        assert_eq!(parse_rest(b"\0", 1), Err(Refusal::Truncated));
        assert_eq!(parse_rest(b"\0\x05ab", 1), Err(Refusal::Length));
        assert_eq!(parse_rest(b"\0\0", 2), Err(Refusal::Truncated));
        assert_eq!(parse_rest(b"\0\0\x01\x05\x7f", 2), Err(Refusal::Length));
        assert_eq!(parse_rest(b"\0\0\xff\xff\x7f", 2), Err(Refusal::UnknownTags));
    }

    #[test]
    fn writes_the_size_of_all_that_follows() {
        let mut out = BytesMut::new();
        write_reply(&mut out, 7, 1, 3);
        assert_eq!(&out[..], [0, 0, 0, 8, 0, 0, 0, 7, 0]);
        out.clear();
        write_reply(&mut out, 7, 0, 3);
        assert_eq!(&out[..], [0, 0, 0, 7, 0, 0, 0, 7]);
    }
}
