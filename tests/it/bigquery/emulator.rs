//! A server that speaks BigQuery's interface, with a data folder of its own, on ports that are free.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Project, repository};

/// The project that is there from the start.
pub const PROJECT: &str = "demo";

/// A server that runs until this is dropped.
pub struct Emulator {
    process: Child,
    port: u16,
}

impl Emulator {
    /// Starts one; `scripts/test` installs it.
    ///
    /// None where it is not installed, which is said on standard error past the test runner's capture; in CI that fails
    /// the test.
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// The same with settings of its own.
    pub fn with(settings: &[(&str, &str)]) -> Option<Self> {
        let program = repository().join(".venv-emulator/bin/bqemulator");
        if !program.is_file() {
            let absent = format!("{} is not there; scripts/test installs it", program.display());
            assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{absent}");
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            writeln!(std::io::stderr(), "LEFT OUT: {test}: {absent}").expect("a standard error stream");
            return None;
        }
        let (port, grpc) = (free_port(), free_port());
        let process = Command::new(program)
            .args(["start", "--project", PROJECT, "--log-level", "critical"])
            .args(["--rest-port", &port.to_string(), "--grpc-port", &grpc.to_string()])
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the emulator starts");
        let emulator = Self { process, port };
        let started = Instant::now();
        while !emulator.is_up() {
            assert!(started.elapsed() < Duration::from_secs(60), "the emulator does not come up");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(emulator)
    }

    fn is_up(&self) -> bool {
        let asked = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        asked().is_ok_and(|answer| answer.contains(" 200 "))
    }

    /// Its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What its interface answers below `/bigquery/v2/projects/demo`, with a body where there is one.
    pub fn ask(&self, method: &str, path: &str, body: Option<&serde_json::Value>) -> serde_json::Value {
        let text = body.map(ToString::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the emulator");
        let request = format!(
            "{method} /bigquery/v2/projects/{PROJECT}/{path} HTTP/1.0\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{text}",
            text.len()
        );
        stream.write_all(request.as_bytes()).expect("a request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(" 20"), "{method} {path}: {answer}");
        serde_json::from_str(body).unwrap_or_default()
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The program with arguments, run in a project whose target `bigquery` is this.
    pub fn command(&self, project: &Project, arguments: &[&str]) -> Command {
        let mut command = project.command(arguments);
        command.args(["-t", "bigquery"]);
        command.env("BIGQUERY_PROJECT", PROJECT).env("BIGQUERY_ENDPOINT", self.endpoint());
        command
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It holds nothing that is worth an orderly end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}
