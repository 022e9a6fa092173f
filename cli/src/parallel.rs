//! Spreads the pure stages over the cores.

use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

/// What `work` makes of each item, in the order of the items, on as many threads as there are cores.
pub(crate) fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    if workers <= 1 {
        return items.into_iter().map(work).collect();
    }
    let queue = Mutex::new(items.into_iter().enumerate());
    // The lock is only held for a step of the queue, which does not panic.
    let next = || queue.lock().ok()?.next();
    let worker = || {
        let mut done = Vec::new();
        while let Some((place, item)) = next() {
            done.push((place, work(item)));
        }
        done
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        // This thread works too, so that where no other can be made (`pids.max`) the work is only slower.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, worker).ok();
        let others: Vec<_> = (1..workers).filter_map(spawn).collect();
        let own = worker();
        let results = others.into_iter().flat_map(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        own.into_iter().chain(results).collect()
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let squares = map((0..1000_u64).collect(), |number| number * number);
        assert_eq!(squares, (0..1000_u64).map(|number| number * number).collect::<Vec<_>>());
        assert!(map(Vec::<u8>::new(), |number| number).is_empty());
    }
}
