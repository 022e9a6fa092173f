//! Rewriting the goldens of the cases. The harness does it itself when asked by a variable, so that what is
//! written is by construction what is compared.

use crate::repository::{Repository, Result, run};

/// Runs the cases with `LRPC_BLESS=1`.
pub(crate) fn run_cases(repository: &Repository) -> Result<()> {
    let mut cases = repository.cargo();
    cases.args(["test", "--package", "lrpc", "--test", "cases"]).env("LRPC_BLESS", "1");
    run(&mut cases)
}
