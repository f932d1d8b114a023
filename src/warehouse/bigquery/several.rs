//! Requests side by side: they wait for BigQuery, not for this machine.

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

/// Asks about each of several, so many at a time; the answers are in their order.
///
/// # Errors
/// One that was met; what is not begun by then is not.
pub(super) fn each<T, R, E>(
    threads: usize,
    of: &[T],
    ask: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E>
where
    T: Sync,
    R: Send,
    E: Send,
{
    let threads = threads.clamp(1, of.len().max(1));
    match ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) if threads > 1 => pool.install(|| of.par_iter().with_max_len(1).map(&ask).collect()),
        // Where there are no threads to be had, one after the other.
        _ => of.iter().map(&ask).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn answers_are_in_order_and_come_side_by_side() {
        // None comes through unless all four are asked at a time.
        let barrier = Barrier::new(4);
        let answers: Result<Vec<u32>, ()> = each(4, &[1, 2, 3, 4], |number| {
            barrier.wait();
            Ok(number * 10)
        });
        assert_eq!(answers, Ok(vec![10, 20, 30, 40]));
        assert_eq!(each(9, &[1, 2], |number| if *number > 1 { Err("no") } else { Ok(()) }), Err("no"));
        assert_eq!(each(0, &[] as &[u8], |_| Ok::<(), ()>(())), Ok(Vec::new()));
    }
}
