//! The map records change only together with their version.
//!
//! The kernel programs, and tables and sockets that an earlier lrpc left in the kernel, were made for one
//! layout; the version keeps them apart. `schema/records.toml` remembers the source of the records at the
//! version that stands in it.

use serde::{Deserialize, Serialize};

use lrpc_schema::records::{ABI_VERSION, PEER_VERSION};
use walkdir::WalkDir;

use crate::repository::{Failure, Repository, Result, read_text, write};

/// The folder of the records; a file for each.
const SOURCE: &str = "schema/src/records";
const RECORD: &str = "schema/records.toml";

/// The content of `schema/records.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    abi_version: u32,
    peer_version: u32,
    /// blake3 of the code of the records.
    code: String,
}

impl Recorded {
    fn of(code: &str, abi_version: u32, peer_version: u32) -> Self {
        Self { abi_version, peer_version, code: format!("blake3:{}", blake3::hash(code.as_bytes())) }
    }

    fn now(repository: &Repository) -> Result<Self> {
        let mut files = Vec::new();
        for entry in WalkDir::new(repository.path(SOURCE)).sort_by_file_name() {
            let entry = entry.map_err(|error| Failure(format!("reading `{SOURCE}`: {error}")))?;
            if entry.file_type().is_file() {
                files.push(code(&read_text(entry.path())?));
            }
        }
        Ok(Self::of(&files.join("\n"), ABI_VERSION, PEER_VERSION))
    }

    fn read(repository: &Repository) -> Result<Self> {
        toml::from_str(&read_text(&repository.path(RECORD))?)
            .map_err(|error| Failure(format!("`{RECORD}`: {error}")))
    }

    fn versions(&self) -> (u32, u32) {
        (self.abi_version, self.peer_version)
    }
}

/// Compares the records with those that were recorded.
pub(super) fn check(repository: &Repository) -> Result<Vec<String>> {
    Ok(complaint(&Recorded::read(repository)?, &Recorded::now(repository)?).into_iter().collect())
}

fn complaint(recorded: &Recorded, now: &Recorded) -> Option<String> {
    if recorded == now {
        None
    } else if recorded.versions() == now.versions() {
        Some(format!(
            "`{SOURCE}` changed and neither ABI_VERSION nor PEER_VERSION did; raise the one whose records \
             changed, then `cargo xtask tidy --accept-records`. Where no byte in a map changes its meaning: \
             `cargo xtask tidy --accept-records --same-layout`"
        ))
    } else {
        Some(format!("`{RECORD}` is of other versions; `cargo xtask tidy --accept-records`"))
    }
}

/// Writes down the records as they are.
pub(super) fn accept(repository: &Repository, same_layout: bool) -> Result<()> {
    let now = Recorded::now(repository)?;
    if !same_layout
        && let Ok(recorded) = Recorded::read(repository)
        && let Some(complaint) = complaint(&recorded, &now)
        && recorded.versions() == now.versions()
    {
        return Err(Failure(complaint));
    }
    let fields = toml::to_string(&now).map_err(|error| Failure(error.to_string()))?;
    let text = format!("# Written by `cargo xtask tidy --accept-records`.\n{fields}");
    write(&repository.path(RECORD), text.as_bytes())
}

/// The code without its tests, comments, blank lines and indentation: what can change a record.
fn code(source: &str) -> String {
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = product.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "/// A key.\npub struct Key {\n    words: [u64; 3],\n}\n#[cfg(test)]\nmod tests {}\n";

    #[test]
    fn a_changed_record_needs_a_new_version() {
        let recorded = Recorded::of(&code(SOURCE), 1, 1);
        let changed = SOURCE.replace("[u64; 3]", "[u64; 4]");
        let complained = complaint(&recorded, &Recorded::of(&code(&changed), 1, 1)).unwrap();
        assert!(complained.contains("neither ABI_VERSION nor PEER_VERSION"), "{complained}");
    }

    #[test]
    fn a_new_version_must_be_recorded() {
        let complained =
            complaint(&Recorded::of(&code(SOURCE), 1, 1), &Recorded::of(&code(SOURCE), 2, 1)).unwrap();
        assert!(complained.contains("of other versions"), "{complained}");
    }

    #[test]
    fn comments_and_tests_are_no_change() {
        let recorded = Recorded::of(&code(SOURCE), 1, 1);
        for same in
            [SOURCE.replace("A key", "The key"), SOURCE.replace("mod tests {}", "mod tests { fn a() {} }")]
        {
            assert_eq!(complaint(&recorded, &Recorded::of(&code(&same), 1, 1)), None);
        }
    }
}
