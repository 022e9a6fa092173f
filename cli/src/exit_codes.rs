//! What each command's exit codes mean, as its `--help` and its man page say them.

use clap::{Command, CommandFactory as _};

use crate::Cli;

/// Command, and what 0, 1 and 2 mean; an empty text stands for a code that the command does not end with.
const CODES: &[(&str, [&str; 3])] = &[
    (
        "check",
        [
            "nothing is wrong, or only warnings",
            "errors, or warnings under --deny-warnings",
            "a file cannot be read, or there is no policy",
        ],
    ),
    (
        "compile",
        [
            "the image is written",
            "errors, or warnings under --deny-warnings: no image",
            "a file cannot be read or written, or there is no policy",
        ],
    ),
    ("explain", ["the page is printed", "", "there is no such page"]),
    ("inspect", ["the set is shown", "", "it cannot be read"]),
    (
        "link",
        [
            "linked, perhaps with warnings",
            "errors, or warnings under --deny-warnings; the rows are printed all the same",
            "an input cannot be read, or the node is not in the inventory",
        ],
    ),
    (
        "trace",
        [
            "the connection is redirected, or goes where it would have gone",
            "it is dropped",
            "an input cannot be read, or names what is not in the inventory",
        ],
    ),
    (
        "test",
        ["every expectation is met", "some are not", "a table, a policy or an inventory cannot be used"],
    ),
    (
        "diff",
        [
            "the same; with --breaking: nothing breaks",
            "different; with --breaking: something breaks",
            "a side cannot be read or does not compile",
        ],
    ),
    ("doctor", ["this machine can run lrpc, and what is loaded acts", "a line fails", ""]),
    (
        "apply",
        [
            "the set is active; what failed afterwards is said",
            "--expect did not match, or there are findings under --deny-warnings: nothing is changed",
            "an input cannot be used, or the kernel refused: nothing is changed",
        ],
    ),
    (
        "status",
        [
            "a set is loaded and in force",
            "nothing is loaded, or not all of it is in force",
            "it cannot be read",
        ],
    ),
    ("dump", ["the maps are printed", "", "nothing is loaded, or it cannot be read"]),
    (
        "monitor",
        [
            "it ended as it was asked to, or nothing is loaded any more",
            "",
            "nothing is loaded, another monitor is at work, or it cannot be read",
        ],
    ),
    (
        "origin",
        [
            "somebody stands behind it",
            "no connected socket of this node is there, as far as could be seen",
            "nothing is loaded, or the kernel cannot be asked",
        ],
    ),
    (
        "verify",
        [
            "the kernel holds what was loaded",
            "something differs, or nothing is loaded",
            "an input cannot be read, or the kernel cannot be asked",
        ],
    ),
    ("history", ["the history is printed, also an empty one", "", "it cannot be read"]),
    (
        "rollback",
        [
            "the generation is active; what failed afterwards is said",
            "",
            "there is no such generation, or the kernel refused: nothing is changed",
        ],
    ),
    ("unload", ["nothing of lrpc's is loaded any more", "", "something could not be removed"]),
    ("schema", ["the schema is printed", "", ""]),
    ("completions", ["the completions are printed", "", ""]),
    ("man", ["the pages are written", "", "they cannot be written"]),
];

/// The command line with the exit codes in the help of each command.
pub(crate) fn command() -> Command {
    CODES.iter().fold(Cli::command(), |command, (name, codes)| {
        if command.find_subcommand(name).is_none() {
            return command;
        }
        command.mut_subcommand(name, |command| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines = codes.iter().enumerate().filter(|(_, means)| !means.is_empty());
            let lines = lines.map(|(code, means)| format!("\n  {code}  {means}"));
            let lines: String = lines.collect();
            command.after_help(format!("{help}\n\nExit codes:{lines}"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_says_its_exit_codes() {
        let mut command = command();
        command.build();
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert_eq!(help.matches("Exit codes:").count(), 1, "{}", command.get_name());
            assert!(
                help.contains("Example:") && help.contains("\nExit codes:\n  0  "),
                "{}",
                command.get_name()
            );
        }
        assert_eq!(CODES.len(), Cli::command().get_subcommands().count(), "no code of a command that is not");
    }
}
