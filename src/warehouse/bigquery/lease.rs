//! One writer at a time, without a server: a table that only one can make, and that expires.
//!
//! Making a table that is there fails, which no two processes can both escape. Its description says who holds it and
//! until when; it is prolonged while its holder lives, and BigQuery drops it when its holder has died without a word.
//! Before that it is taken over by whoever changes it first: each change is asked for with the tag of what was read.
//! Whoever would go on after that is stopped by the serial (see [`super::store`]).

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::{Holder, Relation, Result};
use super::api::{Api, Stop, unique};
use super::error::ApiError;
use super::place::Place;
use super::store::overtaken;
use crate::clock::{Clock, SystemClock, rfc3339};
use crate::diag::Diagnostic;

/// How long a lease holds that nobody prolongs.
const TERM: Duration = Duration::from_secs(300);

/// How long it is counted on: what is begun then is done before it ends.
const SURE: Duration = Duration::from_secs(240);

/// How often it is prolonged.
const PROLONGED: Duration = Duration::from_secs(60);

/// What the table's description says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Word {
    #[serde(flatten)]
    holder: Holder,
    /// When it ends, in milliseconds since 1970.
    until: i64,
    /// Tells one lease from all others.
    token: String,
    /// Which machine's processes the holder's number is one of: hosts of one name may be several.
    #[serde(default)]
    machine: Option<String>,
}

impl Word {
    /// Whether its holder is gone: its time is over, or it was a process of this machine that is no more.
    fn is_over(&self, now: i64) -> bool {
        let is_here = self.machine.is_some() && self.machine == machine();
        self.until < now || (is_here && !is_alive(self.holder.pid))
    }
}

/// Tells this machine's processes from those of others: since when it runs, and which of them can be seen, which is less
/// within a container. Nothing where that is not told.
fn machine() -> Option<String> {
    let started = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let seen = fs_err::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", started.trim(), seen.display()))
}

/// A lease that is there.
struct Found {
    /// Nothing where it says nothing of a lease.
    word: Option<Word>,
    /// Tells what was read from all that comes after it.
    tag: Option<String>,
}

impl Found {
    fn is_of(&self, held: &Held) -> bool {
        self.word.as_ref().is_some_and(|word| word.token == held.word.token)
    }

    fn is_over(&self, now: i64) -> bool {
        self.word.as_ref().is_none_or(|word| word.is_over(now))
    }
}

/// Where that cannot be told, it is.
fn is_alive(pid: u32) -> bool {
    let processes = std::path::Path::new("/proc");
    !processes.join("self").exists() || processes.join(pid.to_string()).exists()
}

/// What the second one is told: also until when, as the first may have died.
fn taken(word: Option<&Word>, what: &str) -> Diagnostic {
    let fault = Holder::fault(word.map(|word| &word.holder), what);
    let until = word.and_then(|word| chrono::DateTime::from_timestamp_millis(word.until));
    match until {
        Some(until) => fault.help(format!(
            "wait until it is done, or give `--lock-timeout 5m` to wait for it; one that died holds it until {} at the latest",
            rfc3339(until)
        )),
        None => fault,
    }
}

/// The right to write, held until it is dropped.
pub(super) struct Lease {
    held: Arc<Held>,
    end: Option<Sender<()>>,
    prolonging: Option<JoinHandle<()>>,
}

struct Held {
    api: Arc<Api>,
    place: Place,
    relation: Relation,
    address: String,
    word: Word,
    /// Until when it certainly holds, in milliseconds since 1970.
    until: Mutex<i64>,
}

impl Lease {
    /// Takes the lease of a pipeline. Its dataset is there.
    ///
    /// # Errors
    /// Who holds it.
    pub(super) fn take(api: &Arc<Api>, place: &Place, pipeline: &str, command: &str) -> Result<Self> {
        let held = Held::new(api, place, pipeline, command);
        // The second time what was over is out of the way, or what was given back in between.
        for _ in 0..3 {
            match held.make() {
                Ok(()) => return Ok(Self::prolonged(held)),
                Err(error) if error.is_duplicate() => {}
                Err(error) => return Err(error.into()),
            }
            match held.read()? {
                // Made all the same: the answer was lost. Until when it holds is said anew.
                Some(found) if found.is_of(&held) => match held.change(found.tag.as_deref()) {
                    Ok(()) => return Ok(Self::prolonged(held)),
                    Err(error) if error.is_outdated() || error.is_missing() => {}
                    Err(error) => return Err(error.into()),
                },
                Some(found) if !found.is_over(now()) => {
                    let what = format!("{}.{}", place.project, place.dataset(&place.state));
                    return Err(taken(found.word.as_ref(), &what).into());
                }
                Some(found) => match held.change(found.tag.as_deref()) {
                    Ok(()) => return Ok(Self::prolonged(held)),
                    // Somebody else was faster.
                    Err(error) if error.is_outdated() || error.is_missing() => {}
                    Err(error) => return Err(error.into()),
                },
                // It was given back since: whoever removed it here would remove the next one's.
                None => {}
            }
        }
        Err(Holder::fault(None, &format!("{}.{}", place.project, place.dataset(&place.state))).into())
    }

    /// Whether somebody has it.
    pub(super) fn is_taken(api: &Arc<Api>, place: &Place, pipeline: &str) -> bool {
        let held = Held::new(api, place, pipeline, "");
        matches!(held.read(), Ok(Some(found)) if !found.is_over(now()))
    }

    fn prolonged(held: Held) -> Self {
        let held = Arc::new(held);
        let (end, ended) = channel::<()>();
        let mine = Arc::clone(&held);
        let prolonging = std::thread::Builder::new().name("lease".to_owned()).spawn(move || {
            while ended.recv_timeout(PROLONGED) == Err(RecvTimeoutError::Timeout) {
                // One that failed is tried again in a minute; the term has five of them.
                let _ = mine.prolong();
            }
        });
        Self { held, end: Some(end), prolonging: prolonging.ok() }
    }

    /// Whether it still holds.
    ///
    /// # Errors
    /// That somebody else may have it by now.
    pub(super) fn hold(&self) -> Result<()> {
        let until = *self.held.until.lock().unwrap_or_else(PoisonError::into_inner);
        if now() < until { Ok(()) } else { Err(overtaken()) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.prolonging.take() {
            let _ = thread.join();
        }
        // What is left ends by itself.
        if matches!(self.held.read(), Ok(Some(found)) if found.is_of(&self.held)) {
            let _ = self.held.remove();
        }
    }
}

fn now() -> i64 {
    SystemClock.now().timestamp_millis()
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl Held {
    fn new(api: &Arc<Api>, place: &Place, pipeline: &str, command: &str) -> Self {
        let relation = Relation { dataset: place.state.clone(), table: format!("lease_{pipeline}") };
        Self {
            api: Arc::clone(api),
            address: place.address(&relation),
            place: place.clone(),
            relation,
            word: Word { holder: Holder::this(command), until: 0, token: unique(), machine: machine() },
            until: Mutex::new(0),
        }
    }

    /// What the table is to say from now on, when that ends, and until when it certainly holds.
    fn word(&self) -> (String, i64, i64) {
        let now = now();
        let until = now + milliseconds(TERM);
        let word = Word { until, ..self.word.clone() };
        (serde_json::to_string(&word).unwrap_or_default(), until, now + milliseconds(SURE))
    }

    fn make(&self) -> std::result::Result<(), ApiError> {
        let (word, ends, until) = self.word();
        let table = json!({
            "tableReference": self.place.reference(&self.relation),
            "description": word,
            "expirationTime": ends.to_string(),
            "schema": { "fields": [{ "name": "holder", "type": "STRING" }] },
        });
        let path = self.place.tables(&self.relation.dataset);
        let made = self.api.persist(&Stop::default(), || self.api.post(&path, &table));
        made.map(|_| self.holds_until(until))
    }

    fn prolong(&self) -> std::result::Result<(), ApiError> {
        // What somebody else has taken meanwhile is not touched.
        match self.read()? {
            Some(found) if found.is_of(self) => self.change(found.tag.as_deref()),
            _ => Err(ApiError::stopped()),
        }
    }

    /// Makes what was read with a tag this one's from now on.
    fn change(&self, tag: Option<&str>) -> std::result::Result<(), ApiError> {
        let (word, ends, until) = self.word();
        let body = json!({ "description": word, "expirationTime": ends.to_string() });
        let changed =
            self.api.persist(&Stop::default(), || self.api.patch_if(&self.address, &[], tag, &body));
        changed.map(|_| self.holds_until(until))
    }

    fn holds_until(&self, until: i64) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Who has it; nobody where it is not there.
    fn read(&self) -> std::result::Result<Option<Found>, ApiError> {
        match self.api.persist(&Stop::default(), || self.api.get(&self.address, &[])) {
            Ok(table) => {
                let word = table["description"].as_str().and_then(|word| serde_json::from_str(word).ok());
                let tag = table["etag"].as_str().map(str::to_owned);
                Ok(Some(Found { word, tag }))
            }
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn remove(&self) -> std::result::Result<(), ApiError> {
        let removed = self.api.persist(&Stop::default(), || self.api.delete(&self.address)).map(|_| ());
        match removed {
            Err(error) if error.is_missing() => Ok(()),
            removed => removed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_over_with_its_time_or_its_process() {
        let host = Holder::this("").host;
        let word = |pid: u32, machine: Option<String>, until: i64| Word {
            holder: Holder { pid, host: host.clone(), command: String::new(), since: String::new() },
            until,
            token: String::new(),
            machine,
        };
        let own = std::process::id();
        assert!(!word(own, machine(), 10).is_over(5));
        assert!(word(own, machine(), 10).is_over(11));
        // The largest number is no process.
        assert_eq!(word(u32::MAX, machine(), 10).is_over(5), machine().is_some());
        // Another machine of the same name, or another container on this one, has processes of its own.
        assert!(!word(u32::MAX, Some("elsewhere".to_owned()), 10).is_over(5));
        assert!(!word(u32::MAX, None, 10).is_over(5));
    }
}
