//! Reading, working and writing at the same time.

use std::sync::mpsc::sync_channel;

use crate::failure::Failure;

/// Runs three steps at the same time, each on a thread of its own: `read` gives what it has read to the function that it
/// is given, `work` makes of each something to write, and `write` writes it, in the order of reading. Of each, one waits
/// for the next step at most: a slow step holds up those before it, and memory stays bounded.
pub(crate) fn in_steps<R: Send, W: Send>(
    read: impl FnOnce(&mut dyn FnMut(R) -> Result<(), Failure>) -> Result<(), Failure> + Send,
    mut work: impl FnMut(R) -> Result<W, Failure> + Send,
    mut write: impl FnMut(W) -> Result<(), Failure>,
) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        let (to_work, read_ones) = sync_channel::<R>(1);
        let (to_write, worked_ones) = sync_channel::<W>(1);
        let reading = scope.spawn(move || read(&mut |one| to_work.send(one).map_err(|_| stopped())));
        let working = scope
            .spawn(move || read_ones.into_iter().try_for_each(|one| to_write.send(work(one)?).map_err(|_| stopped())));
        let written = worked_ones.into_iter().try_for_each(&mut write);
        let worked = working.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // A step stops when the next one has failed: the failure of the last step is the first one.
        written.and(worked).and(read)
    })
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
