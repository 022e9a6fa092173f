//! The map set: everything that one node's maps are to say, as data.
//!
//! [`row`] is one frontend with what happens to it, [`digest`] takes the linked digest, [`mod@write`] and
//! [`read`] keep a set as bytes. It knows no kernel: pods stand here by UID, and `stage` looks for their
//! cgroups.
//!
//! INVARIANT: rows are sorted by address (IPv4 first, numerically), port and protocol, and no frontend has
//! two rows, so equal worlds give equal map sets.

mod digest;
mod read;
mod row;
mod shown;
mod write;

pub use read::NotAMapSet;
pub use row::{Backend, Frontend, Outcome, PodRef, Reason, Row, ServiceName, State};
pub use shown::{ShownBackend, ShownRow};

/// What one node gets. Holding one proves that its rows are sorted and that no frontend has two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapSet {
    rows: Vec<Row>,
}

impl MapSet {
    /// The rows, sorted by address, port and protocol.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows by value, sorted.
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// The row of a frontend.
    pub fn get(&self, frontend: &Frontend) -> Option<&Row> {
        let index = self.rows.binary_search_by(|row| row.frontend.cmp(frontend)).ok()?;
        self.rows.get(index)
    }
}

/// Sorts the rows; of two with one frontend the first stays (L1: one owner per frontend).
impl FromIterator<Row> for MapSet {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        let mut rows: Vec<Row> = rows.into_iter().collect();
        rows.sort_by_key(|row| row.frontend);
        rows.dedup_by_key(|row| row.frontend);
        Self { rows }
    }
}

#[cfg(test)]
mod tests;
