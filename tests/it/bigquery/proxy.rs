//! A network that fails: what stands between the program and the server, and cuts, refuses and delays.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::emulator::Emulator;
use crate::support::Project;

/// What a network does to requests, each by chance.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// Requests that are cut somewhere: on their way, or on the way of their answer.
    pub cut: f64,
    /// The same of those that carry data.
    pub cut_uploads: f64,
    /// Connections that are refused.
    pub refuse: f64,
    /// Requests that are delayed.
    pub delay: f64,
}

/// How often it struck.
#[derive(Debug, Default)]
pub struct Struck {
    pub requests_cut: AtomicU32,
    pub answers_cut: AtomicU32,
    /// Of both, those of requests that carried data.
    pub uploads_cut: AtomicU32,
    pub refused: AtomicU32,
    pub delayed: AtomicU32,
}

impl Struck {
    /// All cuts.
    pub fn cuts(&self) -> u32 {
        self.requests_cut.load(Ordering::SeqCst) + self.answers_cut.load(Ordering::SeqCst)
    }
}

/// A network between the program and a server.
pub struct Proxy {
    shared: Arc<Shared>,
    port: u16,
}

struct Shared {
    server: String,
    weather: Mutex<Weather>,
    random: Mutex<ChaCha8Rng>,
    struck: Struck,
    /// Everything fails until then.
    down_until: Mutex<Option<Instant>>,
    /// What happens once a request with these bytes has passed, once.
    trap: Mutex<Option<(Vec<u8>, Trap)>>,
    /// Requests that ask for jobs to be cancelled.
    cancels: AtomicU32,
    /// Whether copies replace tables of other columns.
    mends_copies: AtomicBool,
    ended: AtomicBool,
}

/// What happens after a request.
#[derive(Debug, Clone, Copy)]
enum Trap {
    /// Nothing passes any more for so long.
    Down(Duration),
    /// Its answer is held back.
    Hold,
}

/// What becomes of a request: how many bytes pass, of it and of its answer.
#[derive(Debug, Clone, Copy)]
struct Fate {
    up: usize,
    down: usize,
    upload: bool,
    /// Whether its answer is held back.
    held: bool,
}

impl Fate {
    const GOOD: Self = Self { up: usize::MAX, down: usize::MAX, upload: false, held: false };
}

impl Proxy {
    /// In front of a server, at first in good weather.
    pub fn of(emulator: &Emulator, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared {
            server: emulator.endpoint().trim_start_matches("http://").to_owned(),
            weather: Mutex::default(),
            random: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
            struck: Struck::default(),
            down_until: Mutex::default(),
            trap: Mutex::default(),
            cancels: AtomicU32::new(0),
            mends_copies: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let mine = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut listener = listener;
            loop {
                for client in listener.incoming().map_while(Result::ok) {
                    if mine.ended.load(Ordering::SeqCst) {
                        return;
                    }
                    if mine.is_down() {
                        break;
                    }
                    mine.serve(&client);
                }
                // While nobody listens, connections are refused.
                drop(listener);
                while mine.is_down() {
                    std::thread::sleep(Duration::from_millis(20));
                }
                listener = TcpListener::bind(("127.0.0.1", port)).expect("the port again");
            }
        });
        Self { shared, port }
    }

    pub fn weather(&self, weather: Weather) {
        *self.shared.weather.lock().unwrap() = weather;
    }

    pub fn struck(&self) -> &Struck {
        &self.shared.struck
    }

    /// The next request with these bytes in it passes; then nothing does for a while, its answer neither.
    pub fn go_down_after(&self, request: &str, time: Duration) {
        *self.shared.trap.lock().unwrap() = Some((request.as_bytes().to_vec(), Trap::Down(time)));
    }

    /// The next request with these bytes in it passes, and is not answered.
    pub fn hold_answer_of(&self, request: &str) {
        *self.shared.trap.lock().unwrap() = Some((request.as_bytes().to_vec(), Trap::Hold));
    }

    /// Whether that request has come.
    pub fn has_struck(&self) -> bool {
        self.shared.trap.lock().unwrap().is_none()
    }

    /// From now on copies replace tables of other columns too, as they do on BigQuery: the emulator can only put rows into
    /// the columns that are there, so the table goes first.
    pub fn mend_copies(&self) {
        self.shared.mends_copies.store(true, Ordering::SeqCst);
    }

    /// How often a job was to be cancelled.
    pub fn cancels(&self) -> u32 {
        self.shared.cancels.load(Ordering::SeqCst)
    }

    /// The program with arguments, run in a project against the server behind this.
    pub fn command(&self, emulator: &Emulator, project: &Project, arguments: &[&str]) -> Command {
        let mut command = emulator.command(project, arguments);
        command.env("BIGQUERY_ENDPOINT", format!("http://127.0.0.1:{}", self.port));
        command
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the one who listens.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn chance(&self, of: f64) -> bool {
        self.random.lock().unwrap().random_bool(of)
    }

    fn is_down(&self) -> bool {
        self.down_until.lock().unwrap().is_some_and(|until| Instant::now() < until)
    }

    /// One connection, until either side has enough of it.
    fn serve(self: &Arc<Self>, client: &TcpStream) {
        let refuse = self.weather.lock().unwrap().refuse;
        if self.chance(refuse) {
            self.struck.refused.fetch_add(1, Ordering::SeqCst);
            return;
        }
        let Ok(server) = TcpStream::connect(&self.server) else { return };
        let fate = Arc::new(Mutex::new(Fate::GOOD));
        let pair = || (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
        let ((from, to), (mine, fates)) = (pair(), (Arc::clone(self), Arc::clone(&fate)));
        std::thread::spawn(move || mine.requests(from, to, &fates));
        let ((to, from), mine) = (pair(), Arc::clone(self));
        std::thread::spawn(move || mine.answers(from, to, &fate));
    }

    fn requests(&self, mut client: TcpStream, mut server: TcpStream, fate: &Mutex<Fate>) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = client.read(&mut buffer) {
            let bytes = &buffer[..read];
            if let Some(length) = request(bytes) {
                if self.is_down() {
                    break;
                }
                let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
                let cancels = String::from_utf8_lossy(line).contains("/cancel");
                self.cancels.fetch_add(u32::from(cancels), Ordering::SeqCst);
                *fate.lock().unwrap() = self.fate(bytes, length);
            }
            self.spring(bytes, &client, fate);
            if let Some(path) = replaced(bytes).filter(|_| self.mends_copies.load(Ordering::SeqCst)) {
                self.remove(&path);
            }
            let (pass, upload) = {
                let mut fate = fate.lock().unwrap();
                let pass = fate.up.min(read);
                fate.up = if fate.up == usize::MAX { usize::MAX } else { fate.up - pass };
                (pass, fate.upload)
            };
            if server.write_all(&bytes[..pass]).is_err() {
                break;
            }
            if pass < read {
                self.struck.requests_cut.fetch_add(1, Ordering::SeqCst);
                self.struck.uploads_cut.fetch_add(u32::from(upload), Ordering::SeqCst);
                break;
            }
        }
        close(&client, &server);
    }

    fn answers(&self, mut server: TcpStream, mut client: TcpStream, fate: &Mutex<Fate>) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = server.read(&mut buffer) {
            while fate.lock().unwrap().held && !self.ended.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let (pass, upload) = {
                let mut fate = fate.lock().unwrap();
                let pass = fate.down.min(read);
                fate.down = if fate.down == usize::MAX { usize::MAX } else { fate.down - pass };
                (pass, fate.upload)
            };
            let passed = client.write_all(&buffer[..pass]);
            if pass < read {
                self.struck.answers_cut.fetch_add(1, Ordering::SeqCst);
                self.struck.uploads_cut.fetch_add(u32::from(upload), Ordering::SeqCst);
                break;
            }
            if passed.is_err() {
                break;
            }
        }
        close(&client, &server);
    }

    /// What becomes of a request that begins with some bytes and has so many.
    fn fate(&self, bytes: &[u8], length: usize) -> Fate {
        let weather = *self.weather.lock().unwrap();
        if weather.delay > 0.0 && self.chance(weather.delay) {
            self.struck.delayed.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(200));
        }
        let upload = bytes.starts_with(b"PUT ");
        if !self.chance(if upload { weather.cut_uploads } else { weather.cut }) {
            return Fate { upload, ..Fate::GOOD };
        }
        let mut random = self.random.lock().unwrap();
        if random.random_bool(0.5) {
            Fate { up: random.random_range(0..length), down: usize::MAX, upload, held: false }
        } else {
            // Nothing of the answer, or some of its head or body.
            let some = random.random_range(0..600_usize);
            Fate { up: usize::MAX, down: if random.random_bool(0.5) { 0 } else { some }, upload, held: false }
        }
    }

    fn remove(&self, path: &str) {
        let mut server = TcpStream::connect(&self.server).expect("the server");
        let head = format!("DELETE {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.server);
        server.write_all(head.as_bytes()).expect("the server");
        server.read_to_end(&mut Vec::new()).expect("an answer");
    }

    /// Goes down if this is the request that it waits for.
    fn spring(&self, bytes: &[u8], client: &TcpStream, fate: &Mutex<Fate>) {
        let mut trap = self.trap.lock().unwrap();
        let Some((sign, what)) = trap.as_ref() else { return };
        if bytes.windows(sign.len()).any(|part| part == sign) {
            match *what {
                Trap::Hold => *fate.lock().unwrap() = Fate { held: true, ..Fate::GOOD },
                Trap::Down(time) => {
                    *fate.lock().unwrap() = Fate { down: 0, ..Fate::GOOD };
                    *self.down_until.lock().unwrap() = Some(Instant::now() + time);
                }
            }
            *trap = None;
            // Wakes the one who listens.
            if let Ok(client) = client.local_addr() {
                let _ = TcpStream::connect(client);
            }
        }
    }
}

/// Where the table is that a copy job is to replace.
fn replaced(bytes: &[u8]) -> Option<String> {
    let start = bytes.iter().position(|byte| *byte == b'{')?;
    let job: serde_json::Value = serde_json::from_slice(&bytes[start..]).ok()?;
    let copy = &job["configuration"]["copy"];
    let table = Some(&copy["destinationTable"]).filter(|_| copy["writeDisposition"] == "WRITE_TRUNCATE")?;
    let part = |key: &str| table[key].as_str();
    let (project, dataset, table) = (part("projectId")?, part("datasetId")?, part("tableId")?);
    Some(format!("/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}"))
}

fn close(one: &TcpStream, other: &TcpStream) {
    let _ = one.shutdown(Shutdown::Both);
    let _ = other.shutdown(Shutdown::Both);
}

/// How long a request is whose first bytes these are; nothing for the middle of one.
fn request(bytes: &[u8]) -> Option<usize> {
    let is_start = ["GET /", "POST /", "PUT /", "PATCH /", "DELETE /"]
        .iter()
        .any(|word| bytes.starts_with(word.as_bytes()));
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").filter(|_| is_start)?;
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let body =
        text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    Some(head + 4 + body.unwrap_or(0))
}
