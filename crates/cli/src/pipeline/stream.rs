//! Reading, working and writing at the same time.

use std::sync::mpsc::{Receiver, sync_channel};

use rayon::prelude::*;

use crate::failure::Failure;

/// What is worked on side by side: while one of them is put together by one thread, others keep the pool busy.
const AT_ONCE: usize = 4;

/// Runs three steps at the same time, each on a thread of its own: `read` gives what it has read to the function that it
/// is given, `work` makes of each something to write, some of them side by side on the thread pool, and `write` writes it, in
/// the order of reading. Of each a few wait for the next step at most: a slow step holds up those before it, and memory
/// stays bounded.
pub(crate) fn in_steps<R: Send, W: Send>(
    read: impl FnOnce(&mut dyn FnMut(R) -> Result<(), Failure>) -> Result<(), Failure> + Send,
    work: impl Fn(R) -> Result<W, Failure> + Send + Sync,
    mut write: impl FnMut(W) -> Result<(), Failure>,
) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        let (to_work, read_ones) = sync_channel::<R>(AT_ONCE);
        let (to_write, worked_ones) = sync_channel::<W>(AT_ONCE);
        let reading = scope.spawn(move || read(&mut |one| to_work.send(one).map_err(|_| stopped())));
        let working = scope.spawn(move || {
            while let Some(some) = waiting(&read_ones) {
                // The first failure in the order of reading, after what was read before it.
                let worked: Vec<Result<W, Failure>> = some.into_par_iter().map(&work).collect();
                worked.into_iter().try_for_each(|one| to_write.send(one?).map_err(|_| stopped()))?;
            }
            Ok(())
        });
        let written = worked_ones.into_iter().try_for_each(&mut write);
        let worked = working.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // A step stops when the next one has failed: the failure of the last step is the first one.
        written.and(worked).and(read)
    })
}

/// What has been read by now, at least one; `None` where nothing will come.
fn waiting<R>(read_ones: &Receiver<R>) -> Option<Vec<R>> {
    let first = read_ones.recv().ok()?;
    Some(std::iter::once(first).chain(read_ones.try_iter().take(AT_ONCE - 1)).collect())
}

fn stopped() -> Failure {
    anyhow::anyhow!("a later step has stopped").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(of: &str) -> Failure {
        anyhow::anyhow!("{of} failed").into()
    }

    /// Runs steps over the numbers below `n`, of which one step fails at a number.
    fn check(fails: Option<(&str, usize)>, n: usize, expected: &Result<Vec<usize>, String>) {
        let fail_at = |step: &str, at: usize| if fails == Some((step, at)) { Err(failure(step)) } else { Ok(()) };
        let mut written = Vec::new();
        let done = in_steps(
            |give| (0..n).try_for_each(|at| fail_at("read", at).and_then(|()| give(at))),
            |at| fail_at("work", at).map(|()| at * 10),
            |product| {
                fail_at("write", product / 10)?;
                written.push(product);
                Ok(())
            },
        );
        let found = done.map(|()| written).map_err(|failure| failure.told());
        assert_eq!(found, *expected);
    }

    #[test]
    fn everything_is_written_in_order() {
        check(None, 0, &Ok(Vec::new()));
        check(None, 100, &Ok((0..100).map(|at| at * 10).collect()));
    }

    #[test]
    fn the_failure_of_any_step_is_told() {
        for step in ["read", "work", "write"] {
            for at in [0, 1, 50, 99] {
                check(Some((step, at)), 100, &Err(format!("{step} failed")));
            }
        }
    }
}
