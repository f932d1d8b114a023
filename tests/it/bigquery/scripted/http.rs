//! As much of HTTP/1.1 as clients of ours speak: a head, a body of a known length, one request a connection.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::Request;

/// A request that is being read.
pub(super) struct Reading<'a> {
    stream: &'a TcpStream,
    pub(super) request: Request,
    /// How much of the body is yet to come.
    left: usize,
}

impl<'a> Reading<'a> {
    /// Reads up to the body; nothing where the other side says nothing.
    pub(super) fn head(mut stream: &'a TcpStream) -> Option<Self> {
        let (mut head, mut byte) = (Vec::new(), [0]);
        // A byte at a time, so that the body is left where it is.
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).ok()? == 0 {
                return None;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).ok()?;
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = lines.filter_map(|line| line.split_once(": "));
        let request = Request {
            method,
            path: path.to_owned(),
            query: query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body: Vec::new(),
        };
        let left = request.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        Some(Self { stream, request, left })
    }

    /// Reads so much of the body at most.
    pub(super) fn body(&mut self, most: usize) {
        let mut body = vec![0; self.left.min(most)];
        if self.stream.read_exact(&mut body).is_ok() {
            self.left -= body.len();
            self.request.body = body;
        }
    }
}

/// Writes an answer, after which the connection is closed. The other side may have gone.
pub(super) fn write(mut stream: &TcpStream, status: u16, headers: &[(String, String)], body: &[u8]) {
    let mut head = format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let _ = stream.write_all(&[head.as_bytes(), b"\r\n", body].concat());
}
