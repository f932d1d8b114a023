//! Stopping a run cleanly.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::warehouse::Interrupt;

/// The way to stop a run: no further step starts, and those that run are interrupted.
#[derive(Default)]
pub struct Cancel {
    cancelled: AtomicBool,
    next: AtomicU64,
    running: Mutex<BTreeMap<u64, Arc<dyn Interrupt>>>,
}

impl Cancel {
    /// A run that goes on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        for interrupt in self.running.lock().unwrap_or_else(PoisonError::into_inner).values() {
            interrupt.interrupt();
        }
    }

    /// Whether the run is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Interrupts a session too when the run is stopped, as long as the guard lives.
    pub(super) fn watch(&self, interrupt: Arc<dyn Interrupt>) -> Watch<'_> {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id, interrupt);
        Watch { cancel: self, id }
    }
}

/// Ends the watch over a session when it is dropped.
pub(super) struct Watch<'a> {
    cancel: &'a Cancel,
    id: u64,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.cancel.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
