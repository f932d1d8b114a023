//! A server between the program and another server: it hands requests on, and may answer some of them itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `PATCH /path?query`.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Its body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// What becomes of a request: an answer, with its status, or nothing where it is handed on.
pub type Answer = Option<(u16, Value)>;

/// Until the test ends, one thread for each connection.
pub struct Between {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Between {
    /// Stands before a port of this machine.
    pub fn before(server: u16, answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, written) = (Arc::new(answer), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, written) = (Arc::clone(&answer), Arc::clone(&written));
                std::thread::spawn(move || {
                    // Whoever asked may have gone.
                    let _ = serve(stream, server, answer.as_ref(), &written);
                });
            }
        });
        Self { port, seen }
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests whose line begins so, in their order; they are forgotten with all others.
    pub fn take(&self, start: &str) -> Vec<Request> {
        let seen = std::mem::take(&mut *self.seen.lock().expect("nobody panicked"));
        seen.into_iter().filter(|request| request.line.starts_with(start)).collect()
    }
}

fn serve(
    stream: TcpStream,
    server: u16,
    answer: &(dyn Fn(&Request) -> Answer + Send + Sync),
    seen: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let request = read(&mut reader)?;
    seen.lock().expect("nobody panicked").push(request.clone());
    let mut stream = reader.into_inner();
    match answer(&request) {
        Some((status, body)) => {
            let body = body.to_string();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
        }
        None => stream.write_all(&hand_on(&request, server)?),
    }
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let headers: Vec<(String, String)> = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let line = lines.first().map(|line| line.trim_end_matches(" HTTP/1.1").to_owned()).unwrap_or_default();
    let mut request = Request { line, headers, body: Vec::new() };
    let length: usize = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    assert_eq!(request.header("transfer-encoding"), None, "bodies in chunks are not read here");
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(request)
}

/// What a server of this machine answers to a request.
///
/// # Errors
/// That it is not there, or does not speak.
pub fn ask(request: &Request, server: u16) -> std::io::Result<(u16, Value)> {
    let answer = hand_on(request, server)?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok((status, serde_json::from_str(body).unwrap_or_default()))
}

fn hand_on(request: &Request, server: u16) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", server))?;
    let mut head = format!("{} HTTP/1.1\r\n", request.line);
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "connection") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("connection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&request.body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
