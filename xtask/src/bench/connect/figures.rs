//! What the rounds of one way gave.

use std::time::Duration;

/// What a batch took: its calls, the answers to them, the end of its sockets. Nanoseconds for one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) call: f64,
    pub(super) receive: f64,
    pub(super) close: f64,
}

impl Cost {
    pub(super) fn new(count: u32, call: Duration, receive: Duration, close: Duration) -> Self {
        let of_one = |all: Duration| all.as_secs_f64() * 1e9 / f64::from(count.max(1));
        Self { call: of_one(call), receive: of_one(receive), close: of_one(close) }
    }
}

/// A way's costs, round by round.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    rounds: Vec<Cost>,
}

impl Figures {
    pub(super) fn add(&mut self, cost: Cost) {
        self.rounds.push(cost);
    }

    /// The cells of a row, in the order of the table's head.
    pub(super) fn cells(&self, [plain, empty, nft]: [&Self; 3]) -> String {
        let calls = || self.rounds.iter().map(|cost| cost.call / 1e3);
        let fastest = calls().fold(f64::INFINITY, f64::min);
        let ratio = |above: &Self, below: &Self, part: fn(&Cost) -> f64| {
            let rounds = above.rounds.iter().zip(&below.rounds);
            median(rounds.map(|(above, below)| part(above) / part(below)).filter(|ratio| ratio.is_finite()))
        };
        let cells = [
            median(calls()),
            Some(fastest),
            ratio(self, plain, |cost| cost.call),
            ratio(self, empty, |cost| cost.call),
            ratio(nft, self, |cost| cost.call),
            ratio(self, plain, |cost| cost.receive),
            ratio(self, plain, |cost| cost.close),
        ];
        cells.map(|cell| cell.map_or(String::new(), |cell| format!("{cell:.2}"))).join(" | ")
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
