//! Data sent with a load job, in chunks that survive a broken connection.
//!
//! The protocol is that of <https://cloud.google.com/bigquery/docs/reference/api-uploads#resumable>: a session is
//! opened with the job, chunks are put into it, and the last one starts the job. Where an answer is lost, the server is
//! asked how much it has, and only the rest is sent again. Load jobs cost nothing and publish all rows or none.

use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE};
use serde_json::{Value, json};

use super::api::{Stop, chance};
use super::error::ApiError;
use super::job::{Done, Jobs};

/// Chunks are whole multiples of this many bytes, all but the last.
const UNIT: usize = 256 * 1024;

/// How much is sent at a time, and so held in memory.
const CHUNK: usize = 32 * UNIT;

/// An upload that goes on.
pub(super) struct Upload<'a> {
    jobs: &'a Jobs,
    stop: &'a Stop,
    /// The job that the data is for.
    name: String,
    /// Where chunks are put.
    session: String,
    /// What has not been sent.
    waiting: Vec<u8>,
    /// How much the server has.
    sent: u64,
}

/// What the server answers to a chunk.
enum Answer {
    /// It has so many bytes and waits for more.
    Has(u64),
    /// It has all of it, and made the job.
    Made(Value),
}

impl<'a> Upload<'a> {
    /// Opens a session for a load job.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn open(
        jobs: &'a Jobs,
        stop: &'a Stop,
        configuration: &Value,
        content: &'static str,
    ) -> Result<Self, ApiError> {
        let name = Jobs::name();
        let job = json!({ "jobReference": jobs.reference(&name), "configuration": configuration });
        let path = format!("/upload/bigquery/v2/projects/{}/jobs", jobs.project);
        let session = jobs.api.persist(stop, || async {
            let request = jobs
                .api
                .request(Method::POST, &path)
                .query(&[("uploadType", "resumable")])
                .header("X-Upload-Content-Type", content)
                .json(&job);
            let answer = jobs.api.send(request).await?;
            let status = answer.status();
            let session =
                answer.headers().get(LOCATION).and_then(|place| place.to_str().ok()).map(str::to_owned);
            if !status.is_success() {
                return Err(ApiError::of_answer(status.as_u16(), &answer.text().await?));
            }
            session.ok_or_else(|| ApiError::lacks("place to send data to"))
        })?;
        Ok(Self { jobs, stop, name, session, waiting: Vec::with_capacity(CHUNK + UNIT), sent: 0 })
    }

    /// Where data is appended, before [`Self::flow`].
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.waiting
    }

    /// Sends what has become a chunk.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn flow(&mut self) -> Result<(), ApiError> {
        while self.waiting.len() >= CHUNK {
            if let Answer::Made(_) = self.put(CHUNK, false)? {
                return Err(ApiError::lacks("wish for the rest of the data"));
            }
        }
        Ok(())
    }

    /// Sends the rest, and waits for the job.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn finish(mut self) -> Result<Done, ApiError> {
        loop {
            let all = self.waiting.len();
            match self.put(all, true) {
                Ok(Answer::Made(job)) => return self.jobs.finished(self.stop, &self.name, job),
                Ok(Answer::Has(_)) => {}
                Err(error) => {
                    // It may have begun all the same: its answer is what nobody waited for.
                    if self.stop.is_stopped() {
                        self.jobs.give_up(&self.name);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Sends the first bytes of what waits, until the server has them, or at least some of them.
    fn put(&mut self, length: usize, last: bool) -> Result<Answer, ApiError> {
        let backoff = self.jobs.api.backoff();
        let mut tries = 1;
        let mut answer = self.attempt(length, last);
        let answer = loop {
            match answer {
                Err(error) if error.is_transient() && tries < backoff.tries_after(&error) => {
                    self.jobs.api.pause(self.stop, backoff.wait(tries, chance()))?;
                    tries += 1;
                    answer = self.ask(length, last);
                    // Nothing has arrived: this is still the same chunk, tried again.
                    if matches!(answer, Ok(Answer::Has(has)) if has == self.sent) {
                        answer = self.attempt(length, last);
                    }
                }
                Err(error) => break self.ended(error, last)?,
                Ok(answer) => break answer,
            }
        };
        if let Answer::Has(has) = answer {
            let taken = usize::try_from(has.saturating_sub(self.sent)).unwrap_or(usize::MAX);
            if has < self.sent || taken > self.waiting.len() {
                return Err(ApiError::lacks("part of the data that was sent"));
            }
            self.waiting.drain(..taken);
            self.sent = has;
        }
        Ok(answer)
    }

    fn attempt(&self, length: usize, last: bool) -> Result<Answer, ApiError> {
        let end = self.sent + length as u64;
        let total = if last { end.to_string() } else { "*".to_owned() };
        let range = match length {
            0 => format!("bytes */{total}"),
            _ => format!("bytes {}-{}/{total}", self.sent, end - 1),
        };
        match self.request(&range, self.waiting[..length].to_vec())? {
            Answer::Has(has) if has <= self.sent => Err(ApiError::lacks("part of the data that was sent")),
            answer => Ok(answer),
        }
    }

    /// Asks how much there is after an answer was lost.
    fn ask(&self, length: usize, last: bool) -> Result<Answer, ApiError> {
        let total = if last { (self.sent + length as u64).to_string() } else { "*".to_owned() };
        self.request(&format!("bytes */{total}"), Vec::new())
    }

    /// What has become of a session that is refused. The last chunk may have made the job, whose name is then taken; a
    /// session that is not known any more is begun anew with all of the data
    /// (<https://cloud.google.com/bigquery/docs/reference/api-uploads#best-practices>).
    fn ended(&self, error: ApiError, last: bool) -> Result<Answer, ApiError> {
        let is_gone = error.is_missing() || error.status == Some(410);
        if self.stop.is_stopped() || !(is_gone || last) {
            return Err(error);
        }
        match self.jobs.look(self.stop, &self.name) {
            Ok(job) if last => Ok(Answer::Made(job)),
            // Whoever sent it anew might bring its rows twice.
            Err(looked) if last && looked.is_transient() => Err(ApiError::lost_track(&self.name, &looked)),
            _ if is_gone => Err(ApiError::upload_lost()),
            _ => Err(error),
        }
    }

    fn request(&self, range: &str, body: Vec<u8>) -> Result<Answer, ApiError> {
        let api = &self.jobs.api;
        api.once(self.stop, async {
            let request = api
                .request_to(Method::PUT, &self.session)
                .header(CONTENT_LENGTH, body.len())
                .header(CONTENT_RANGE, range)
                .body(body);
            let answer = api.send(request).await?;
            let status = answer.status().as_u16();
            if status == 308 {
                // Without a range it has nothing.
                let has = answer.headers().get(RANGE).and_then(|range| range.to_str().ok());
                let has = has.and_then(|range| range.rsplit('-').next()?.parse::<u64>().ok());
                return Ok(Answer::Has(has.map_or(0, |last| last + 1)));
            }
            let body = answer.text().await?;
            if !(200..300).contains(&status) {
                return Err(ApiError::of_answer(status, &body));
            }
            serde_json::from_str(&body).map(Answer::Made).map_err(|error| ApiError::unreadable(&error))
        })
    }
}
