//! `lrpc man`: a manual page for each command.

use std::fs;
use std::path::PathBuf;

use crate::exit::{ExitStatus, Failure, Outcome};
use crate::exit_codes;

/// Write the man pages, one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc man /usr/local/share/man/man1")]
pub(crate) struct Args {
    /// The folder for the pages; made where it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn run(args: &Args) -> Outcome {
    // `lrpc help` prints what the pages say and needs none itself.
    let command = exit_codes::command().disable_help_subcommand(true);
    fs::create_dir_all(&args.folder).and_then(|()| clap_mangen::generate_to(command, &args.folder)).map_err(
        |error| {
            Failure::new(format!("man pages cannot be written to {}", args.folder.display())).because(&error)
        },
    )?;
    Ok(ExitStatus::Done)
}
