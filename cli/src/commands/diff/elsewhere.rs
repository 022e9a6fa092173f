//! The side `live` where there is no kernel of Linux to ask.

use lrpc_linker::diff::Rows;

use super::side::Side;
use super::view::ExistingView;
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

/// No connection is of a node.
pub(super) fn existing(_: &Args, _: &Rows, _: &Rows) -> ExistingView {
    ExistingView::default()
}
