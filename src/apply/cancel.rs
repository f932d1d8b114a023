//! Stopping work cleanly.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::warehouse::Interrupt;

/// How often work that is to stop is told so: an interruption between two statements reaches neither.
const TELL_AGAIN: Duration = Duration::from_millis(20);

/// The way to stop a run, a check or a query: no further step starts, and those that run are interrupted.
#[derive(Debug, Default)]
pub struct Cancel {
    cancelled: AtomicBool,
}

impl Cancel {
    /// Work that goes on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the work.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// Whether the work is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Does work, which is interrupted once it is to stop.
    pub fn watch<T>(&self, interrupt: &dyn Interrupt, work: impl FnOnce() -> T) -> T {
        watched(TELL_AGAIN, &|| self.is_cancelled(), interrupt, work)
    }
}

/// Does work, which is interrupted as long as it is to stop and goes on. Whether it is to stop is asked again after
/// such a pause, or sooner.
pub(super) fn watched<T>(
    pause: Duration,
    is_to_stop: &(dyn Fn() -> bool + Sync),
    interrupt: &dyn Interrupt,
    work: impl FnOnce() -> T,
) -> T {
    let pause = pause.clamp(Duration::from_millis(1), TELL_AGAIN);
    let (done, watching) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while watching.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                if is_to_stop() {
                    interrupt.interrupt();
                }
            }
        });
        let result = work();
        drop(done);
        result
    })
}
