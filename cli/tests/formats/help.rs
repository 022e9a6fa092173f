//! `lrpc completions` and `lrpc man`: every command is in them.

use std::fs;

use crate::support::{lrpc, text};

/// The commands that `lrpc --help` lists.
fn commands() -> Vec<String> {
    let help = text(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_shell_completes_every_command() {
    let commands = commands();
    assert!(commands.iter().any(|command| command == "check"), "{commands:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = text(&["completions", shell]);
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
    }
}

#[test]
fn every_command_has_a_man_page() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("share/man1");
    text(&["man", folder.to_str().unwrap()]);
    let mut expected: Vec<_> = commands().iter().map(|command| format!("lrpc-{command}.1")).collect();
    expected.push("lrpc.1".to_owned());
    expected.sort();
    let mut found: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, expected);
    let page = fs::read_to_string(folder.join("lrpc-check.1")).unwrap();
    assert!(page.starts_with(".ie") || page.contains(".TH"), "{page}");
    assert!(page.contains("junit") && page.contains("Example"), "{page}");
}

#[test]
fn man_pages_that_cannot_be_written_are_a_failure() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("file"), "").unwrap();
    let output = lrpc(&["man", "file/man1"], scratch.path());
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: man pages cannot be written to file/man1\n"), "{said}");
}
