//! Raw Kafka frames over a plain socket: readiness probes and hostile input, where a client
//! library would be in the way.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A request frame: length, header (version 1: key, version, correlation id, client id), body.
pub fn frame(api_key: i16, api_version: i16, correlation_id: i32, body: &[u8]) -> Vec<u8> {
    let client_id = b"raw";
    let mut payload = Vec::new();
    payload.extend(api_key.to_be_bytes());
    payload.extend(api_version.to_be_bytes());
    payload.extend(correlation_id.to_be_bytes());
    payload.extend((client_id.len() as i16).to_be_bytes());
    payload.extend(client_id);
    payload.extend(body);
    let mut frame = (payload.len() as i32).to_be_bytes().to_vec();
    frame.extend(payload);
    frame
}

/// ApiVersions version 0: the one request every broker must answer at once.
pub fn api_versions(correlation_id: i32) -> Vec<u8> {
    frame(18, 0, correlation_id, &[])
}

/// One response: its correlation id and what follows.
pub fn read_response(stream: &mut impl Read) -> io::Result<(i32, Vec<u8>)> {
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = usize::try_from(i32::from_be_bytes(size)).map_err(io::Error::other)?;
    if !(4..=64 << 20).contains(&size) {
        return Err(io::Error::other(format!("a response of {size} bytes")));
    }
    let mut payload = vec![0; size];
    stream.read_exact(&mut payload)?;
    let (id, body) = payload.split_first_chunk().expect("at least four bytes");
    Ok((i32::from_be_bytes(*id), body.to_vec()))
}

/// A connection whose reads and writes end after `limit`.
pub fn connect(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Whether a broker at `address` answers ApiVersions.
pub fn answers(address: SocketAddr) -> bool {
    let attempt = || -> io::Result<i32> {
        let mut stream = connect(address, Duration::from_secs(5))?;
        stream.write_all(&api_versions(7))?;
        Ok(read_response(&mut stream)?.0)
    };
    attempt().is_ok_and(|correlation_id| correlation_id == 7)
}

/// The key, lowest and highest version of every API that the broker at `address` announces.
pub fn announced(address: SocketAddr) -> io::Result<Vec<(i16, i16, i16)>> {
    let mut stream = connect(address, Duration::from_secs(5))?;
    stream.write_all(&api_versions(1))?;
    let (_, body) = read_response(&mut stream)?;
    // An error code and a count come before the rows.
    let rows = body.get(6..).unwrap_or_default();
    let number = |bytes: &[u8]| i16::from_be_bytes([bytes[0], bytes[1]]);
    Ok(rows
        .chunks_exact(6)
        .map(|row| (number(row), number(&row[2..]), number(&row[4..])))
        .collect())
}

/// An HTTP page, with its status line and headers.
pub fn get(address: SocketAddr, path: &str, limit: Duration) -> io::Result<String> {
    let mut stream = connect(address, limit)?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
    io::read_to_string(stream)
}
