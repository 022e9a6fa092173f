//! `ebpf/object/verifier.toml`: how much work the verifier of each kernel has with each program.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::repository::{self, Failure, Repository, Result, read_text};

const FILE: &str = "ebpf/object/verifier.toml";

const HEAD: &str = "\
# Instructions that the verifier processes for each program under CAP_BPF and CAP_NET_ADMIN, by kernel: written by
# `cargo xtask vm --record`. A kernel test fails where one grows by more than a tenth, or past `limit`.
";

/// The content of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    limit: u64,
    seen: Figures,
}

/// Release series of a kernel to program to instructions.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Figures(BTreeMap<String, BTreeMap<String, u64>>);

impl Figures {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Takes what the test of the verifier said: lines like `verifier: 5.10 connect4 4191`.
    pub(super) fn add(&mut self, lines: &[String]) -> Result<()> {
        for line in lines {
            // The first stands behind the test's name, where the test failed in the end.
            let Some((_, figure)) = line.split_once("verifier: ") else { continue };
            let words: Vec<&str> = figure.split_whitespace().collect();
            if let [series, program, instructions] = words[..] {
                let instructions =
                    instructions.parse().map_err(|error| Failure(format!("`{line}`: {error}")))?;
                self.0.entry(series.to_owned()).or_default().insert(program.to_owned(), instructions);
            }
        }
        Ok(())
    }
}

/// Forgets what was seen, so that nothing new is held against it.
pub(super) fn forget(repository: &Repository) -> Result<()> {
    write(repository, &Figures::new())
}

/// Writes what was seen.
pub(super) fn write(repository: &Repository, seen: &Figures) -> Result<()> {
    let path = repository.path(FILE);
    let failed = |error: &dyn std::fmt::Display| Failure(format!("`{}`: {error}", path.display()));
    let mut record: Record = toml::from_str(&read_text(&path)?).map_err(|error| failed(&error))?;
    record.seen = Figures(seen.0.clone());
    let text = toml::to_string(&record).map_err(|error| failed(&error))?;
    repository::write(&path, format!("{HEAD}{text}").as_bytes())
}
