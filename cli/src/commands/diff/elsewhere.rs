//! The side `live` where there is no kernel of Linux to ask.

use super::side::Side;
use crate::exit::Failure;

/// Where a node keeps what lrpc loads: nowhere.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Never an answer.
///
/// # Errors
/// Always.
pub(super) fn read(_: &Args, _: Option<&str>) -> Result<Side, Failure> {
    Err(Failure::new("`live` is what a node does, and a node runs Linux").help("compare on the node itself"))
}
