//! Several files of a source at a time: lanes take the next file that nobody has taken.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::super::input::{Counted, Input, Sink, stopped};
use super::super::{Progress, Result, WarehouseError};
use super::locked;

/// The most lanes of one source. Sources are loaded side by side as it is, as many as there are threads.
const MOST: usize = 4;

/// How often it is told how far all of them are.
const TOLD: Duration = Duration::from_millis(50);

/// Reads files into the sink of a lane.
pub(super) type Read<'a> = &'a dyn Fn(&mut dyn Sink) -> Result<()>;

/// Where all lanes are.
#[derive(Default)]
struct Lanes {
    next: AtomicUsize,
    rows: AtomicU64,
    bytes: AtomicU64,
    is_over: AtomicBool,
    counted: Mutex<Vec<(usize, Counted)>>,
    failed: Mutex<Option<WarehouseError>>,
}

/// Reads all files of an input. A lane opens its own way to the target, has files read into it, and closes it.
///
/// # Errors
/// The first that went wrong, or that it was stopped.
pub(super) fn read(
    input: &Input<'_>,
    progress: Progress<'_>,
    lane: &(dyn Fn(Read<'_>) -> Result<()> + Sync),
) -> Result<Vec<Counted>> {
    let lanes = Lanes::default();
    let work = || {
        // A lane for which no file is left opens nothing.
        let Some(first) = lanes.take(input) else { return };
        if let Err(error) = lane(&|sink| lanes.files(input, first, sink)) {
            locked(&lanes.failed).get_or_insert(error);
            // The others say that they were stopped, and come too late to be told.
            lanes.is_over.store(true, Ordering::SeqCst);
        }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..MOST.min(input.count())).map(|_| scope.spawn(work)).collect();
        while running.iter().any(|lane| !lane.is_finished()) {
            let (rows, bytes) = (lanes.rows.load(Ordering::SeqCst), lanes.bytes.load(Ordering::SeqCst));
            if progress(rows, bytes).is_break() {
                lanes.is_over.store(true, Ordering::SeqCst);
            }
            std::thread::sleep(TOLD);
        }
    });
    if let Some(error) = locked(&lanes.failed).take() {
        return Err(error);
    }
    let mut counted = std::mem::take(&mut *locked(&lanes.counted));
    if counted.len() < input.count() {
        return Err(stopped());
    }
    counted.sort_by_key(|(at, _)| *at);
    Ok(counted.into_iter().map(|(_, counted)| counted).collect())
}

impl Lanes {
    /// The next file that nobody has taken.
    fn take(&self, input: &Input<'_>) -> Option<usize> {
        let at = self.next.fetch_add(1, Ordering::SeqCst);
        (at < input.count()).then_some(at)
    }

    /// The files that one lane takes, from its first on.
    fn files(&self, input: &Input<'_>, first: usize, sink: &mut dyn Sink) -> Result<()> {
        let mut taken = Some(first);
        while let Some(at) = taken {
            let mut before = (0, 0);
            let counted = input.read_one(at, sink, &mut |rows, bytes| {
                self.rows.fetch_add(rows - before.0, Ordering::SeqCst);
                self.bytes.fetch_add(bytes - before.1, Ordering::SeqCst);
                before = (rows, bytes);
                if self.is_over.load(Ordering::SeqCst) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            locked(&self.counted).push((at, counted));
            taken = self.take(input);
        }
        Ok(())
    }
}
